import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { RefreshCase, RefreshOutcome, TheftOutcome } from './core.ts'
import type { SessionRecord } from './record.ts'

/** How a refresh token was judged, and the one to answer with. */
export type RotationOutcome =
  | RotatedOutcome
  | Extract<RefreshOutcome<object>, { readonly kind: 'unauthorized' }>
  | TheftOutcome

/** The refresh token to answer with is the session's current one: the presented one, or a child of it. */
export interface RotatedOutcome {
  readonly kind: 'rotated'
  readonly how: RefreshCase
  readonly record: SessionRecord
  readonly refreshToken: string
  /** The keys at the moment of the rotation, and that moment. */
  readonly ring: KeyRing
  readonly now: EpochMilliseconds
}
