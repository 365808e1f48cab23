import type { JsonObject } from '../base/json.ts'
import { checkSize, createCodecs, createDataCodec } from '../session/application-data.ts'
import type { Codecs } from '../session/application-data.ts'
import type { SessionCore } from '../session/core.ts'
import { createSessionCore } from '../session/create-core.ts'
import { createEngine } from '../session/engine.ts'
import type { Engine, EngineDependencies } from '../session/engine.ts'
import { requireCdiUserId } from '../session/identifiers.ts'
import { CLOCK_TOLERANCE } from '../session/policy.ts'
import { atJwt } from '../tokens/at-jwt.ts'
import { cdiTokens } from './cdi/token-format.ts'
import type { CdiClaims, CdiTokenStyle } from './cdi/token-format.ts'
import { readMarks } from './cdi/refresh-token-marks.ts'

/** The sessions of one application: its store, its keys, its rules. Nothing is shared between two of them. */
export interface Application extends Engine {
  /** Its sessions with tokens of the library's format: the native API. */
  readonly native: SessionCore<JsonObject, JsonObject>
  /** The same sessions with tokens of the core protocol. */
  readonly core: SessionCore<JsonObject, JsonObject, CdiTokenStyle, CdiClaims>
  /** How data enters the native API. */
  readonly codecs: Codecs<JsonObject, JsonObject>
}

/** What an {@link Application} is made of. */
export interface ApplicationDependencies extends Omit<EngineDependencies, 'demands'> {
  /** What its access tokens of the library's format name as their issuer. */
  readonly issuer: string
}

/**
 * The longest payload of an access token of the core protocol, in bytes of its JSON. The token itself, half as long
 * again, still fits a request header; whether it fits a cookie, the SDK's configuration decides.
 */
const MAX_PAYLOAD_BYTES = 5000

/** Puts the sessions of one application together: the library, with a second format. Opens and reads nothing yet. */
export function createApplication({ issuer, ...dependencies }: ApplicationDependencies): Application {
  const { crypto, entropy, policy, application } = dependencies
  const native = atJwt({
    issuer, audience: application.audience, application: application.name,
    algorithm: 'ES256', clockTolerance: CLOCK_TOLERANCE, crypto, entropy,
  })
  const core = cdiTokens(crypto)
  // An embedded application on the same store may have chosen another algorithm.
  const demands = [...native.demands.map(demand => ({ ...demand, yields: true })), ...core.demands]
  const engine = createEngine({ ...dependencies, demands })
  const codecs = createCodecs<JsonObject, JsonObject>(policy, {})
  return {
    ...engine,
    codecs,
    // A session of the core protocol goes on natively: what its format adds to a refresh token is left out.
    native: createSessionCore(engine, { ...native, refreshTokenIn: text => readMarks(text).token }, codecs),
    core: createSessionCore(engine, core, {
      payloads: createDataCodec<JsonObject>({
        name: 'payload', schema: undefined, check: (_, json) => checkSize('payload', json, MAX_PAYLOAD_BYTES),
      }),
      infos: createDataCodec<JsonObject>({
        name: 'session data', schema: undefined,
        check: (_, json) => checkSize('session data', json, policy.maxSessionInfoBytes),
      }),
      requireUserId: requireCdiUserId,
    }),
  }
}
