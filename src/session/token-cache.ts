import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** A value that is of no use after some time. */
interface Expiring {
  readonly expiresAt: EpochMilliseconds
}

/** What is known of every cached access token. */
export interface VerifiedToken extends Expiring {
  readonly active: { readonly claims: { readonly sid: SessionHandle } }
}

/** If the cache is full of values that are of use, one in so many new ones replaces the oldest. */
const ADMITTED = 4

/**
 * A bounded cache that keeps most of what it has. A hit costs one look-up. If more keys take turns than fit, a cache
 * that admits each one drops it just before its next use, and has no hits at all; this one keeps a part and has hits
 * for that part (P-15, docs/benchmarks/cache.md).
 */
export class TokenCache<Value extends Expiring> {
  readonly #capacity: number
  readonly #values = new Map<string, Value>()
  /** The keys, in a ring: the oldest is at `#oldest` if the cache is full. */
  readonly #keys: string[] = []
  #oldest = 0
  #refused = 0
  /** How often a value was found. */
  hits = 0
  /** How often none was found. */
  misses = 0
  /** Until when it may lack a value that it was given and that is still of use. */
  incompleteUntil: EpochMilliseconds = 0

  /** `capacity`: the most entries that it holds; 0 disables it. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined) this.misses += 1
    else this.hits += 1
    return value
  }

  /** Adds an entry, or not if the cache is full. */
  set(key: string, value: Value, now: EpochMilliseconds): void {
    if (this.#values.has(key)) return
    if (this.#keys.length < this.#capacity) this.#keys.push(key)
    else if (!this.#replaceOldest(key, now)) return this.#note(value)
    this.#values.set(key, value)
  }

  clear(): void {
    for (const value of this.#values.values()) this.#note(value)
    this.#values.clear()
    this.#keys.length = 0
    this.#oldest = 0
  }

  get size(): number {
    return this.#values.size
  }

  /** Its values, also those that are of no use any more. */
  values(): Iterable<Value> {
    return this.#values.values()
  }

  #replaceOldest(key: string, now: EpochMilliseconds): boolean {
    const oldest = this.#keys[this.#oldest]
    if (oldest === undefined) return false
    const isOfUse = (this.#values.get(oldest)?.expiresAt ?? 0) > now
    if (isOfUse && ++this.#refused < ADMITTED) return false
    this.#refused = 0
    const dropped = this.#values.get(oldest)
    if (dropped !== undefined) this.#note(dropped)
    this.#values.delete(oldest)
    this.#keys[this.#oldest] = key
    this.#oldest = (this.#oldest + 1) % this.#capacity
    return true
  }

  /** Notes a value that it does not keep. */
  #note({ expiresAt }: Value): void {
    this.incompleteUntil = Math.max(this.incompleteUntil, expiresAt)
  }
}
