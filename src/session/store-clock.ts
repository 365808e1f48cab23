import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import { longLivedHost, shareOn } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { decideOffset } from './decide-offset.ts'
import type { SessionStore } from './store.ts'

/**
 * The clock for all decisions about sessions: the store's clock, which all processes share. It is computed from this
 * machine's clock and an offset.
 */
export interface SessionTime {
  /** The time by the current offset. Use it after `now`, after reading the keys, or after starting the feed. */
  readonly clock: Clock
  /**
   * The time. The first call waits until the store's clock was read, or could not be read.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the store is away: a caller that went on would wait for it again.
   */
  now(): Awaitable<EpochMilliseconds>
  /** Reads the store's clock, unless that was done less than 5 seconds ago. Never rejects. */
  sync(): Promise<void>
  /**
   * What is added to this machine's clock. If it has changed, do not compare earlier points in time with later ones.
   */
  offset(): Milliseconds
}

interface StoreClockDependencies {
  readonly store: Pick<SessionStore, 'time'>
  /** Default: one where promises outlive requests. */
  readonly host?: Host
  /** This machine's clock. */
  readonly clock: Clock
  /** Called if the store's clock cannot be read, or differs too much. The offset stays. */
  readonly onError: (error: unknown) => void
}

/** How long the clock is not read again after a response, and not waited for after a failure. */
const PAUSE: Milliseconds = 5_000

/** Creates a clock that follows the store's. Reads nothing yet. */
export function createStoreClock(
  { store, host = longLivedHost, clock: machine, onError }: StoreClockDependencies,
): SessionTime {
  let offset: Milliseconds = 0
  /** Whether the store uses this machine's clock: then there is no offset. */
  let shared = false
  let answeredAt: EpochMilliseconds | null = null
  let failedAt: EpochMilliseconds | null = null

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

  /** Reads the store's clock. Resolves to the error if the store is away. */
  const { run: attempt } = shareOn(host, () => ask().then(() => null, (error: unknown) => {
    failedAt = machine()
    onError(error)
    return error instanceof GeneralError && error.reason === 'store-unreachable' ? error : null
  }))

  async function sync(): Promise<void> {
    if (!shared && !isRecent(answeredAt)) await attempt()
  }

  async function firstTime(): Promise<EpochMilliseconds> {
    const failure = await attempt()
    if (failure !== null) throw failure
    return clock()
  }

  function isRecent(instant: EpochMilliseconds | null): boolean {
    return instant !== null && Math.abs(machine() - instant) < PAUSE
  }

  const clock = (): EpochMilliseconds => machine() + offset
  return {
    clock,
    now: () => answeredAt !== null || isRecent(failedAt) ? clock() : firstTime(),
    sync,
    offset: () => offset,
  }
}

/** A clock that the application passed. It is not corrected, only rounded down: stores keep whole milliseconds. */
export function createGivenClock(given: Clock): SessionTime {
  const clock = (): EpochMilliseconds => Math.floor(given())
  return { clock, now: clock, sync: () => Promise.resolve(), offset: () => 0 }
}

function tooFarApart(offset: Milliseconds): GeneralError {
  const seconds = Math.round(Math.abs(offset) / 1000)
  const side = offset > 0 ? 'behind' : 'ahead of'
  const difference = `this machine's clock is ${seconds} s ${side} the store's`
  return new GeneralError('STORE_UNAVAILABLE', `${difference}, too much to be corrected: set the clock that is wrong`)
}
