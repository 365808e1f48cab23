/**
 * A bounded cache of two generations. When the young generation is full, it becomes the old one, and the old one is
 * dropped. A hit in the old generation is copied to the young one. A hit in the young one costs one look-up; an LRU
 * cache on a `Map` would also delete and insert the entry.
 */
export class TwoGenerationMap<Value> {
  readonly #capacity: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  /** `capacity` is the size of one generation; the map holds at most twice as many entries. 0 disables it. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: Value): void {
    if (this.#capacity === 0) return
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }

  /** The number of entries; an entry that was copied counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
