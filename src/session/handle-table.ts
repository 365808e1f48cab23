import type { SessionHandle } from '../base/handle.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** How many parts there are, a power of two: growing and pruning work on one part at a time, so that nothing stalls. */
const PARTS = 128
const SMALLEST = 16
/** Of a slot: three words of the handle, a value, and the second at which it ends; 0 there means free. */
const SLOT = 5
const VALUE = 3
const END = 4

/**
 * Numbers by session handle, each until its time is over, in 25 to 55 bytes an entry: a million revoked sessions in
 * a `Map` would take twice as much, and a look-up half a microsecond of waiting for memory.
 * Of a handle 90 of its 128 random bits are kept, so that two of 100 million sessions and a million entries are taken
 * for each other with a chance of one in 10^13.
 */
export class HandleTable {
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => new Part())
  #swept = 0
  #size = 0

  /** The number of this handle, or null. */
  get(handle: SessionHandle): number | null {
    if (this.#size === 0) return null
    const first = wordOf(handle, FIRST)
    return this.#partOf(first).get(first, handle)
  }

  /** Sets the number of this handle, an integer of up to 32 bits, until the later of this end and the one before. */
  set(handle: SessionHandle, value: number, until: EpochMilliseconds): void {
    const first = wordOf(handle, FIRST)
    const part = this.#partOf(first)
    const before = part.size
    part.set(first, handle, value, toEpochSeconds(until) + 1)
    this.#size += part.size - before
  }

  /** Forgets what has ended in one part: each is looked through once in as many calls as there are parts. */
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

/** Open addressing with linear probing in one array, at most three quarters full. */
class Part {
  size = 0
  #slots = new Uint32Array(0)
  #mask = -1

  get(first: number, handle: SessionHandle): number | null {
    const found = this.#find(first, handle)
    return found >= 0 ? this.#slots[found + VALUE] ?? null : null
  }

  set(first: number, handle: SessionHandle, value: number, end: number): void {
    const known = this.#find(first, handle)
    if (known >= 0) {
      this.#slots[known + VALUE] = value
      this.#slots[known + END] = Math.max(end, this.#slots[known + END] ?? 0)
      return
    }
    if ((this.size + 1) * 4 > (this.#mask + 1) * 3) this.#resize(Math.max(SMALLEST, (this.#mask + 1) * 2), 0)
    this.#add(first, wordOf(handle, SECOND), wordOf(handle, THIRD), value, end)
  }

  prune(now: number): void {
    let live = 0
    for (let slot = END; slot < this.#slots.length; slot += SLOT) {
      if ((this.#slots[slot] ?? 0) > now) live++
    }
    if (live === this.size) return
    let capacity = SMALLEST
    while (live * 4 > capacity * 3) capacity *= 2
    this.#resize(capacity, now)
  }

  /** Where the slot of a handle begins, or -1. */
  #find(first: number, handle: SessionHandle): number {
    const slots = this.#slots
    for (let index = spread(first) >>> 7; ; index++) {
      const slot = (index & this.#mask) * SLOT
      if ((slots[slot + END] ?? 0) === 0) return -1
      if (slots[slot] === first
        && slots[slot + 1] === wordOf(handle, SECOND)
        && slots[slot + 2] === wordOf(handle, THIRD)) return slot
    }
  }

  /** Takes the first free slot for a handle that has none. */
  #add(first: number, second: number, third: number, value: number, end: number): void {
    const slots = this.#slots
    let index = spread(first) >>> 7
    while ((slots[(index & this.#mask) * SLOT + END] ?? 0) !== 0) index++
    const slot = (index & this.#mask) * SLOT
    slots[slot] = first
    slots[slot + 1] = second
    slots[slot + 2] = third
    slots[slot + VALUE] = value
    slots[slot + END] = end
    this.size++
  }

  /** Takes what ends after `now` to an array of this capacity. */
  #resize(capacity: number, now: number): void {
    const old = this.#slots
    this.#slots = new Uint32Array(capacity * SLOT)
    this.#mask = capacity - 1
    this.size = 0
    for (let slot = 0; slot < old.length; slot += SLOT) {
      const end = old[slot + END] ?? 0
      if (end > now) this.#add(old[slot] ?? 0, old[slot + 1] ?? 0, old[slot + 2] ?? 0, old[slot + VALUE] ?? 0, end)
    }
  }
}

/** Where the words of a handle begin, after the letter of its channel. */
const FIRST = 1
const SECOND = 6
const THIRD = 11

/** Five characters of a handle, 30 bits of chance, as one number. */
function wordOf(handle: SessionHandle, start: number): number {
  let word = 0
  for (let index = start; index < start + 5; index++) word = word << 6 ^ handle.charCodeAt(index)
  return word >>> 0
}

/** Spreads the chance in a word over all its bits (Knuth's multiplicative hashing). */
function spread(word: number): number {
  const product = Math.imul(word, 0x9e3779b1)
  return (product ^ product >>> 15) >>> 0
}
