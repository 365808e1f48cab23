import type { Fetch } from '../../../src/client/environment.ts'
import { webSessions } from '../../../src/frameworks/web.ts'
import type { WebSessions } from '../../../src/frameworks/web.ts'
import { createSessions } from '../../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../../src/index.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'

export const ORIGIN = 'https://app.example.com'
export const LIFETIME = 600

/** The claims and the session data of the application. */
export type Claims = { role?: string }
export type Info = { note?: string }

/** A request as the server received it, and the status of the response. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
  readonly status: number
}

/** The application's sessions, with the calls of the web adapter. */
export type ApiSessions = Sessions<Claims, Info> & WebSessions<Claims, Info>

/** A real application in this process, behind a network that a test can cut, and the cookie jar of one browser. */
export class Api {
  /** By the server's clock. */
  now = Date.UTC(2026, 0, 1)
  readonly sessions: ApiSessions
  readonly seen: Seen[] = []
  /** The browser's cookies, by name. */
  readonly jar = new Map<string, string>()
  /** Answers instead of the server, as a proxy or captive portal does. If it rejects, there is no network. */
  between: ((request: Request) => Promise<Response | null>) | null = null
  /** Loses the response to the next request after the server has handled it. */
  loseNext = false

  constructor(options: Partial<CreateSessionsOptions<Claims, Info>> = {}) {
    this.sessions = webSessions(createSessions<Claims, Info>({
      origin: ORIGIN,
      clock: () => this.now,
      schedule: () => () => undefined,
      store: createMemoryStore(),
      accessTokenLifetime: LIFETIME,
      accessTokenBlacklisting: 'off',
      ...options,
    }))
  }

  /** How many requests there were for the path. */
  count(path: string): number {
    return this.seen.filter(request => request.path === path).length
  }

  get refreshes(): number {
    return this.count('/auth/session/refresh')
  }

  /** What a page's `fetch` does, cookies included. If the caller aborts it, it rejects and ignores the answer. */
  readonly fetch: Fetch = (input, init) => {
    const request = new Request(input instanceof Request ? input : new URL(String(input), ORIGIN), init)
    return new Promise((resolve, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason))
      this.#send(request, input, init).then(resolve, reject)
    })
  }

  async #send(request: Request, input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
    const headers = new Headers(request.headers)
    const credentials = init?.credentials ?? (input instanceof Request ? input.credentials : 'same-origin')
    const cookies = [...this.jar].map(([name, value]) => `${name}=${value}`)
    if (credentials !== 'omit') headers.set('cookie', cookies.join('; '))
    headers.set('sec-fetch-site', 'same-origin')
    const body = request.method === 'GET' ? '' : await request.text()
    if (request.signal.aborted) throw request.signal.reason
    const path = new URL(request.url).pathname
    const between = await this.between?.(new Request(request.url, { method: request.method, headers }))
    const answer = between ?? await this.#serve(new Request(request.url, {
      method: request.method, headers, ...body === '' ? {} : { body },
    }))
    this.seen.push({ method: request.method, path, headers: request.headers, body, status: answer.status })
    if (this.loseNext) {
      this.loseNext = false
      throw new TypeError('network lost')
    }
    if (request.signal.aborted) throw request.signal.reason
    if (credentials !== 'omit') this.#keep(answer.headers.getSetCookie())
    return answer
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      if (value === '') this.jar.delete(name)
      else this.jar.set(name, value)
    }
  }

  async #serve(request: Request): Promise<Response> {
    const own = await this.sessions.sessionRoutes()(request)
    if (own !== null) return own
    const { pathname } = new URL(request.url)
    return this.sessions.handler(async (request, headers) => {
      if (pathname === '/login') {
        const { userId = 'ada', persistent = true }: { userId?: string; persistent?: boolean }
          = JSON.parse(await request.text() || '{}')
        await this.sessions.createNewSession(request, headers, {
          userId, jwtPayload: { role: 'reader' }, sessionInfo: {}, persistent,
        })
        return Response.json({}, { headers })
      }
      if (pathname === '/public') return new Response('hello', { headers })
      const session = await this.sessions.getSession(request, headers, {
        ...pathname === '/recent' && { maxAuthenticationAge: '5m' },
      })
      if (pathname === '/reauthenticate') await session.reauthenticate(request, headers)
      if (pathname === '/payload') await session.updateJwtPayload(JSON.parse(await request.text()))
      return Response.json({ userId: session.getUserId(), echo: await request.text().catch(() => '') }, { headers })
    })(request)
  }
}
