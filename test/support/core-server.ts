import { createMemoryStore } from '../../src/stores/memory.ts'
import type { HttpLimits } from '../../src/server/http/listen.ts'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import type { ServerParts } from '../../src/server/parts.ts'
import type { ServerSettings } from '../../src/server/settings.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createTestClock } from './session-server.ts'
import type { TestClock } from './session-server.ts'

/** A response of the server. */
export interface CoreAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; throws if it is not JSON. */
  readonly json: CoreBody
}

/** The members of CDI response bodies that tests read. */
export interface CoreBody {
  readonly status: string
  readonly message?: string
  readonly session: {
    readonly handle: string
    readonly userId: string
    readonly recipeUserId?: string
    readonly tenantId?: string
    readonly userDataInJWT: Readonly<Record<string, unknown>>
  }
  readonly accessToken: CoreToken
  readonly refreshToken: CoreToken
  readonly antiCsrfToken: string
  readonly [member: string]: unknown
}

export interface CoreToken {
  readonly token: string
  readonly expiry: number
  readonly createdTime: number
}

/** A server under test, and its log. */
export interface CoreServer {
  readonly server: KeyturnServer
  readonly url: string
  readonly clock: TestClock
  readonly store: SessionStore
  readonly log: string[]
  /** Calls a path. A body is sent as JSON, with POST unless another method is given. */
  call(path: string, options?: CallOptions): Promise<CoreAnswer>
  /** Starts a session. */
  create(fields?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<CoreBody>
  /** Exchanges a refresh token. */
  refresh(refreshToken: string, fields?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<CoreBody>
}

export interface CallOptions {
  readonly method?: string
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown
  readonly version?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** Starts a server on a free port in this process, with a memory store and a clock that stands still. */
export async function startCoreServer(
  settings: Partial<ServerSettings> = {},
  store: SessionStore = createMemoryStore(),
  limits: Partial<HttpLimits> = {},
  more: Pick<ServerParts, 'imports'> = {},
): Promise<CoreServer> {
  const clock = createTestClock()
  const log: string[] = []
  const { logLevel = 'debug', ...others } = settings
  const server = await startServer({ port: 0, ...others }, {
    ...more,
    clock,
    limits,
    logger: createLogger(logLevel, clock, line => log.push(line)),
    openStore: async appId => appId === 'public' ? store : createMemoryStore(),
  })
  const call = async (path: string, options: CallOptions = {}): Promise<CoreAnswer> => {
    const { body, version = '5.4', headers = {} } = options
    const response = await fetch(`${server.url}${path}`, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...version === null ? {} : { 'cdi-version': version }, ...headers },
      ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) },
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json(): CoreBody {
        return JSON.parse(text)
      },
    }
  }
  return {
    server, url: server.url, clock, store, log, call,
    create: async (fields = {}, options = {}) => (await call('/public/recipe/session', {
      body: {
        userId: 'alice', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false, useDynamicSigningKey: true,
        ...fields,
      },
      ...options,
    })).json,
    refresh: async (refreshToken, fields = {}, options = {}) => (await call('/recipe/session/refresh', {
      body: { refreshToken, enableAntiCsrf: false, useDynamicSigningKey: true, ...fields }, ...options,
    })).json,
  }
}

/** The header and the claims of a JWT, unverified. */
export function decodeJwt(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = token.split('.')
  const decode = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: decode(header), claims: decode(claims) }
}
