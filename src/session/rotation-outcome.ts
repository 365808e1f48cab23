import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { RefreshCase, RefreshOutcome, TheftOutcome } from './core.ts'
import type { SessionRecord } from './record.ts'

/** The result of a rotation. */
export type RotationOutcome =
  | RotatedOutcome
  | Extract<RefreshOutcome<object>, { readonly kind: 'unauthorized' }>
  | TheftOutcome

/** The refresh token to return is the session's current one: the presented one, or a child of it. */
export interface RotatedOutcome {
  readonly kind: 'rotated'
  readonly how: RefreshCase
  readonly record: SessionRecord
  readonly refreshToken: string
  /** The key ring at the time of the rotation, and that time. */
  readonly ring: KeyRing
  readonly now: EpochMilliseconds
}
