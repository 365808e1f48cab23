import { transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** The number of parts, a power of two. Growing and pruning work on one part at a time, so that each call is short. */
const PARTS = 128
const SMALLEST = 16
/** The first word of a free slot. A handle never has it, because its smallest character, `-`, is 45. */
const FREE = 0
/** The numbers in a slot besides the first word: two more words of the handle, a value and the second of its expiry. */
const REST = 4
const VALUE = 2
const END = 3

/**
 * A hash table of numbers by session handle, each with an expiry. An entry takes 25 to 55 bytes. With a million revoked
 * sessions, a `Map` would take twice as much memory, and a look-up would wait half a microsecond for it. The table
 * keeps 90 of the 128 random bits of a handle: with 100 million sessions and a million entries, the probability that
 * two are confused is 1 in 10^13.
 */
export class HandleTable {
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => new Part())
  #swept = 0
  #size = 0

  /** The number of this handle; null if there is none. */
  get(handle: SessionHandle): number | null {
    if (this.#size === 0) return null
    const first = wordOf(handle, FIRST)
    return this.#partOf(first).get(first, handle)
  }

  /**
   * Sets the number of this handle, an integer of up to 32 bits. An earlier expiry than the existing one is ignored.
   */
  set(handle: SessionHandle, value: number, until: EpochMilliseconds): void {
    const first = wordOf(handle, FIRST)
    const part = this.#partOf(first)
    const before = part.size
    part.set(first, handle, value, toEpochSeconds(until) + 1)
    this.#size += part.size - before
  }

  /** Removes expired entries from one part. Each part is visited once per as many calls as there are parts. */
  prune(now: EpochMilliseconds): void {
    const part = this.#parts[this.#swept]
    this.#swept = (this.#swept + 1) % PARTS
    if (part === undefined || part.size === 0) return
    const before = part.size
    part.prune(toEpochSeconds(now))
    this.#size += part.size - before
  }

  get size(): number {
    return this.#size
  }

  #partOf(word: number): Part {
    return this.#parts[spread(word) & (PARTS - 1)] ?? this.#parts[0] ?? new Part()
  }
}

/**
 * A hash table with open addressing and linear probing, at most three quarters full. The first words are in a separate
 * array, which stays in the CPU cache: most look-ups read nothing else.
 */
class Part {
  size = 0
  #firsts = new Uint32Array(0)
  #rests = new Uint32Array(0)
  #mask = -1

  get(first: number, handle: SessionHandle): number | null {
    const found = this.#find(first, handle)
    return found >= 0 ? this.#rests[found * REST + VALUE] ?? null : null
  }

  set(first: number, handle: SessionHandle, value: number, end: number): void {
    const known = this.#find(first, handle)
    if (known >= 0) {
      const rest = known * REST
      this.#rests[rest + VALUE] = value
      this.#rests[rest + END] = Math.max(end, this.#rests[rest + END] ?? 0)
      return
    }
    if ((this.size + 1) * 4 > (this.#mask + 1) * 3) this.#resize(Math.max(SMALLEST, (this.#mask + 1) * 2), 0)
    this.#add(first, wordOf(handle, SECOND), lastWordOf(handle), value, end)
  }

  prune(now: number): void {
    let live = 0
    for (let end = END; end < this.#rests.length; end += REST) {
      if ((this.#rests[end] ?? 0) > now) live++
    }
    if (live === this.size) return
    let capacity = SMALLEST
    while (live * 4 > capacity * 3) capacity *= 2
    this.#resize(capacity, now)
  }

  /** The slot of a handle, or -1. */
  #find(first: number, handle: SessionHandle): number {
    const firsts = this.#firsts
    for (let index = spread(first) >>> 7; ; index++) {
      const slot = index & this.#mask
      const found = firsts[slot] ?? FREE
      if (found === FREE) return -1
      if (found === first
        && this.#rests[slot * REST] === wordOf(handle, SECOND)
        && this.#rests[slot * REST + 1] === lastWordOf(handle)) return slot
    }
  }

  /** Inserts a handle that has no slot into the first free one. */
  #add(first: number, second: number, third: number, value: number, end: number): void {
    let index = spread(first) >>> 7
    while (this.#firsts[index & this.#mask] !== FREE) index++
    const slot = index & this.#mask
    this.#firsts[slot] = first
    this.#rests[slot * REST] = second
    this.#rests[slot * REST + 1] = third
    this.#rests[slot * REST + VALUE] = value
    this.#rests[slot * REST + END] = end
    this.size++
  }

  /** Copies the entries that expire after `now` to arrays of this capacity. */
  #resize(capacity: number, now: number): void {
    const firsts = this.#firsts
    const rests = this.#rests
    this.#firsts = new Uint32Array(capacity)
    this.#rests = new Uint32Array(capacity * REST)
    this.#mask = capacity - 1
    this.size = 0
    for (let slot = 0; slot < firsts.length; slot++) {
      const first = firsts[slot] ?? FREE
      const rest = slot * REST
      const end = rests[rest + END] ?? 0
      if (first === FREE || end <= now) continue
      this.#add(first, rests[rest] ?? 0, rests[rest + 1] ?? 0, rests[rest + VALUE] ?? 0, end)
    }
  }
}

/** The index of the first word in a handle, after the letter of the transfer mode. */
const FIRST = 1
const SECOND = 6
const THIRD = 11

/** Five characters of a handle, 30 random bits, as one number. */
function wordOf(handle: SessionHandle, start: number): number {
  let word = 0
  for (let index = start; index < start + 5; index++) word = word << 6 ^ handle.charCodeAt(index)
  return word >>> 0
}

/**
 * The third word, with the transfer mode in the highest bit, which no word has: a session of another system can have
 * two handles that differ in nothing else (IMP-04).
 */
function lastWordOf(handle: SessionHandle): number {
  const word = wordOf(handle, THIRD)
  return transferModeOf(handle) === 'header' ? (word | 0x80000000) >>> 0 : word
}

/** Distributes the randomness of a word over all its bits (Knuth's multiplicative hashing). */
function spread(word: number): number {
  const product = Math.imul(word, 0x9e3779b1)
  return (product ^ product >>> 15) >>> 0
}
