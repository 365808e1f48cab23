import { encodeBase64url } from '../base/base64url.ts'
import type { Entropy } from '../base/entropy.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { writeAccessToken } from '../tokens/access-token.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { DataCodec } from './application-data.ts'
import type { IssuedAccessToken } from './core.ts'
import { accessTokenExpiry, jitteredLifetime } from './policy.ts'
import type { SessionPolicy } from './policy.ts'
import type { SessionRecord } from './record.ts'

/** What is constant in the access tokens of one application. */
export interface TokenIdentity {
  readonly issuer: string
  readonly audience: string | null
}

interface Issuing<Payload extends object> {
  readonly identity: TokenIdentity
  readonly entropy: Entropy
  readonly policy: SessionPolicy
  readonly payloads: DataCodec<Payload>
}

/** Issues the access token of a session's current refresh token. */
export async function issueAccessToken<Payload extends object>(
  issuing: Issuing<Payload>,
  ring: KeyRing,
  record: SessionRecord,
  now: EpochMilliseconds,
): Promise<IssuedAccessToken<Payload>> {
  const { identity, entropy, policy, payloads } = issuing
  const lifetime = jitteredLifetime(record.accessTokenLifetime, policy, entropy)
  const claims: AccessClaims = {
    iss: identity.issuer,
    ...(identity.audience === null ? {} : { aud: identity.audience }),
    sub: record.userId,
    sid: record.handle,
    tid: record.tenantId,
    iat: toEpochSeconds(now),
    exp: accessTokenExpiry(now, lifetime, record),
    auth_time: toEpochSeconds(record.authenticatedAt),
    jti: encodeBase64url(entropy(12)),
    gen: record.generation,
    brn: record.branch,
    ri: record.reuseInterval,
    pv: record.payloadVersion,
    ...(record.persistent ? {} : { tmp: true }),
  }
  const accessToken = await writeAccessToken(ring.signingKeyAt('access', now), claims, record.jwtPayload)
  return { accessToken, claims, payload: payloads.read(record.jwtPayload) }
}

/** Issues an access token that differs from `claims` in its payload alone: same generation, same expiry. */
export async function reissueAccessToken<Payload extends object>(
  issuing: Issuing<Payload>,
  ring: KeyRing,
  previous: AccessClaims,
  payload: { readonly json: string; readonly version: number },
  now: EpochMilliseconds,
): Promise<IssuedAccessToken<Payload>> {
  const claims: AccessClaims = {
    ...previous,
    iat: toEpochSeconds(now),
    jti: encodeBase64url(issuing.entropy(12)),
    pv: payload.version,
  }
  const accessToken = await writeAccessToken(ring.signingKeyAt('access', now), claims, payload.json)
  return { accessToken, claims, payload: issuing.payloads.read(payload.json) }
}
