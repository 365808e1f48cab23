import type { JsonObject } from '../../src/base/json.ts'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import type { ServerSettings } from '../../src/server/settings.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { ConsoleClient } from './console-client.ts'
import { createTestClock } from './session-server.ts'
import type { TestClock } from './session-server.ts'

export const MANAGER_KEY = 'manager-key-0123456789abcdef'
export const READER_KEY = 'reader-key-00123456789abcdef'
const API_KEY = 'server-key-00123456789abcdef'

/** A server with a console under test. */
export interface ConsoleServer {
  readonly server: KeyturnServer
  readonly clock: TestClock
  readonly store: SessionStore
  /** The store of the console's own sessions. */
  readonly ownStore: SessionStore
  readonly log: string[]
  /** A browser that is not logged in. */
  browser(path?: string): ConsoleClient
  /** A browser that is logged in. */
  operator(key?: string): Promise<ConsoleClient>
  /** Starts a session of a user by the native API. */
  login(userId: string, fields?: JsonObject): Promise<UserSession>
  native(method: string, path: string, body?: JsonObject): Promise<JsonObject>
}

export interface UserSession {
  readonly handle: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** Starts a server with a console on a free port, with a clock that stands still. */
export async function startConsoleServer(
  settings: Partial<ServerSettings> = {},
  store: SessionStore = createMemoryStore(),
): Promise<ConsoleServer> {
  const clock = createTestClock()
  const log: string[] = []
  const ownStore = createMemoryStore()
  const server = await startServer({
    port: 0, console: true, apiKeys: [API_KEY],
    consoleKeys: [`ada:manage:${MANAGER_KEY}`, `rae:read:${READER_KEY}`],
    ...settings,
  }, {
    clock,
    logger: createLogger('debug', clock, line => log.push(line)),
    openStore: async appId => appId === 'public' ? store : appId === 'console' ? ownStore : createMemoryStore(),
  })
  const browser = (path = '/console'): ConsoleClient => new ConsoleClient(`${server.url}${path}`)
  const native = async (method: string, path: string, body?: JsonObject): Promise<JsonObject> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'api-key': API_KEY, ...body === undefined ? {} : { 'content-type': 'application/json' } },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    const text = await response.text()
    return text === '' ? {} : JSON.parse(text)
  }
  return {
    server, clock, store, ownStore, log, browser, native,
    async operator(key = MANAGER_KEY) {
      const client = browser()
      const { status, text } = await client.logIn(key)
      if (status !== 204) throw new Error(`the login was answered with ${status}: ${text}`)
      return client
    },
    async login(userId, fields = {}) {
      const made = await native('POST', '/v1/sessions', { userId, ...fields })
      return {
        handle: String(made['handle']), accessToken: String(made['accessToken']),
        refreshToken: String(made['refreshToken']),
      }
    },
  }
}
