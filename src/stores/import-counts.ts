import type { EpochMilliseconds } from '../base/time.ts'
import type { ImportClaim, ImportCount } from '../session/import-claims.ts'

/** A day, in milliseconds. */
export const MILLISECONDS_PER_DAY = 86_400_000

/** The beginning of the day in UTC. Pure. */
export function dayOf(time: EpochMilliseconds): EpochMilliseconds {
  return time - time % MILLISECONDS_PER_DAY
}

/** The result of `countImports`, from all claims of a store. Pure. */
export function countClaims(claims: Iterable<Pick<ImportClaim, 'source' | 'admittedAt'>>): readonly ImportCount[] {
  const counts = new Map<string, ImportCount>()
  for (const { source, admittedAt } of claims) {
    const day = dayOf(admittedAt)
    const name = `${day} ${source}`
    counts.set(name, { source, day, count: (counts.get(name)?.count ?? 0) + 1 })
  }
  return sortCounts([...counts.values()])
}

/** Sorts counts by day, then by source. Pure. */
export function sortCounts(counts: readonly ImportCount[]): readonly ImportCount[] {
  return counts.toSorted((left, right) => left.day - right.day || (left.source < right.source ? -1 : 1))
}
