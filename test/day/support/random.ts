/** Numbers that a seed decides, so that a day can be repeated. */
export interface Random {
  readonly seed: number
  /** From 0 up to but not including 1. */
  next(): number
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  /** Whether something happens that has this probability. */
  chance(probability: number): boolean
  /** So many of the values, in a random order. */
  pick<T>(values: readonly T[], count: number): T[]
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    seed,
    next,
    whole,
    chance: probability => next() < probability,
    pick(values, count) {
      const rest = [...values]
      return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(whole(0, rest.length - 1), 1))
        .flat()
    },
  }
}
