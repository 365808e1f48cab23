/**
 * A bounded map with two generations: when the young one is full it becomes the old one, and a hit in the old
 * one is copied up. Costs a hit next to nothing; a Map kept in order of use by delete and set would not.
 */
export class TwoGenerationMap<Value> {
  readonly #capacity: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  /** `capacity` bounds the young generation; at most twice as many entries are held. */
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

  /** How many entries are held; one that was copied up counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
