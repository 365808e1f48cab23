/** What was measured in each round, by name: calls per second. */
export type Rounds = Readonly<Record<string, readonly number[]>>

/** How long each thing is measured for in a round, and how many rounds there are. */
export interface Pace {
  readonly milliseconds: number
  readonly rounds: number
}

/** Calls per second with so many in flight. A lane's calls follow each other, as a client's do. */
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

/** Measures several things in alternating rounds. The first round warms up and does not count. */
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

/** The middle of the numbers; NaN of none. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[numbers.length >> 1] ?? Number.NaN
}

/** The median of what two things had for each other in the same round. */
export function ratio(rounds: Rounds, of: string, to: string): number {
  return median((rounds[of] ?? []).map((value, round) => value / (rounds[to]?.[round] ?? Number.NaN)))
}
