import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** One reading of the store's clock, and of this machine's clock before the request and after the response. */
export interface TimeSample {
  readonly asked: EpochMilliseconds
  readonly told: EpochMilliseconds
  readonly answered: EpochMilliseconds
}

/** What a sample means for the offset, which is added to this machine's clock. */
export type OffsetDecision =
  /** The sample does not prove that the current offset is wrong. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'adopt'; readonly offset: Milliseconds }
  /** The clocks are so far apart that one of them must be wrong. */
  | { readonly kind: 'refuse'; readonly offset: Milliseconds }

/** The error below which the offset is not corrected. Machines that use NTP never need a correction. */
export const OFFSET_THRESHOLD: Milliseconds = 1000

/**
 * The largest offset that is adopted. A clock that is further off is wrong, not inexact: it may have the wrong time
 * zone. If it were the store's, adopting it would end sessions too early, and that cannot be undone.
 */
export const OFFSET_LIMIT: Milliseconds = 30 * 60_000

/**
 * Decides whether a sample changes the offset. Pure.
 *
 * The store read its clock at some moment between request and response. So the true offset is the middle, plus or minus
 * half the round trip. The minimum error of the current offset must exceed the threshold and the maximum error of the
 * new one. So a slow response counts only if the difference is large, and an adopted offset is never worse than the
 * current.
 */
export function decideOffset({ asked, told, answered }: TimeSample, current: Milliseconds): OffsetDecision {
  const uncertainty = (answered - asked) / 2
  // This machine's clock was set back between request and response: the sample is useless.
  if (uncertainty < 0) return { kind: 'keep' }
  const offset = Math.round(told - asked - uncertainty)
  const proved = Math.abs(offset - current) - uncertainty
  if (proved <= Math.max(OFFSET_THRESHOLD, uncertainty)) return { kind: 'keep' }
  return { kind: Math.abs(offset) < OFFSET_LIMIT ? 'adopt' : 'refuse', offset }
}
