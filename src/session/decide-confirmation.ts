import type { EpochMilliseconds } from '../base/time.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/**
 * Whether an access token is old enough to prove that the client has stored its refresh token for good: twice the reuse
 * interval. A response arrives within one, and a browser that crashes loses the cookies of at most another. Pure.
 */
export function confirms(
  claims: Pick<AccessClaims, 'gen' | 'iat' | 'ri'>,
  now: EpochMilliseconds,
): boolean {
  // `iat` is rounded down to a second: count from the end of that second.
  return claims.gen > 0 && now - (claims.iat + 1) * 1000 >= 2 * claims.ri
}
