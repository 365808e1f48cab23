/** A task that is run at its time, in milliseconds. */
export type Action = (now: number) => void

/** Scheduled tasks, the earliest first: a binary heap. */
export class Agenda {
  readonly #items: { readonly at: number; readonly run: Action }[] = []

  add(at: number, run: Action): void {
    const items = this.#items
    let index = items.push({ at, run }) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#at(parent) <= at) break
      this.#swap(index, parent)
      index = parent
    }
  }

  run(until: number): void {
    for (;;) {
      const first = this.#items[0]
      if (first === undefined || first.at > until) return
      const last = this.#items.pop()
      if (last !== undefined && this.#items.length > 0) {
        this.#items[0] = last
        this.#sink()
      }
      first.run(first.at)
    }
  }

  #sink(): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(least) >= this.#at(index)) return
      this.#swap(index, least)
      index = least
    }
  }

  #at(index: number): number {
    return this.#items[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #swap(left: number, right: number): void {
    const [first, second] = [this.#items[left], this.#items[right]]
    if (first === undefined || second === undefined) return
    this.#items[left] = second
    this.#items[right] = first
  }
}

/** A generator of random numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}
