import { constantTimeEqual } from '../base/constant-time.ts'
import { toMilliseconds } from '../base/duration.ts'
import { isSessionError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import type { JsonObject } from '../base/json.ts'
import { isLocalHostname } from '../base/loopback.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock } from '../base/time.ts'
import * as wire from '../base/wire.ts'
import { createCodecs } from '../session/application-data.ts'
import { createSessionCore } from '../session/create-core.ts'
import { createEngine } from '../session/engine.ts'
import type { SessionEvents } from '../session/events.ts'
import { CLOCK_TOLERANCE, createPolicy } from '../session/policy.ts'
import type { ClientInfo } from '../session/record.ts'
import type { SessionStore } from '../session/store.ts'
import { atJwt } from '../tokens/at-jwt.ts'
import type { Crypto } from '../tokens/crypto.ts'
import type { ConsoleCall, ConsoleOperator, ConsolePlace } from '../transport/console-port.ts'
import type { OriginPolicy } from '../transport/csrf.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, HttpRequest } from '../transport/exchange.ts'
import { allowInsecureCookies, createHttpPolicy } from '../transport/http-policy.ts'
import { createHttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { LoginLimit, networkOf } from './login-limit.ts'
import type { ConsoleAccess, LoginOutcome, Operator } from './subject.ts'

/** An API key that may log in, and whose it is. */
export interface ConsoleKey extends ConsoleOperator {
  readonly key: string
}

/** What the login of a console needs. */
export interface KeyLoginParts {
  /** Where console sessions are kept: never among those of users. */
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly clock: Clock
  readonly followStoreTime: boolean
  readonly schedule: Scheduler
  readonly secrets: readonly string[]
  readonly events: SessionEvents
  readonly keys: readonly ConsoleKey[]
  readonly place: ConsolePlace
  /** Other origins at which browsers reach the console: names of this machine. */
  readonly otherOrigins: readonly string[]
}

/** Console sessions, each of which is a session of Keyturn. */
export interface KeyAccess extends ConsoleAccess {
  /** Which pages belong to the console. */
  readonly origins: OriginPolicy
  /** Opens the store and reads the keys. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** How long a console session lasts without a request. */
export const CONSOLE_IDLE = '15m'
/** How long it lasts at most. */
export const CONSOLE_LIFETIME = '12h'

/** Creates the login by API key. */
export function createKeyLogin(parts: KeyLoginParts): KeyAccess {
  const { store, crypto, clock, schedule, secrets, events, keys, place, otherOrigins, followStoreTime } = parts
  const isSecure = place.origin.startsWith('https:')
  const application = 'keyturn-console'
  const httpPolicy = createHttpPolicy({
    origin: place.origin,
    trustedOrigins: otherOrigins,
    basePath: place.path,
    cookie: { sameSite: 'strict', refreshTokenPath: '/', ...consoleCookies(place.origin) },
    [allowInsecureCookies]: !isSecure,
  })
  // A token lives for a minute: so often an operator's request prolongs the session.
  const policy = createPolicy({
    accessTokenLifetime: '1m', idleTimeout: CONSOLE_IDLE, absoluteTimeout: CONSOLE_LIFETIME,
    accessTokenBlacklisting: 'strict',
  })
  const format = atJwt({
    issuer: httpPolicy.issuer, audience: null, application, algorithm: 'ES256', clockTolerance: CLOCK_TOLERANCE,
    crypto, entropy: crypto.randomBytes,
  })
  const engine = createEngine({
    store, crypto, clock, followStoreTime, schedule, policy, events, secrets,
    entropy: crypto.randomBytes, keyRequests: format.keyRequests, application: { name: application, audience: null },
  })
  const core = createSessionCore(engine, format, createCodecs<JsonObject, JsonObject>(policy, {}))
  const http = createHttpSessions<JsonObject, JsonObject>({
    ...core, decodeHandleUnverified: format.decodeHandleUnverified, ownerOfAccessToken: format.ownerOfAccessToken,
  }, httpPolicy, core.clock, () => Promise.reject(new TypeError('console sessions have no console')))
  const limit = new LoginLimit()

  /** The key with this id. A key that was taken from the settings admits nobody any more. */
  async function keyWithId(id: unknown): Promise<ConsoleKey | null> {
    for (const each of keys) if (await idOf(each, crypto) === id) return each
    return null
  }

  async function operatorOf(session: Session<JsonObject, JsonObject>): Promise<Operator | null> {
    const key = await keyWithId(session.getJwtPayload()['key'])
    const tokenHandle = parseHandle(session.getHandle())
    if (key === null || tokenHandle === null) return null
    const endsAt = session.getTimeCreated() + toMilliseconds(CONSOLE_LIFETIME)
    return {
      name: key.name, role: key.role, tokenHandle, session: { idleTimeout: toMilliseconds(CONSOLE_IDLE), endsAt },
    }
  }

  return {
    login: 'key',
    origins: httpPolicy,
    tokens: core,
    ready: () => core.ready(),
    close: () => core.close(),

    async find(call) {
      try {
        const session = await http.getSession(cookiesOnly(call), { required: false, refresh: true, csrf: false })
        return session === null ? null : await operatorOf(session)
      } catch (error) {
        if (isSessionError(error) && error.status === 401) return null
        throw error
      }
    },

    keyLogin: {
      async logIn(call, apiKey): Promise<LoginOutcome> {
        const network = networkOf(call.exchange.request.client.ip)
        const now = core.clock()
        const wait = limit.wait(network, now)
        if (wait > 0) return { kind: 'wait', retryAfter: wait }
        const isNoted = limit.begin(network, now)
        const key = await findKey(keys, apiKey, crypto)
        if (key === null) return { kind: 'refused', isNoted }
        const { name, role } = key
        await http.createNewSession(cookiesOnly(call), { userId: name, jwtPayload: { key: await idOf(key, crypto) } })
        limit.forget(network)
        return { kind: 'in', operator: { name, role } }
      },
      async logOut(call) {
        await http.signOut(cookiesOnly(call))
      },
    },
  }
}

/** Compares the digests of all keys, in constant time. */
async function findKey(
  keys: readonly ConsoleKey[],
  apiKey: string,
  crypto: Pick<Crypto, 'sha256'>,
): Promise<ConsoleKey | null> {
  const given = await crypto.sha256(apiKey)
  let found: ConsoleKey | null = null
  for (const each of keys) if (constantTimeEqual(await crypto.sha256(each.key), given)) found = each
  return found
}

/** An id of a key that says nothing about it: a session is bound to the key that it was started with. */
async function idOf({ name, role, key }: ConsoleKey, crypto: Pick<Crypto, 'sha256'>): Promise<string> {
  return (await crypto.sha256(`keyturn console key\0${role}\0${name}\0${key}`)).slice(0, 22)
}

/** The names of the cookies of a console session: no application has them, and on this machine no other port. */
export function consoleCookies(origin: string): {
  readonly accessTokenName: string
  readonly refreshTokenName: string
} {
  const { protocol, hostname, port } = new URL(origin)
  const prefix = protocol === 'https:' ? '__Host-' : ''
  const suffix = isLocalHostname(hostname) && port !== '' ? `-${port}` : ''
  return {
    accessTokenName: `${prefix}keyturnConsole${suffix}`, refreshTokenName: `${prefix}keyturnConsoleRefresh${suffix}`,
  }
}

/** The exchange without the headers by which a client gets or sends tokens in headers. */
function cookiesOnly({ exchange }: ConsoleCall): HttpExchange {
  return new AdapterExchange(new CookieRequest(exchange.request), exchange.reply)
}

class CookieRequest implements HttpRequest {
  readonly #request: HttpRequest

  constructor(request: HttpRequest) {
    this.#request = request
  }

  get identity(): object {
    return this.#request.identity
  }

  get method(): string {
    return this.#request.method
  }

  get path(): string {
    return this.#request.path
  }

  get query(): string {
    return this.#request.query
  }

  get client(): ClientInfo {
    return this.#request.client
  }

  header(name: string): string | null {
    return name === wire.authMode || name === wire.authorization ? null : this.#request.header(name)
  }
}
