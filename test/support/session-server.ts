import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClientIp } from '../../src/frameworks/node-exchange.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import type { NodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../src/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { GetSessionOptions } from '../../src/transport/get-session-options.ts'
import type { CreateNewSessionOptions } from '../../src/transport/start-session.ts'
import { HttpClient } from './http-client.ts'

export const ORIGIN = 'https://app.example.com'

/** The claims and session data of the test application. */
export type Claims = { role?: string; filler?: string }
export type Info = { note?: string }

/** A clock that stands still until the test moves it. */
export interface TestClock {
  (): number
  advance(milliseconds: number): void
}

export function createTestClock(): TestClock {
  let now = Date.UTC(2026, 0, 1)
  return Object.assign(() => now, {
    advance(milliseconds: number) {
      now += milliseconds
    },
  })
}

/** A store that can be made unavailable, and that counts its calls. */
export interface CutStore {
  readonly store: SessionStore
  down: boolean
  /** The store calls of requests, without those for keys, the feed and cleanup. */
  readonly calls: string[]
}

const inBackground: ReadonlySet<string> = new Set([
  'listKeys', 'addKeyIfNewest', 'follow', 'changesSince', 'acquireLease', 'removeExpired', 'appendEvent',
])

export function createCutStore(inner: SessionStore = createMemoryStore()): CutStore {
  const state = { down: false, calls: [] as string[] }
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (!inBackground.has(String(name))) state.calls.push(String(name))
        if (state.down) throw new Error('connect ECONNREFUSED db.internal:5432')
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  return Object.assign(state, { store })
}

export type AppSessions = Sessions<Claims, Info> & NodeSessions<Claims, Info>
type Route = (request: IncomingMessage, response: ServerResponse, body: LoginBody) => unknown

interface LoginBody {
  readonly userId?: string
  readonly payload?: Claims
  readonly info?: Info
  readonly options?: CreateNewSessionOptions
}

export interface SessionServer {
  readonly sessions: AppSessions
  readonly port: number
  readonly clock: TestClock
  readonly cut: CutStore
  /** The errors that were answered with 500 or 503. */
  readonly failures: unknown[]
  client(): HttpClient
  close(): Promise<void>
}

type ServerOptions = Partial<CreateSessionsOptions<Claims, Info>> & {
  readonly clientIp?: ClientIp<IncomingMessage>
  readonly routes?: (sessions: AppSessions) => Readonly<Record<string, Route>>
}

/** Serves a small application over a real socket: `/login`, `/me`, `/act` and the routes that a test adds. */
export async function startSessionServer(options: ServerOptions = {}): Promise<SessionServer> {
  const { routes: more, clientIp, ...sessionOptions } = options
  const clock = createTestClock()
  const cut = createCutStore(sessionOptions.store)
  const failures: unknown[] = []
  const sessions = nodeSessions(createSessions<Claims, Info>({
    origin: ORIGIN, clock, schedule: () => () => undefined, maxStaleness: 3600, ...sessionOptions, store: cut.store,
  }), { onError: error => failures.push(error), ...clientIp === undefined ? {} : { clientIp } })

  const describe = (settings?: boolean | GetSessionOptions<Claims>): Route => async (request, response) => {
    const session = await sessions.getSession(request, response, settings)
    send(response, {
      userId: session.getUserId(),
      handle: session.getHandle(),
      tenantId: session.getTenantId(),
      payload: session.getJwtPayload(),
    })
  }
  const routes: Readonly<Record<string, Route>> = {
    'POST /login': async (request, response, { userId = 'alice', payload, info, options: login }) => {
      const session = await sessions.createNewSession(request, response, userId, payload, info, login)
      send(response, { handle: session.getHandle() })
    },
    'GET /me': describe(),
    ...Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE'].map(method => [`${method} /act`, describe()])),
    ...more?.(sessions),
  }
  const answerOwn = sessions.sessionRoutes()
  const answerCors = sessions.cors()
  const answerError = sessions.errorHandler()
  const server = createServer((request, response) => void (async () => {
    try {
      if (await answerCors(request, response) || await answerOwn(request, response)) return
      const path = new URL(request.url ?? '/', ORIGIN).pathname
      const route = routes[`${request.method} ${path}`]
      if (route === undefined) response.writeHead(404).end()
      else await route(request, response, await readBody(request))
    } catch (error) {
      answerError(error, request, response)
    }
  })())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    sessions, port, clock, cut, failures,
    client: () => new HttpClient(port, sessionOptions.origin ?? ORIGIN, clock),
    async close() {
      await new Promise(resolve => server.close(resolve))
      cut.down = false
      await sessions.close()
    },
  }
}

export function send(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<LoginBody> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text.startsWith('{') ? JSON.parse(text) as LoginBody : {}
}

/** The headers of a browser's request from a page of the application. */
export const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', origin: ORIGIN } as const
/** The headers of a browser's request from a page of another site. */
export const CROSS_SITE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.tld' } as const

export const AT = '__Host-sAccessToken'
export const MAC = '__Host-sAccessTokenMac'
export const RT = '__Secure-sRefreshToken'
export const REFRESH = '/auth/session/refresh'
export const SIGNOUT = '/auth/signout'
