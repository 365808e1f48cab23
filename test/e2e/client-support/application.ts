import { createServer, request as sendRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { WebSocketServer } from 'ws'
import { nodeSessions } from '../../../src/frameworks/node.ts'
import type { NodeSessions } from '../../../src/frameworks/node.ts'
import { wsSessions } from '../../../src/frameworks/ws.ts'
import { createSessions, revocationStream } from '../../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../../src/index.ts'
import { openSqliteStore } from '../../../src/stores/sqlite.ts'
import { BUSY_SECONDS, loseAnswers } from '../../support/lose-answers.ts'
import { freePort } from '../../support/servers/workspace.ts'
import { pages } from './documents.ts'

type Claims = { role?: string }
type Info = { note?: string }

type ApplicationSessions = Sessions<Claims, Info> & NodeSessions<Claims, Info>

/** What an application of a test configures. */
export type Settings = Pick<CreateSessionsOptions<Claims, Info>, 'antiCsrf' | 'accessTokenBlacklisting'>

/** The lifetime of access tokens, in seconds. */
export const LIFETIME = 600

/** Marks refreshes whose response no client receives. */
const LOST = 'x-lost'

/** An application in this process, on a real port and a real database, with a clock that only a test moves. */
export class Application {
  readonly port: number
  readonly origin: string
  readonly #bundle: string
  readonly #settings: Settings
  readonly #directory = mkdtempSync(join(tmpdir(), 'keyturn-client-'))
  #sessions: ApplicationSessions | null = null
  #server: Server | null = null
  #now = Date.now()
  /** How many pages listen to a stream of revocations. */
  streams = 0
  /** The users whose sockets were opened, in order. */
  readonly sockets: string[] = []
  /** The statuses of the refreshes so far. */
  readonly refreshes: number[] = []
  /** The header `Range` of the requests for the film. */
  readonly ranges: (string | undefined)[] = []
  /** The target of the redirect at `/away`. */
  redirect = ''
  /** Runs before the session routes handle a refresh. Returns true if it has sent the response. */
  beforeRefresh: ((response: ServerResponse, request: IncomingMessage) => boolean | Promise<boolean>) | null = null
  /** Runs after a refresh was handled, before its response is sent. */
  beforeAnswer: ((response: ServerResponse) => Promise<void>) | null = null

  private constructor(port: number, bundle: string, settings: Settings) {
    this.#settings = settings
    this.port = port
    this.origin = `http://localhost:${port}`
    this.#bundle = bundle
  }

  static async start(bundle: string, settings: Settings = {}): Promise<Application> {
    const application = new Application(await freePort(), bundle, settings)
    await application.start()
    return application
  }

  async start(): Promise<void> {
    const sessions = nodeSessions(createSessions<Claims, Info>({
      origin: this.origin,
      clock: () => this.#now,
      store: openSqliteStore(join(this.#directory, 'sessions.db')),
      accessTokenLifetime: LIFETIME,
      accessTokenBlacklisting: 'off',
      ...this.#settings,
    }))
    this.#sessions = sessions
    this.#server = createServer((request, response) => void this.#answer(request, response))
    const sockets = new WebSocketServer({ noServer: true, path: '/socket' })
    const { upgrade, sessionOf } = wsSessions(sessions)
    this.#server.on('upgrade', upgrade(sockets))
    sockets.on('connection', (socket, request) => {
      const userId = sessionOf(request).getUserId()
      this.sockets.push(userId)
      socket.send(userId)
    })
    await new Promise<void>(resolve => this.#server?.listen(this.port, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    const server = this.#server
    await new Promise<void>(resolve => {
      server?.close(() => resolve())
      server?.closeAllConnections()
    })
    await this.#sessions?.close()
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Forgets what it has seen, and holds nothing. */
  reset(): void {
    this.beforeRefresh = null
    this.beforeAnswer = null
    for (const seen of [this.refreshes, this.sockets, this.ranges]) seen.length = 0
  }

  /** Lets time pass for the server only: all access tokens expire, and no page knows. */
  expireTokens(): void {
    this.#now += LIFETIME * 1000 + 1000
  }

  /** Revokes all sessions of a user, as an administrator does. Resolves when the revocation is acknowledged. */
  async revoke(userId: string): Promise<void> {
    await this.#sessions?.revokeAllSessionsForUser(userId)
  }

  /** How many sessions a user has. */
  async count(userId: string): Promise<number> {
    return (await this.#sessions?.getAllSessionHandlesForUser(userId))?.length ?? 0
  }

  /** Lets so many milliseconds pass for the server only. */
  pass(milliseconds: number): void {
    this.#now += milliseconds
  }

  /**
   * Makes the next refresh one whose earlier responses were lost: before it, refreshes with the same headers are sent
   * and answered, while time passes for the server. The server asks this refresh and later ones to wait, for `seconds`.
   */
  loseAnswers(seconds: number = BUSY_SECONDS): void {
    let lost: Promise<void> | null = null
    this.beforeRefresh = async (_, { headers }) => {
      lost ??= loseAnswers({ advance: by => this.pass(by) }, () => this.#refreshAndIgnore(headers))
        .then(() => this.pass((BUSY_SECONDS - seconds) * 1000))
      await lost
      return false
    }
  }

  /** Refreshes with these headers, and ignores the response. */
  #refreshAndIgnore(headers: IncomingHttpHeaders): Promise<void> {
    return new Promise((resolve, reject) => {
      sendRequest(`${this.origin}/auth/session/refresh`, { method: 'POST', headers: { ...headers, [LOST]: '1' } })
        .on('response', response => response.resume().on('end', resolve))
        .on('error', reject)
        .end()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sessions = this.#sessions
    if (sessions === null) return
    const { pathname } = new URL(request.url ?? '/', this.origin)
    try {
      if (pathname === '/auth/session/refresh' && request.headers[LOST] === undefined) {
        response.on('finish', () => this.refreshes.push(response.statusCode))
        if (await this.beforeRefresh?.(response, request) === true) return
        const end = response.end.bind(response)
        const hold = this.beforeAnswer
        if (hold !== null) {
          response.end = ((...content: Parameters<typeof end>) => {
            void hold(response).then(() => end(...content))
            return response
          }) as typeof response.end
        }
      }
      if (await sessions.sessionRoutes()(request, response)) return
      await this.#route(sessions, pathname, request, response)
    } catch (error) {
      sessions.errorHandler()(error, request, response)
    }
  }

  async #route(
    sessions: ApplicationSessions,
    pathname: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const page = pages[pathname]
    if (page !== undefined) {
      response.setHeader('content-type', page.type)
      response.end(page.content)
      return
    }
    switch (pathname) {
      case '/client.js':
        response.setHeader('content-type', 'text/javascript')
        response.end(this.#bundle)
        return
      case '/login': {
        const { userId, persistent = true }: { userId: string; persistent?: boolean } = JSON.parse(
          await textOf(request),
        )
        await sessions.createNewSession(request, response, { userId, jwtPayload: { role: 'reader' }, persistent })
        response.end('{}')
        return
      }
      case '/me':
      case '/mine': {
        const session = await sessions.getSession(request, response)
        response.end(JSON.stringify({ userId: session.getUserId(), payload: session.getJwtPayload() }))
        return
      }
      case '/payload': {
        const session = await sessions.getSession(request, response)
        await session.updateJwtPayload(JSON.parse(await textOf(request)))
        response.end('{}')
        return
      }
      case '/recent': {
        await sessions.getSession(request, response, { maxAuthenticationAge: '5m' })
        response.end(await textOf(request))
        return
      }
      case '/reauthenticate': {
        const session = await sessions.getSession(request, response)
        if (await textOf(request) === 'wrong') {
          response.writeHead(400).end('{"message":"wrong password"}')
          return
        }
        await session.reauthenticate(request, response)
        response.end('{}')
        return
      }
      case '/devices': {
        const session = await sessions.getSession(request, response)
        const { sessions: devices } = await sessions.listSessions(session.getUserId())
        const current = session.getHandle()
        response.end(JSON.stringify(devices.map(device => ({ ...device, current: device.handle === current }))))
        return
      }
      case '/stream': {
        // As an application's own stream, which says nothing of revocations.
        const session = await sessions.getSession(request, response)
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
        response.write('data: open\n\n')
        session.onRevoked(() => response.end())
        return
      }
      case '/events': {
        const session = await sessions.getSession(request, response)
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
        this.streams++
        await pipeline(revocationStream(session), response).catch(() => undefined)
        this.streams--
        return
      }
      case '/own-401':
        await sessions.getSession(request, response)
        response.writeHead(401).end('{"error":"no such order"}')
        return
      case '/film':
        response.writeHead(206, { 'content-type': 'video/mp4', 'x-range': request.headers.range ?? 'none' }).end('x')
        this.ranges.push(request.headers.range)
        return
      case '/away':
        response.writeHead(307, { location: this.redirect }).end()
        return
      case '/echo':
        await sessions.getSession(request, response)
        response.end(await textOf(request))
        return
      default:
        if (request.method === 'DELETE' && pathname.startsWith('/devices/')) {
          await sessions.getSession(request, response)
          await sessions.revokeSession(pathname.slice('/devices/'.length))
          response.writeHead(204).end()
        } else response.writeHead(404).end()
    }
  }
}

/** Tells the next refreshes to wait, as the session routes do (`REFRESH_BUSY`), each for so many seconds. */
export function busyFor(waits: readonly number[]): (response: ServerResponse) => boolean {
  const left = [...waits]
  return response => {
    const retryAfter = left.shift()
    if (retryAfter === undefined) return false
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': `${retryAfter}` })
    response.end('{"message":"session service unavailable"}')
    return true
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
  return text
}
