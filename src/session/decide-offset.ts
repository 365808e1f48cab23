import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** What the store's clock said, and what this machine's said just before and just after. */
export interface TimeSample {
  readonly asked: EpochMilliseconds
  readonly told: EpochMilliseconds
  readonly answered: EpochMilliseconds
}

/** What a sample means for what is added to this machine's clock. */
export type OffsetDecision =
  /** Nothing is proved against the offset in use. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'adopt'; readonly offset: Milliseconds }
  /** The clocks are too far apart for one to be merely inexact. */
  | { readonly kind: 'refuse'; readonly offset: Milliseconds }

/** What the offset in use may be wrong by: machines that any time service keeps never see a correction. */
export const OFFSET_THRESHOLD: Milliseconds = 1000

/**
 * A clock that is so far off, a time zone or more, is broken rather than inexact. If it is the store's, to follow it
 * would end sessions before their time, for good.
 */
export const OFFSET_LIMIT: Milliseconds = 30 * 60_000

/**
 * Judges a sample against the offset in use. Pure.
 *
 * The store read its clock at some moment between question and answer, so the true offset is within half the round trip
 * of the middle. What the offset in use is wrong by *at least* has to be more than the threshold, and more than what
 * the new one can be wrong by at most: a slow answer counts only if it proves much, and no adoption makes things worse.
 */
export function decideOffset({ asked, told, answered }: TimeSample, current: Milliseconds): OffsetDecision {
  const uncertainty = (answered - asked) / 2
  // This machine's clock was set back in between: the sample says nothing.
  if (uncertainty < 0) return { kind: 'keep' }
  const offset = Math.round(told - asked - uncertainty)
  const proved = Math.abs(offset - current) - uncertainty
  if (proved <= Math.max(OFFSET_THRESHOLD, uncertainty)) return { kind: 'keep' }
  return { kind: Math.abs(offset) < OFFSET_LIMIT ? 'adopt' : 'refuse', offset }
}
