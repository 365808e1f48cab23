import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** How long a failed attempt counts. */
const WINDOW: Milliseconds = 60_000
/** The most failed attempts in that time: from one address, and from all. */
const MOST_OF_ONE = 5
const MOST_OF_ALL = 60
/** So many failed attempts a minute are noted in the audit log. */
const MOST_NOTED = 10
/** The most addresses that are kept. */
const MOST_ADDRESSES = 1000

/** Failed attempts to log in. */
export interface Attempts {
  /** The times of the last ones, the oldest first. */
  readonly ofOne: readonly EpochMilliseconds[]
  readonly ofAll: readonly EpochMilliseconds[]
}

/** How long a client must wait before its next attempt; 0: it need not. Pure. */
export function waitOf({ ofOne, ofAll }: Attempts, now: EpochMilliseconds): Milliseconds {
  const waits = ([[ofOne, MOST_OF_ONE], [ofAll, MOST_OF_ALL]] as const).map(([times, most]) => {
    const oldest = times.at(-most)
    return oldest === undefined ? 0 : oldest + WINDOW - now
  })
  return Math.max(0, ...waits)
}

/** Limits how often a client may try API keys. In memory: each process counts for itself. */
export class LoginLimit {
  readonly #byAddress = new Map<string, EpochMilliseconds[]>()
  readonly #all: EpochMilliseconds[] = []

  /** How long the client must wait; 0: it may try now. */
  wait(address: string, now: EpochMilliseconds): Milliseconds {
    return waitOf({ ofOne: this.#byAddress.get(address) ?? [], ofAll: this.#all }, now)
  }

  /**
   * Counts an attempt that begins. It is counted before it is judged, so that attempts at once do not pass together.
   * Returns whether it is to be noted if it fails.
   */
  begin(address: string, now: EpochMilliseconds): boolean {
    const times = this.#byAddress.get(address) ?? []
    this.#byAddress.delete(address)
    this.#byAddress.set(address, [...times, now].slice(-MOST_OF_ONE))
    this.#all.push(now)
    if (this.#all.length > MOST_OF_ALL) this.#all.shift()
    const [longest] = this.#byAddress.keys()
    if (this.#byAddress.size > MOST_ADDRESSES && longest !== undefined) this.#byAddress.delete(longest)
    return this.#all.filter(time => time > now - WINDOW).length <= MOST_NOTED
  }

  /** The attempts of this address were right in the end. */
  forget(address: string): void {
    this.#byAddress.delete(address)
  }
}

/** The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address. Pure. */
export function networkOf(ip: string | null): string {
  if (ip === null) return 'unknown'
  const mapped = /^::ffff:([\d.]+)$/i.exec(ip)?.[1]
  if (mapped !== undefined || !ip.includes(':')) return mapped ?? ip
  const [head = '', tail] = ip.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return [...first, ...zeros, ...last].slice(0, 4).map(part => part.replace(/^0+(?=.)/, '')).join(':')
}
