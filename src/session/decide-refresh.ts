import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionRecord } from './record.ts'

/** A refresh token's place in the lineage of its session. */
export type LineagePlace = Pick<SessionRecord, 'generation' | 'branch'>

/** The part of a session's record that rotation depends on. */
export type RotationState = LineagePlace
  & Pick<SessionRecord, 'confirmed' | 'rotatedAt' | 'servedAt' | 'reuseInterval'>

/** How a refresh token with a valid tag relates to a session's record. */
export interface PresentedToken extends LineagePlace {
  /** Whether it has the session's anchor: whether it is of the lineage that the last authentication started. */
  readonly isAnchored: boolean
  /** Whether it is the current refresh token. */
  readonly isCurrent: boolean
  /** Whether the current refresh token is its child. */
  readonly isParent: boolean
}

/** What a refresh must do: the rows of the rotation table (docs/decisions/0003-rotation.md). */
export type RefreshDecision =
  /** Row 1a: the user has authenticated again since the token was issued; nothing is revoked. */
  | { readonly kind: 'superseded' }
  /** Rows 1a and 4b: nothing is written or cleared; the client can send the same token again after `until`. */
  | { readonly kind: 'busy'; readonly until: EpochMilliseconds }
  /** Row 2 without the anchor: an attacker has a refresh key, but no refresh token of the session. */
  | { readonly kind: 'forged' }
  /** Row 2: the store has lost its newest writes. The presented token becomes current and is returned. */
  | { readonly kind: 'adopt' }
  /** Row 3a: the current token is returned again. `isServed`: whether `servedAt` is set to now. */
  | { readonly kind: 'early'; readonly isServed: boolean }
  /** Row 3b: the token's first child becomes current. */
  | { readonly kind: 'rotate' }
  /** Row 4: the same child is returned again. `isServed` as above. */
  | { readonly kind: 'retry'; readonly isServed: boolean }
  /** Row 5: the response was lost; the token gets another child. */
  | { readonly kind: 'branch'; readonly branch: number }
  /** Row 6: two parties have tokens of this session. */
  | { readonly kind: 'theft' }

/** After this many branches of one generation, every further use of the parent creates a new branch. */
const BRANCH_LIMIT = 6

/** Decides what a refresh token with a valid tag does to the record of an active session. Pure. */
export function decideRefresh(
  state: RotationState,
  token: PresentedToken,
  now: EpochMilliseconds,
): RefreshDecision {
  const { reuseInterval: R, rotatedAt, servedAt } = state
  const isAheadOfRecord = isAhead(token, state)
  if (!token.isAnchored) {
    if (isAheadOfRecord) return { kind: 'forged' }
    // A rotation is rarely confirmed so early. The record is that of a re-authentication, whose response may still be
    // on the way.
    const isRecent = R > 0 && state.confirmed && now - rotatedAt <= R
    return isRecent ? { kind: 'busy', until: rotatedAt + R } : { kind: 'superseded' }
  }
  if (isAheadOfRecord) return { kind: 'adopt' }
  const isServed = now - servedAt > R / 4
  if (token.isCurrent) return mayRotate(state, now) ? { kind: 'rotate' } : { kind: 'early', isServed }
  if (!token.isParent || state.confirmed) return { kind: 'theft' }
  if (R > 0 && state.branch < BRANCH_LIMIT && now - servedAt <= 2 * R) {
    if (now - rotatedAt <= 4 * R) return { kind: 'retry', isServed }
    // A pause before the next branch, so that no response with the old child is still on the way.
    if (now - rotatedAt <= 6 * R) return { kind: 'busy', until: Math.min(servedAt + 2 * R, rotatedAt + 6 * R) }
  }
  return { kind: 'branch', branch: state.branch + 1 }
}

/**
 * Whether a child replaces the current token: more than 2R after the current token was last delivered, or more than 6R
 * after it became current. Pure; stores apply the same condition (`Rotation.expected`).
 */
export function mayRotate(
  { generation, reuseInterval: R, rotatedAt, servedAt }: Omit<RotationState, 'branch' | 'confirmed'>,
  now: EpochMilliseconds,
): boolean {
  return generation === 0 || R === 0 || now - servedAt > 2 * R || now - rotatedAt > 6 * R
}

/** Whether one place in a lineage is newer than another. Pure. */
export function isAhead(one: LineagePlace, other: LineagePlace): boolean {
  return one.generation > other.generation || (one.generation === other.generation && one.branch > other.branch)
}
