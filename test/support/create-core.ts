import type { StandardSchema } from '../../src/base/standard-schema.ts'
import { createCodecs } from '../../src/session/application-data.ts'
import { createSessionCore } from '../../src/session/create-core.ts'
import type { InputOf, OutputOf } from '../../src/session/data-types.ts'
import { createEngine } from '../../src/session/engine.ts'
import type { EngineDependencies } from '../../src/session/engine.ts'
import { CLOCK_TOLERANCE } from '../../src/session/policy.ts'
import { atJwt } from '../../src/tokens/at-jwt.ts'
import type { SignatureAlgorithm } from '../../src/tokens/crypto.ts'
import type { HttpCore } from '../../src/transport/http-context.ts'

/** The dependencies of a core of the library, in one object. */
export interface CoreDependencies<Payload extends object, Info extends object>
  extends Omit<EngineDependencies, 'keyRequests' | 'application'> {
  readonly issuer: string
  readonly application: string
  readonly audience: string | null
  readonly algorithm: SignatureAlgorithm
  readonly payloadSchema: StandardSchema<InputOf<Payload>, OutputOf<Payload>> | undefined
  readonly infoSchema: StandardSchema<InputOf<Info>, OutputOf<Info>> | undefined
}

/** A core as `createSessions` assembles it. */
export function createCore<Payload extends object, Info extends object>(
  { issuer, application, audience, algorithm, payloadSchema, infoSchema, ...rest }: CoreDependencies<Payload, Info>,
): HttpCore<Payload, Info> {
  const { crypto, entropy, policy } = rest
  const format = atJwt({ issuer, application, audience, algorithm, crypto, entropy, clockTolerance: CLOCK_TOLERANCE })
  const engine = createEngine({
    ...rest, keyRequests: format.keyRequests, application: { name: application, audience },
  })
  const core = createSessionCore(engine, format, createCodecs<Payload, Info>(policy, {
    ...payloadSchema === undefined ? {} : { payload: payloadSchema },
    ...infoSchema === undefined ? {} : { info: infoSchema },
  }))
  const { decodeHandleUnverified, ownerOfAccessToken } = format
  return { ...core, decodeHandleUnverified, ownerOfAccessToken }
}
