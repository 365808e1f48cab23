import type { EpochMilliseconds } from '../base/time.ts'
import { isAlive, livenessAt } from './policy.ts'
import type { SessionPolicy } from './policy.ts'
import type { SessionRecord } from './record.ts'

/** What a genuine refresh token tells of itself. */
export interface PresentedToken {
  readonly generation: number
  readonly branch: number
  /** SHA-256 of its secret. */
  readonly hash: string
}

/** What a refresh must do. The cases of the rotation table, in its order. */
export type RefreshDecision =
  /** The session is over. */
  | { readonly kind: 'expired' }
  /** The token is current, or ahead of a store that has lost its newest writes: its child becomes current. */
  | { readonly kind: 'rotate'; readonly adopted: boolean }
  /** The answer to an earlier refresh is given again. `extend`: remember that it was. */
  | { readonly kind: 'retry'; readonly extend: boolean }
  /** The earlier answer was lost for good: the parent gets another child. */
  | { readonly kind: 'branch'; readonly branch: number }
  /** Two parties hold tokens of this session. */
  | { readonly kind: 'theft' }

/**
 * Judges a genuine refresh token against the session's record. Pure; every rule of rotation is here.
 *
 * `childHash` is the hash of the child that the token would have had as `(record.generation, record.branch)`:
 * it equals `record.refreshHash` exactly if the token is the direct parent of the current one.
 */
export function decideRefresh(
  record: SessionRecord,
  token: PresentedToken,
  childHash: string,
  now: EpochMilliseconds,
  policy: SessionPolicy,
): RefreshDecision {
  if (!isAlive(record, livenessAt(now, policy))) return { kind: 'expired' }
  if (isAhead(token, record)) return { kind: 'rotate', adopted: true }
  if (token.generation === record.generation && token.hash === record.refreshHash) {
    return { kind: 'rotate', adopted: false }
  }
  if (token.generation !== record.generation - 1 || childHash !== record.refreshHash) return { kind: 'theft' }

  const withinInterval = now - record.rotatedAt <= policy.reuseInterval
    || (!record.confirmed && now - record.servedAt <= policy.reuseInterval)
  // An answer in the second half of the interval may arrive when it is over: it opens a new one.
  if (withinInterval) return { kind: 'retry', extend: now - record.servedAt > policy.reuseInterval / 2 }
  return record.confirmed ? { kind: 'theft' } : { kind: 'branch', branch: record.branch + 1 }
}

/**
 * Whether one place in a lineage is newer than another. A genuine token ahead of its record: the store has lost its
 * newest writes. Pure.
 */
export function isAhead(
  one: Pick<SessionRecord, 'generation' | 'branch'>,
  other: Pick<SessionRecord, 'generation' | 'branch'>,
): boolean {
  return one.generation > other.generation || (one.generation === other.generation && one.branch > other.branch)
}
