import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { RefreshCase, RefreshOutcome } from './core.ts'
import type { LineagePlace } from './decide-refresh.ts'
import type { SessionRecord } from './record.ts'

/** How a refresh token was judged, and the one to answer with. */
export type RotationOutcome =
  | RotatedOutcome
  | Extract<RefreshOutcome<object>, { readonly kind: 'unauthorized' }>
  | TheftOutcome

/** Two parties hold tokens of the session, and the session has been removed. */
export interface TheftOutcome {
  readonly kind: 'theft'
  readonly userId: string
  readonly handle: SessionHandle
  /** Where the presented token and the current one stand in the lineage. */
  readonly presented: LineagePlace
  readonly current: LineagePlace
}

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
