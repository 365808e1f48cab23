import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import type { HttpClient } from '../../support/http-client.ts'

/** A session that has ended, and a browser that still has its cookies. */
export interface EndedSession {
  readonly userId: string
  readonly handle: string
  readonly client: HttpClient
  readonly how: 'revoked' | 'user revoked' | 'everybody revoked' | 'signed out' | 'theft'
  /** When the end was acknowledged. */
  readonly at: EpochMilliseconds
  /** Whether every process must refuse it: a second has passed since, and all of them could read the change log. */
  due: boolean
}

/** What is written down during the day. */
export class Ledger {
  /** The part of the day that is under way. */
  phase = 'start'
  /** Whether the store may fail now: then 503 is an answer, and a revocation that nobody could read is not due. */
  isOutage = false
  /** What must not happen, with all that is known about it. */
  readonly faults: string[] = []
  readonly ended: EndedSession[] = []
  readonly #counts = new Map<string, Map<string, number>>()
  readonly #times = new Map<string, Map<string, Milliseconds[]>>()

  count(what: string, by = 1): void {
    const counts = this.#counts.get(this.phase) ?? new Map<string, number>()
    this.#counts.set(this.phase, counts)
    counts.set(what, (counts.get(what) ?? 0) + by)
  }

  /** How often something was counted, in one phase or in all. */
  counted(what: string, phase?: string): number {
    const phases = phase === undefined ? [...this.#counts.values()] : [this.#counts.get(phase)]
    return phases.reduce((sum, counts) => sum + (counts?.get(what) ?? 0), 0)
  }

  /** The parts of the day so far. */
  get phases(): readonly string[] {
    return [...this.#counts.keys()]
  }

  time(call: string, took: Milliseconds): void {
    const kinds = this.#times.get(this.phase) ?? new Map<string, Milliseconds[]>()
    this.#times.set(this.phase, kinds)
    const times = kinds.get(call) ?? []
    kinds.set(call, times)
    times.push(took)
  }

  fault(what: string): void {
    this.faults.push(`${this.phase}: ${what}`)
  }

  /** What was answered how often in each part of the day, and how fast: median, 99 % and the longest. */
  report(): string {
    return [...this.#counts].map(([phase, counts]) => {
      const all = [...counts].toSorted(([left], [right]) => left.localeCompare(right))
      const times = [...this.#times.get(phase) ?? []].map(([call, took]) => `${call} ${summary(took)}`)
      return [`${phase}: ${all.map(([what, count]) => `${what}: ${count}`).join(', ')}`, ...times].join('\n    ')
    }).join('\n')
  }
}

function summary(times: readonly Milliseconds[]): string {
  const sorted = times.toSorted((left, right) => left - right)
  const at = (part: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return `${times.length} times, ${at(0.5)} / ${at(0.99)} / ${at(1)} ms`
}
