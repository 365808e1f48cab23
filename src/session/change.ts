import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** A change that all verifying processes must learn of. */
export type Change =
  | { readonly kind: 'revoked'; readonly handles: readonly SessionHandle[]; readonly until: EpochMilliseconds }
  | {
    readonly kind: 'payload'
    readonly handle: SessionHandle
    readonly version: number
    readonly until: EpochMilliseconds
  }
  | { readonly kind: 'keys'; readonly until: EpochMilliseconds }

/** A page of the change log. */
export interface ChangePage {
  readonly changes: readonly Change[]
  /** The cursor for the next call. Opaque; null as long as the log has never had an entry. */
  readonly cursor: string | null
  /** Whether the log contains more changes. */
  readonly more: boolean
}
