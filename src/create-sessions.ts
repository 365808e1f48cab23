import { platform } from '#platform'
import type { Entropy } from './base/entropy.ts'
import type { JsonObject } from './base/json.ts'
import {
  callback, checkNames, checkValues, explicit, having, oneOf, oneOrMore, optionsOf, rule, secret, text, withDefault,
} from './base/options.ts'
import type { RulesFor } from './base/options.ts'
import type { Scheduler } from './base/scheduler.ts'
import type { StandardSchema } from './base/standard-schema.ts'
import type { Clock } from './base/time.ts'
import { createCodecs } from './session/application-data.ts'
import type { SessionCore } from './session/core.ts'
import { createSessionCore } from './session/create-core.ts'
import { createEngine } from './session/engine.ts'
import { eventRules } from './session/events.ts'
import type { SessionEvents } from './session/events.ts'
import { storeMethods } from './session/guarded-store.ts'
import { applicationRule } from './session/identifiers.ts'
import { CLOCK_TOLERANCE, createPolicy, policyRules } from './session/policy.ts'
import type { PolicyOptions } from './session/policy.ts'
import type { SessionStore } from './session/store.ts'
import { atJwt } from './tokens/at-jwt.ts'
import type { Crypto, SignatureAlgorithm } from './tokens/crypto.ts'
import { MIN_SECRET_LENGTH } from './tokens/key-ring-provider.ts'
import { createHttpPolicy, httpRules } from './transport/http-policy.ts'
import type { HttpOptions } from './transport/http-policy.ts'
import { createHttpSessions } from './transport/http-sessions.ts'
import type { HttpSessions } from './transport/http-sessions.ts'

/** How an application wants its sessions. Only `origin` is required. */
export interface CreateSessionsOptions<Payload extends object, Info extends object> extends PolicyOptions, HttpOptions {
  /** Where sessions live. Default: the SQLite file `keyturn.db` in the working directory. */
  readonly store?: SessionStore
  /**
   * Encrypts the keys in the store: 32 random characters or more, from the environment. With several, the first encrypts
   * and all decrypt, so that a secret can be replaced. All processes on a store need the same: with a secret,
   * unencrypted keys are refused, see `keyturn keys encrypt`; without one, or with a wrong one, encrypted keys are
   * (S-04). Default: none; read access to the store is then enough to forge access tokens (ST-02).
   */
  readonly secret?: string | readonly string[]
  /** The signature algorithm of access tokens. `HS256` is for one service alone. Default: `ES256`. */
  readonly algorithm?: SignatureAlgorithm
  /**
   * Whom access tokens are for, their claim `aud` (RFC 7519 section 4.1.3). Refresh tokens are bound to it as well:
   * applications that share a store differ in audience or in name (TOK-10, S-03). Default: none.
   */
  readonly audience?: string
  /**
   * The application's name in a store that it shares: applications refuse each other's tokens by it (S-03). 1 to 64
   * characters of letters, digits, `.`, `_`, `-`. Default: `default`.
   */
  readonly application?: string
  /**
   * Validates and types the JWT payload: a schema of zod, valibot, arktype or any other Standard Schema library.
   * Default: any JSON object.
   */
  readonly payload?: StandardSchema<Payload>
  /** Validates and types the session info, as `payload` does. Default: any JSON object. */
  readonly info?: StandardSchema<Info>
  /** What the application wants to hear of. Default: nothing. */
  readonly events?: SessionEvents
  /** Where the time comes from, for tests. Default: the system's clock, corrected by the store's. */
  readonly clock?: Clock
  /** Where random bytes come from, for tests. Default: the platform's secure generator. */
  readonly entropy?: Entropy
  /** Runs work in the background, for tests. Default: timers that keep no process alive. */
  readonly schedule?: Scheduler
  /** The cryptography to use. Default: the platform's. */
  readonly crypto?: Crypto
}

const schema = rule(
  'a schema of a Standard Schema library such as zod, valibot or arktype',
  (value): value is StandardSchema<object> => (
    (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
  ),
)
const cryptoMethods: readonly (keyof Crypto)[] = [
  'randomBytes', 'sha256', 'digest', 'mac', 'generateKey', 'signer', 'verifier', 'decodeText', 'encodeText', 'cipher',
]

const ownRules = {
  store: secret(having<SessionStore>(
    'a session store, as createPostgresStore(url) of keyturn/stores/postgres returns', ...storeMethods)),
  secret: secret(explicit(oneOrMore(
    `a text of at least ${MIN_SECRET_LENGTH} random characters, or a list of such texts`,
    text(`a text of at least ${MIN_SECRET_LENGTH} random characters`, new RegExp(`.{${MIN_SECRET_LENGTH}}`, 's'))))),
  algorithm: withDefault('ES256', oneOf('ES256', 'EdDSA', 'RS256', 'HS256')),
  audience: explicit(text()),
  application: applicationRule,
  payload: explicit(schema),
  info: explicit(schema),
  events: optionsOf<SessionEvents>(eventRules),
  clock: callback<Clock>(),
  entropy: callback<Entropy>(),
  schedule: callback<Scheduler>(),
  crypto: having<Crypto>('an implementation of Crypto', ...cryptoMethods),
}

/** What the options of {@link createSessions} accept. */
export const createSessionsRules: RulesFor<CreateSessionsOptions<object, object>> = { ...policyRules, ...httpRules, ...ownRules }

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
 * @throws GeneralError (`MISUSE`) with the option, what it was (unless it is secret) and what it must be.
 * @example
 * const sessions = expressSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function createSessions<Payload extends object = JsonObject, Info extends object = JsonObject>(
  options: CreateSessionsOptions<Payload, Info>,
): Sessions<Payload, Info> {
  checkNames('createSessions', createSessionsRules, options)
  const httpPolicy = createHttpPolicy(options)
  const policy = createPolicy(options)
  checkValues(ownRules, options)
  const { clock, schedule = platform.schedule, algorithm = ownRules.algorithm.preset, audience = null } = options
  const { crypto = platform.crypto, application = ownRules.application.preset } = options
  const entropy = options.entropy ?? crypto.randomBytes
  const format = atJwt({
    issuer: httpPolicy.issuer, audience, application, algorithm, crypto, entropy, clockTolerance: CLOCK_TOLERANCE,
  })
  const engine = createEngine({
    store: options.store ?? platform.openDefaultStore(),
    clock: clock ?? platform.clock,
    followStoreTime: clock === undefined,
    crypto, entropy, schedule, policy,
    demands: format.demands,
    application: { name: application, audience },
    secrets: options.secret === undefined ? [] : [options.secret].flat(),
    events: options.events ?? {},
  })
  const core = createSessionCore(engine, format, createCodecs(policy, options))
  const unverified = { peekHandle: format.peekHandle, ownerOfAccessToken: format.ownerOfAccessToken }
  return {
    http: createHttpSessions({ ...core, ...unverified }, httpPolicy, core.clock),
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
