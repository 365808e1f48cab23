import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { RotationState } from './decide-refresh.ts'
import type { SessionRecord } from './record.ts'

/** What a re-authentication must do. */
export type ReauthenticationDecision =
  /**
   * The access token is of a lineage that another re-authentication has just ended; its response may still be on the
   * way to the client.
   */
  | { readonly kind: 'busy'; readonly until: EpochMilliseconds }
  /** The session continues with a new random secret and anchor, with this generation and `auth_time`. */
  | {
    readonly kind: 'reauthenticate'
    readonly generation: number
    readonly authenticatedAt: EpochMilliseconds
  }

/**
 * Decides what a re-authentication with this access token does. Pure. The new generation is greater than those of the
 * record and of the access token, because the store may have lost rotations: no older refresh token is ever ahead of
 * it.
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
