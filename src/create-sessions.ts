import { platform } from '#platform'
import type { Entropy } from './base/entropy.ts'
import type { JsonObject } from './base/json.ts'
import type { Scheduler } from './base/scheduler.ts'
import type { StandardSchema } from './base/standard-schema.ts'
import type { Clock } from './base/time.ts'
import type { SessionCore } from './session/core.ts'
import { createCore } from './session/create-core.ts'
import type { SessionEvents } from './session/events.ts'
import { createPolicy } from './session/policy.ts'
import type { PolicyOptions } from './session/policy.ts'
import type { SessionStore } from './session/store.ts'
import type { Crypto, SignatureAlgorithm } from './tokens/crypto.ts'
import { createHttpPolicy } from './transport/http-policy.ts'
import type { HttpOptions } from './transport/http-policy.ts'
import { createHttpSessions } from './transport/http-sessions.ts'
import type { HttpSessions } from './transport/http-sessions.ts'

/** How an application wants its sessions. Only `origin` is required. */
export interface SessionsOptions<Payload extends object, Info extends object> extends PolicyOptions, HttpOptions {
  /** Where sessions live. Default: the SQLite file `keyturn.db` in the working directory. */
  readonly store?: SessionStore
  /**
   * Encrypts the keys in the store: 32 random characters or more, from the environment. With several, the first encrypts
   * and all decrypt, so that a secret can be replaced. Without one, keys are stored unencrypted (ST-02). All processes
   * on a store need the same: with a secret, unencrypted keys are refused, see `keyturn keys encrypt`; without one, or
   * with a wrong one, encrypted keys are (S-04).
   */
  readonly secret?: string | readonly string[]
  /** The signature algorithm of access tokens. Default `ES256`. `HS256` is for one service alone. */
  readonly algorithm?: SignatureAlgorithm
  /**
   * The application's name in the store: 1 to 64 letters, digits and any of `. _ -`; `default` by default. Applications
   * that share a store differ in name or audience, and refuse each other's tokens by that (TOK-10).
   */
  readonly application?: string
  /** Whom access tokens are for (RFC 7519 section 4.1.3). Refresh tokens are bound to it as well. */
  readonly audience?: string
  /** Validates and types the JWT payload: a schema of zod, valibot, arktype or any other Standard Schema library. */
  readonly payload?: StandardSchema<Payload>
  /** Validates and types the session info. */
  readonly info?: StandardSchema<Info>
  /** What the application wants to hear of. */
  readonly events?: SessionEvents
  /** Where the time comes from. Default: the system's clock, corrected by the store's. For tests. */
  readonly clock?: Clock
  /** Where chance comes from. Default: the platform's secure generator. For tests. */
  readonly entropy?: Entropy
  /** Runs work in the background. Default: timers that keep no process alive. For tests. */
  readonly schedule?: Scheduler
  /** The cryptography to use. Default: the platform's. */
  readonly crypto?: Crypto
}

/** The calls that need no request. Those that do come with a framework: `expressSessions(sessions)` and its kin. */
type Management =
  | 'getSessionInfo' | 'updateSessionInfo' | 'updateJwtPayload'
  | 'revokeSession' | 'revokeSessions' | 'revokeAllSessionsForUser' | 'revokeEverySession'
  | 'getAllSessionHandlesForUser' | 'listSessions'
  | 'rotateKeys' | 'getJwks' | 'close'

/** The sessions of one application. */
export interface Sessions<Payload extends object, Info extends object>
  extends Pick<SessionCore<Payload, Info>, Management> {
  /** What the adapters of frameworks translate to. */
  readonly http: HttpSessions<Payload, Info>
}

/**
 * Makes the sessions of an application. Connects and reads nothing before the first call.
 * @throws GeneralError (`MISUSE`) that names the option that can not work.
 * @example
 * const sessions = expressSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function createSessions<Payload extends object = JsonObject, Info extends object = JsonObject>(
  options: SessionsOptions<Payload, Info>,
): Sessions<Payload, Info> {
  const httpPolicy = createHttpPolicy(options)
  const policy = createPolicy(options)
  const crypto = options.crypto ?? platform.crypto
  const core = createCore<Payload, Info>({
    store: options.store ?? platform.openDefaultStore(),
    crypto,
    clock: options.clock ?? platform.clock,
    followStoreTime: options.clock === undefined,
    entropy: options.entropy ?? crypto.randomBytes,
    schedule: options.schedule ?? platform.schedule,
    policy,
    issuer: httpPolicy.issuer,
    application: options.application ?? 'default',
    audience: options.audience ?? null,
    algorithm: options.algorithm ?? 'ES256',
    secrets: options.secret === undefined ? [] : [options.secret].flat(),
    payloadSchema: options.payload,
    infoSchema: options.info,
    events: options.events ?? {},
  })
  return {
    http: createHttpSessions(core, httpPolicy, core.clock),
    getSessionInfo: core.getSessionInfo,
    updateSessionInfo: core.updateSessionInfo,
    updateJwtPayload: core.updateJwtPayload,
    revokeSession: core.revokeSession,
    revokeSessions: core.revokeSessions,
    revokeAllSessionsForUser: core.revokeAllSessionsForUser,
    revokeEverySession: core.revokeEverySession,
    getAllSessionHandlesForUser: core.getAllSessionHandlesForUser,
    listSessions: core.listSessions,
    rotateKeys: core.rotateKeys,
    getJwks: core.getJwks,
    close: core.close,
  }
}
