import { platform } from '#platform'
import type { Entropy } from './base/entropy.ts'
import { isolateHost } from './base/host.ts'
import type { KeepAlive } from './base/host.ts'
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
import type { DataOf, InputOf, OutputOf, Storable } from './session/data-types.ts'
import { createSessionCore } from './session/create-core.ts'
import { createEngine } from './session/engine.ts'
import { createEmitter, eventRules } from './session/events.ts'
import type { SessionEvents } from './session/events.ts'
import { storeMethods } from './session/guarded-store.ts'
import { applicationRule } from './session/identifiers.ts'
import { createReporter, processRegistry } from './session/misconfiguration.ts'
import type { ProcessRegistry, ReportMisconfiguration } from './session/misconfiguration.ts'
import { CLOCK_TOLERANCE, createPolicy, policyRules } from './session/policy.ts'
import type { PolicyOptions } from './session/policy.ts'
import type { SessionStore } from './session/store.ts'
import { reportToOpenTelemetry } from './session/telemetry.ts'
import { atJwt } from './tokens/at-jwt.ts'
import type { Crypto, SignatureAlgorithm } from './tokens/crypto.ts'
import { MIN_SECRET_LENGTH } from './tokens/secrets.ts'
import type { ConsoleHandler, ConsolePlace } from './transport/console-port.ts'
import { createHttpPolicy, httpRules } from './transport/http-policy.ts'
import type { HttpOptions } from './transport/http-policy.ts'
import { createHttpSessions } from './transport/http-sessions.ts'
import type { HttpSessions } from './transport/http-sessions.ts'
import type { SessionImports } from './transport/imports.ts'

/**
 * The options of {@link createSessions}. Only `origin` is required. `Payload` and `Info` are what the schemas return,
 * `PayloadInput` and `InfoInput` what they accept.
 */
export interface CreateSessionsOptions<
  Payload extends object = JsonObject, Info extends object = JsonObject, PayloadInput = Payload, InfoInput = Info,
> extends PolicyOptions, HttpOptions {
  /** The store of the sessions. Default: the SQLite file `keyturn.db` in the working directory. */
  readonly store?: SessionStore
  /**
   * Encrypts the keys in the store: at least 32 random characters, from the environment. With an array, Keyturn
   * encrypts with the first secret and decrypts with any, so that a secret can be replaced. All processes on a store
   * need the same secret: a process with a secret rejects unencrypted keys (see `keyturn keys encrypt`), a process
   * without one, or with a wrong one, rejects encrypted keys (S-04). Default: none; read access to the store is then
   * enough to forge access tokens (ST-02).
   */
  readonly secret?: string | readonly string[]
  /** The signature algorithm of access tokens. Use `HS256` only if no other service verifies them. Default: `ES256`. */
  readonly algorithm?: SignatureAlgorithm
  /**
   * The audience of access tokens, their claim `aud` (RFC 7519 section 4.1.3). Refresh tokens are bound to it, too.
   * Applications that share a store must differ in `audience` or `application` (TOK-10, S-03). Default: none.
   */
  readonly audience?: string
  /**
   * The name of the application in a shared store. An application rejects tokens of another name (S-03). 1 to 64
   * letters, digits, `.`, `_`, `-`. Default: `default`.
   */
  readonly application?: string
  /**
   * The schema of the JWT payload, which validates and types it: of zod, valibot, arktype or any other Standard Schema
   * library. What it returns is stored and must be JSON; what is read is not validated again. Default: any JSON object.
   */
  readonly payload?: StandardSchema<PayloadInput, Payload>
  /** The schema of the session data, like `payload`. Default: any JSON object. */
  readonly info?: StandardSchema<InfoInput, Info>
  /**
   * Takes over the live sessions of the system before, as `importSessions` of `keyturn/import` says (docs/import.md).
   * Default: none are.
   */
  readonly imports?: SessionImports
  /** Listeners for events. Default: none. */
  readonly events?: SessionEvents
  /** The clock, for tests. Default: the system clock, corrected by the store's clock. */
  readonly clock?: Clock
  /** The source of random bytes, for tests. Default: the platform's secure generator. */
  readonly entropy?: Entropy
  /** Schedules background work, for tests. Default: timers that do not keep the process alive. */
  readonly schedule?: Scheduler
  /** The cryptography. Default: the platform's. */
  readonly crypto?: Crypto
  /**
   * Lets work go on after the response, on a platform that ends it with the request: `waitUntil` of
   * `@vercel/functions`, for instance. With it, no timer runs between requests: verifications read the change log
   * (docs/serverless.md). Default: `waitUntil` of Cloudflare Workers there; none elsewhere.
   */
  readonly keepAlive?: KeepAlive
}

const schema = rule(
  'a schema of a Standard Schema library such as zod, valibot or arktype',
  (value): value is StandardSchema<unknown, object> => (
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
    `a string of at least ${MIN_SECRET_LENGTH} random characters, or an array of such strings`,
    text(`a string of at least ${MIN_SECRET_LENGTH} random characters`, new RegExp(`.{${MIN_SECRET_LENGTH}}`, 's'))))),
  algorithm: withDefault('ES256', oneOf('ES256', 'EdDSA', 'RS256', 'HS256')),
  audience: explicit(text()),
  application: applicationRule,
  payload: explicit(schema),
  info: explicit(schema),
  imports: having<SessionImports>('what importSessions of keyturn/import returns', 'connect'),
  events: optionsOf<SessionEvents>(eventRules),
  clock: callback<Clock>(),
  entropy: callback<Entropy>(),
  schedule: callback<Scheduler>(),
  crypto: having<Crypto>('an implementation of Crypto', ...cryptoMethods),
  keepAlive: callback<KeepAlive>(),
}

/** The rules of the options of {@link createSessions}. */
export const createSessionsRules: RulesFor<CreateSessionsOptions<object, object, unknown, unknown>> = {
  ...policyRules, ...httpRules, ...ownRules,
}

/** The methods that need no request. An adapter has the others: `expressSessions(sessions)` and the like. */
type Management =
  | 'getSessionByHandle' | 'getSessionInfo' | 'updateSessionInfo' | 'updateJwtPayload' | 'updateJwtPayloadForUser'
  | 'revokeSession' | 'revokeSessions' | 'revokeAllSessionsForUser' | 'revokeEverySession'
  | 'getAllSessionHandlesForUser' | 'listSessions'
  | 'rotateKeys' | 'getJwks' | 'ready' | 'health' | 'close'

/** The sessions of one application. */
export interface Sessions<Payload extends object, Info extends object>
  extends Pick<SessionCore<Payload, Info>, Management> {
  /** The sessions over HTTP, for adapters. */
  readonly http: HttpSessions<Payload, Info>
}

/**
 * Creates the sessions of an application. Does not connect to the store or read from it before the first call.
 * @throws GeneralError (`MISUSE`) that names an invalid option, its value (unless it is secret) and what it must be.
 * @example
 * const sessions = expressSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function createSessions<
  Payload extends object = JsonObject, Info extends object = JsonObject, PayloadInput = Payload, InfoInput = Info,
>(
  options: CreateSessionsOptions<Payload, Info, PayloadInput, InfoInput> & Storable<Payload, Info>,
): Sessions<DataOf<PayloadInput, Payload>, DataOf<InfoInput, Info>>
export function createSessions<Payload extends object, Info extends object>(
  options: CreateSessionsOptions<OutputOf<Payload>, OutputOf<Info>, InputOf<Payload>, InputOf<Info>>,
): Sessions<Payload, Info> {
  checkNames('createSessions', createSessionsRules, options)
  const registry = processRegistry()
  const isProduction = platform.variable('NODE_ENV') === 'production'
  const emit = createEmitter(options.events ?? {})
  const report = createReporter({
    emit: event => emit('onMisconfiguration', event),
    print: isProduction ? null : line => console.error(line),
    printed: registry.printed,
  })
  const httpPolicy = createHttpPolicy(options, report)
  const host = options.keepAlive === undefined ? platform.host : isolateHost(options.keepAlive)
  const policy = createPolicy(options, host)
  checkValues(ownRules, options)
  const { clock, schedule = platform.schedule, algorithm = ownRules.algorithm.defaultValue, audience = null } = options
  const { crypto = platform.crypto, application = ownRules.application.defaultValue } = options
  const entropy = options.entropy ?? crypto.randomBytes
  const format = atJwt({
    issuer: httpPolicy.issuer, audience, application, algorithm, crypto, entropy, clockTolerance: CLOCK_TOLERANCE,
  })
  const engine = createEngine({
    store: options.store ?? platform.openDefaultStore(),
    clock: clock ?? platform.clock,
    followStoreTime: clock === undefined,
    crypto, entropy, schedule, host, policy,
    keyRequests: format.keyRequests,
    application: { name: application, audience },
    secrets: options.secret === undefined ? [] : [options.secret].flat(),
    events: options.events ?? {},
  })
  const codecs = createCodecs<Payload, Info>(policy, options)
  const core = createSessionCore(engine, format, codecs)
  const connected = options.imports?.connect({ ...engine, ...codecs, format }, { name: application, audience }) ?? null
  const imports = options.imports && connected ? { connected, flows: options.imports.http } : null
  if (isProduction && options.secret === undefined) report({ code: 'NO_SECRET' })
  // Next.js makes a copy for each of its bundles.
  const copies = registry.copies.size
  if (copies > 1 && platform.variable('NEXT_RUNTIME') === undefined) report({ code: 'SECOND_COPY', copies })
  const consoles: (() => void)[] = []
  let isClosed = false
  const stopReporting = reportToOpenTelemetry(engine, application)
  const release = countOpen(registry, httpPolicy.issuer, report)
  const { decodeHandleUnverified, ownerOfAccessToken } = format
  const retireUser = async (userId: string): Promise<void> => imports?.connected.retireUser(userId)
  return {
    http: createHttpSessions(
      { ...core, decodeHandleUnverified, ownerOfAccessToken }, httpPolicy, core.clock, openConsole, imports,
    ),
    getSessionByHandle: core.getSessionByHandle,
    getSessionInfo: core.getSessionInfo,
    updateSessionInfo: core.updateSessionInfo,
    updateJwtPayload: core.updateJwtPayload,
    updateJwtPayloadForUser: core.updateJwtPayloadForUser,
    revokeSession: core.revokeSession,
    revokeSessions: core.revokeSessions,
    async revokeAllSessionsForUser(userId, revokeOptions) {
      const revoked = await core.revokeAllSessionsForUser(userId, revokeOptions)
      // A tenant's not-before refuses what is not taken over yet; the systems before may have no tenants.
      if (revokeOptions?.tenantId === undefined) await retireUser(userId)
      return revoked
    },
    revokeEverySession: core.revokeEverySession,
    getAllSessionHandlesForUser: core.getAllSessionHandlesForUser,
    listSessions: core.listSessions,
    rotateKeys: core.rotateKeys,
    getJwks: core.getJwks,
    ready: core.ready,
    health: core.health,
    close() {
      release()
      stopReporting()
      isClosed = true
      for (const stop of consoles) stop()
      return core.close()
    },
  }

  async function openConsole(place: ConsolePlace): Promise<ConsoleHandler> {
    const createEmbeddedConsole = await platform.loadConsole()
    const { handler, close } = await createEmbeddedConsole({
      engine, place, schedule, options, httpPolicy, application, audience, retireUser,
      rules: createSessionsRules,
      core: createSessionCore(engine, format, createCodecs<JsonObject, JsonObject>(policy, options)),
    })
    if (isClosed) close()
    else consoles.push(close)
    return handler
  }
}

/** So many sessions of one issuer are open after a few hot reloads, and nowhere else. */
const MANY = 5

/** Counts the sessions that are open in this process. Returns the function that takes this one off again. */
function countOpen({ open }: ProcessRegistry, issuer: string, report: ReportMisconfiguration): () => void {
  const count = (open.get(issuer) ?? 0) + 1
  open.set(issuer, count)
  if (count >= MANY) report({ code: 'NOT_CLOSED', open: count, issuer })
  let isOpen = true
  return () => {
    if (isOpen) open.set(issuer, (open.get(issuer) ?? 1) - 1)
    isOpen = false
  }
}
