import { atMost } from '../base/at-most.ts'
import { closeOnce } from '../base/close-once.ts'
import type { JsonObject } from '../base/json.ts'
import { checkSize, createCodecs, createDataCodec } from '../session/application-data.ts'
import type { Codecs } from '../session/application-data.ts'
import type { SessionCore } from '../session/core.ts'
import { createSessionCore } from '../session/create-core.ts'
import { CLOSE_LIMIT, createEngine } from '../session/engine.ts'
import type { Engine, EngineDependencies } from '../session/engine.ts'
import { requireCdiUserId } from '../session/identifiers.ts'
import type { ConnectedImports, ImportConnector } from '../session/importer.ts'
import { CLOCK_TOLERANCE } from '../session/policy.ts'
import { atJwt } from '../tokens/at-jwt.ts'
import { cdiTokens } from './cdi/token-format.ts'
import type { CdiClaims, CdiTokenStyle } from './cdi/token-format.ts'
import { readMarks } from './cdi/refresh-token-marks.ts'
import { createBroadcast } from './native/stream/broadcast.ts'
import type { Broadcast } from './native/stream/broadcast.ts'

/** The sessions of one application: its store, its keys, its rules. Two applications share nothing. */
export interface Application extends Engine {
  /** The `iss` claim of its access tokens in the library's format. */
  readonly issuer: string
  /** Its sessions with the library's token format, for the native API. */
  readonly native: SessionCore<JsonObject, JsonObject>
  /** The same sessions with the token format of CDI. */
  readonly core: SessionCore<JsonObject, JsonObject, CdiTokenStyle, CdiClaims>
  /** The sessions of a SuperTokens core that can be taken over; null: none. */
  readonly imports: ConnectedImports<JsonObject, CdiClaims, CdiTokenStyle> | null
  /** Validate and serialize the JWT payload and session data of the native API. */
  readonly codecs: Codecs<JsonObject, JsonObject>
  /** Passes its changes to the streams of the native API. */
  readonly broadcast: Broadcast
}

/** The dependencies of an {@link Application}. */
export interface ApplicationDependencies extends Omit<EngineDependencies, 'keyRequests'> {
  /** The `iss` claim of its access tokens in the library's format. */
  readonly issuer: string
  /**
   * The longest JWT payload of a CDI access token, in bytes of its JSON. The token is about 1.5 times as long: whether
   * it fits in a header or a cookie depends on the SDK's configuration.
   */
  readonly maxPayloadBytes: number
  /** Takes over the sessions of a SuperTokens core. Default: null, nothing. */
  readonly imports?: ImportConnector | null
}

/** Creates an application: the library's engine with two token formats. It does not open or read the store yet. */
export function createApplication(
  { issuer, maxPayloadBytes, imports = null, ...dependencies }: ApplicationDependencies,
): Application {
  const { crypto, entropy, policy, application } = dependencies
  const native = atJwt({
    issuer, audience: application.audience, application: application.name,
    algorithm: 'ES256', clockTolerance: CLOCK_TOLERANCE, crypto, entropy,
  })
  const core = cdiTokens(crypto, maxPayloadBytes)
  // An embedded application with the same store may use another algorithm: its keys are used then.
  const keyRequests = [...native.keyRequests.map(each => ({ ...each, keepsAlgorithm: true })), ...core.keyRequests]
  const engine = createEngine({ ...dependencies, keyRequests })
  const codecs = createCodecs<JsonObject, JsonObject>(policy, {})
  const cdiCodecs: Codecs<JsonObject, JsonObject> = {
    payloads: createDataCodec<JsonObject>({
      name: 'payload', schema: undefined, check: (_, json) => checkSize('payload', json, maxPayloadBytes),
    }),
    infos: createDataCodec<JsonObject>({
      name: 'session data', schema: undefined,
      check: (_, json) => checkSize('session data', json, policy.maxSessionInfoBytes),
    }),
    requireUserId: requireCdiUserId,
  }
  const broadcast = createBroadcast({
    store: engine.store,
    schedule: dependencies.schedule,
    pollInterval: policy.pollInterval,
    onError: error => engine.emit('onBackgroundError', { during: 'revocation streams', error }),
  })
  return {
    ...engine,
    issuer,
    codecs,
    broadcast,
    // The native API continues sessions of CDI: it ignores the marks that CDI adds to a refresh token.
    native: createSessionCore(engine, { ...native, refreshTokenIn: text => readMarks(text).token }, codecs),
    core: createSessionCore(engine, core, cdiCodecs),
    imports: imports?.connect({ ...engine, ...cdiCodecs, format: core }, application) ?? null,
    close: closeOnce(async () => {
      await atMost(CLOSE_LIMIT, broadcast.close())
      await engine.close()
    }),
  }
}
