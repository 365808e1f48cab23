import type { EpochMilliseconds } from '../base/time.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/**
 * Whether an access token has been out so long that its refresh token is safe on the client's disk: twice the
 * reuse interval, for answers arrive within one and a browser that crashes forgets the cookies of the last. Pure.
 */
export function confirms(
  claims: Pick<AccessClaims, 'gen' | 'iat' | 'ri'>,
  now: EpochMilliseconds,
): boolean {
  // `iat` was rounded down to a second: count from the end of it.
  return claims.gen > 0 && now - (claims.iat + 1) * 1000 >= 2 * claims.ri
}
