import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { RotationState } from './decide-refresh.ts'
import type { SessionRecord } from './record.ts'

/** What a re-authentication must do. */
export type ReauthenticationDecision =
  /** The access token is of a lineage that another re-authentication has just ended, whose answer may be under way. */
  | { readonly kind: 'busy'; readonly until: EpochMilliseconds }
  /** The session goes on with a new random secret and anchor, in this generation, with this `auth_time`. */
  | {
    readonly kind: 'reauthenticate'
    readonly generation: number
    readonly authenticatedAt: EpochMilliseconds
  }

/**
 * Judges a re-authentication that comes with an access token. Pure. The new generation is above that of the record and
 * of the access token, since the store may have forgotten rotations: no older refresh token is ever ahead of it.
 */
export function decideReauthentication(
  state: RotationState & Pick<SessionRecord, 'authenticatedAt'>,
  accessToken: Pick<AccessClaims, 'gen' | 'auth_time'>,
  now: EpochMilliseconds,
): ReauthenticationDecision {
  const { reuseInterval: R, rotatedAt, authenticatedAt } = state
  const isSuperseded = accessToken.auth_time < toEpochSeconds(authenticatedAt)
  if (R > 0 && isSuperseded && state.confirmed && now - rotatedAt <= R) return { kind: 'busy', until: rotatedAt + R }
  return {
    kind: 'reauthenticate',
    generation: Math.max(state.generation, accessToken.gen) + 1,
    authenticatedAt: Math.max(now, authenticatedAt + 1000),
  }
}
