import type { Milliseconds } from '../base/time.ts'
import type { TokenClaims } from '../tokens/token-format.ts'
import type { Tally } from './tally.ts'
import type { Verification } from './verify.ts'

/** Somebody who wants to know how long verifications take. */
export interface VerificationWatch {
  /**
   * Whether the next verification that needs no store is one to time: reading the clock takes longer than a cached one.
   */
  isDue(): boolean
  /** Adds the time that has passed since `performance.now()` returned `start`. */
  since(start: Milliseconds): void
}

/** The same verification, which is timed while `tally.verifications` is set. */
export function timeVerification<Payload extends object, Claims extends TokenClaims>(
  { verify, verifyNow }: Verification<Payload, Claims>,
  tally: Tally,
): Verification<Payload, Claims> {
  return {
    verifyNow(accessToken, options, macs) {
      const times = tally.verifications
      if (times === null || !times.isDue()) return verifyNow(accessToken, options, macs)
      const start = performance.now()
      const outcome = verifyNow(accessToken, options, macs)
      if (outcome !== undefined) times.since(start)
      return outcome
    },
    verify(accessToken, options, macs) {
      const times = tally.verifications
      if (times === null) return verify(accessToken, options, macs)
      const start = performance.now()
      return verify(accessToken, options, macs).finally(() => times.since(start))
    },
  }
}
