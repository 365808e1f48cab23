import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds, EpochSeconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { TokenClaims, TokenDraft, TokenStyle } from '../tokens/token-format.ts'
import type { IssuedAccessToken, IssuedSession } from './core.ts'
import type { CoreParts } from './engine.ts'
import { accessTokenExpiry, jitteredLifetime } from './policy.ts'
import type { SessionRecord } from './record.ts'

/** The claims of an access token of the session that is issued at `now`. Pure. */
function claimsOf(record: SessionRecord, exp: EpochSeconds, now: EpochMilliseconds): TokenClaims {
  return {
    sub: record.userId,
    sid: record.handle,
    tid: record.tenantId,
    iat: toEpochSeconds(now),
    exp,
    auth_time: toEpochSeconds(record.authenticatedAt),
    gen: record.generation,
    brn: record.branch,
    ri: record.reuseInterval,
    pv: record.payloadVersion,
    ...(record.persistent ? {} : { tmp: true }),
  }
}

/** Issues the tokens of a session: its current refresh token and an access token. */
export async function issue<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { policy, format, payloads }: CoreParts<Payload, Info, Style, Claims>,
  ring: KeyRing,
  record: SessionRecord,
  refresh: Pick<TokenDraft, 'refreshToken' | 'presented'>,
  style: Style,
  now: EpochMilliseconds,
): Promise<IssuedSession<Payload, Claims>> {
  const lifetime = style.lifetime === null
    ? jitteredLifetime(record, policy)
    : Math.min(style.lifetime, record.accessTokenLifetime)
  const claims = claimsOf(record, accessTokenExpiry(now, lifetime, record), now)
  const pair = await format.issue({ claims, payload: record.jwtPayload, ...refresh }, style, ring, now)
  return { ...pair, payload: payloads.accept(pair.payload), sessionExpiresAt: record.expiresAt }
}

/** Issues an access token with these claims and this payload (a JSON string). */
export async function reissueAccessToken<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { format, payloads, keys }: CoreParts<Payload, Info, Style, Claims>,
  claims: Claims,
  payload: string,
  now: EpochMilliseconds,
): Promise<IssuedAccessToken<Payload, Claims>> {
  const written = await format.reissue(claims, payload, await keys.current(), now)
  return { ...written, payload: payloads.accept(written.payload) }
}

/** Issues a new access token if the session's record has changed; null if the current token need not be replaced. */
export async function renewAccessToken<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  claims: Claims,
  record: SessionRecord,
  now: EpochMilliseconds,
): Promise<IssuedAccessToken<Payload, Claims> | null> {
  const current = claimsOf(record, accessTokenExpiry(now, record.accessTokenLifetime, record), now)
  const next = parts.format.successor(claims, current)
  return next === null ? null : reissueAccessToken(parts, next, record.jwtPayload, now)
}
