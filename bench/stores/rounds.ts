/** Calls per second in each round, by name. */
export type Rounds = Readonly<Record<string, readonly number[]>>

/** How long each operation is measured in a round, and the number of rounds. */
export interface Pace {
  readonly milliseconds: number
  readonly rounds: number
}

/** Calls per second with so many in flight. The calls of a lane follow each other, as a client's do. */
export async function rate(
  lanes: number,
  milliseconds: number,
  call: (lane: number, count: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now()
  let calls = 0
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    while (performance.now() - start < milliseconds) await call(lane, calls++)
  }))
  return calls / (performance.now() - start) * 1000
}

/** Measures several operations in alternating rounds. The first round is a warm-up and does not count. */
export async function alternate(
  things: Readonly<Record<string, (milliseconds: number) => Promise<number>>>,
  { milliseconds, rounds }: Pace,
): Promise<Rounds> {
  const results: Record<string, number[]> = Object.fromEntries(Object.keys(things).map(name => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(things)) {
      const result = await measure(milliseconds)
      if (round > 0) results[name]?.push(result)
    }
  }
  return results
}

/** The median of the numbers; NaN if there are none. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[numbers.length >> 1] ?? Number.NaN
}

/** The median of the ratios of two operations in the same round. */
export function ratio(rounds: Rounds, of: string, to: string): number {
  return median((rounds[of] ?? []).map((value, round) => value / (rounds[to]?.[round] ?? Number.NaN)))
}
