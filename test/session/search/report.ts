// Reports of the searches. Vitest shows no console output of tests that pass, so this writes to standard output.
import type { SearchResult, Violation } from './search.ts'

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Runs a search and prints how many states it has, and how long it took. */
export async function measured(name: string, run: () => Promise<SearchResult>): Promise<SearchResult> {
  const began = performance.now()
  const result = await run()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const { states, steps, depth } = result
  print(`${inThousands(states)} states, ${inThousands(steps)} steps, depth ${depth}, ${seconds} s: ${name}`)
  return result
}

/** A violation with its trace, one event a line. */
export function explain({ law, trace }: Violation): string {
  return `${law}\n  ${trace.join('\n  ')}`
}

export function inThousands(count: number): string {
  return count.toLocaleString('en-US')
}
