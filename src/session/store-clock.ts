import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { decideOffset } from './decide-offset.ts'
import type { SessionStore } from './store.ts'

/**
 * The time by which sessions are judged: the store's, which all processes share, told by this machine's clock and what
 * is known of the difference.
 */
export interface SessionTime {
  /** The time by what is known so far: for whoever comes after `now`, the keys, or the start of the feed. */
  readonly clock: Clock
  /** The time; the first call waits until the store has told its own, or has failed to. */
  now(): Awaitable<EpochMilliseconds>
  /** Asks the store what time it is, unless it has just told. Never rejects. */
  sync(): Promise<void>
  /** What is added to this machine's clock. Another value: points in time from before are not to be trusted. */
  offset(): Milliseconds
}

interface StoreClockDependencies {
  readonly store: Pick<SessionStore, 'time'>
  /** This machine's clock. */
  readonly clock: Clock
  /** Called when the store could not be asked, or tells a time that nobody can follow. The offset stays. */
  readonly onError: (error: unknown) => void
}

/** How long the store is not asked again after an answer, and not waited for after a failure. */
const PAUSE: Milliseconds = 5_000

/** Follows the store's clock. Asks nothing yet. */
export function createStoreClock({ store, clock: machine, onError }: StoreClockDependencies): SessionTime {
  let offset: Milliseconds = 0
  /** Whether the store runs by this machine's clock: then there is nothing to sync. */
  let shared = false
  let answeredAt: EpochMilliseconds | null = null
  let failedAt: EpochMilliseconds | null = null
  let asking: Promise<void> | null = null

  async function ask(): Promise<void> {
    const asked = machine()
    const told = await store.time()
    const answered = machine()
    answeredAt = answered
    if (told === null) {
      shared = true
      return
    }
    const decision = decideOffset({ asked, told, answered }, offset)
    if (decision.kind === 'adopt') offset = decision.offset
    if (decision.kind === 'refuse') throw tooFarApart(decision.offset)
  }

  function sync(): Promise<void> {
    if (shared || isRecent(answeredAt)) return Promise.resolve()
    asking ??= ask().catch((error: unknown) => {
      failedAt = machine()
      onError(error)
    }).finally(() => {
      asking = null
    })
    return asking
  }

  function isRecent(instant: EpochMilliseconds | null): boolean {
    return instant !== null && Math.abs(machine() - instant) < PAUSE
  }

  const clock = (): EpochMilliseconds => machine() + offset
  return {
    clock,
    now: () => answeredAt !== null || isRecent(failedAt) ? clock() : sync().then(clock),
    sync,
    offset: () => offset,
  }
}

/** A clock that an application has chosen: it is taken at its word, but for fractions, which stores do not keep. */
export function createGivenClock(given: Clock): SessionTime {
  const clock = (): EpochMilliseconds => Math.floor(given())
  return { clock, now: clock, sync: () => Promise.resolve(), offset: () => 0 }
}

function tooFarApart(offset: Milliseconds): GeneralError {
  const seconds = Math.round(Math.abs(offset) / 1000)
  const side = offset > 0 ? 'behind' : 'ahead of'
  const difference = `this machine's clock is ${seconds} s ${side} the store's`
  return new GeneralError('STORE_UNAVAILABLE', `${difference}: one of them is wrong, and neither is corrected`)
}
