import type { EpochMilliseconds } from '../base/time.ts'
import type { ImportCount } from '../session/import-claims.ts'

const DAY = 86_400_000
/** How many days without an arrival mean that nobody comes any more. */
const QUIET_DAYS = 7

/** How an import goes. */
export interface ImportProgress {
  /** How many sessions were taken over. */
  readonly total: number
  /** By day, oldest first; days without an arrival are left out. */
  readonly days: readonly { readonly day: string; readonly count: number }[]
  /** How many whole days have passed since the last arrival; null if there was none. */
  readonly quietDays: number | null
  /** `over`: the end has passed. `quiet`: nobody comes any more. `running`: wait. `none`: nobody has come yet. */
  readonly state: 'over' | 'quiet' | 'running' | 'none'
}

/** Says how an import goes, from the counts of a store. `until`: its end, if it is known. Pure. */
export function importProgress(
  counts: readonly ImportCount[],
  now: EpochMilliseconds,
  until: EpochMilliseconds | null = null,
): ImportProgress {
  const byDay = new Map<number, number>()
  for (const { day, count } of counts) byDay.set(day, (byDay.get(day) ?? 0) + count)
  const days = [...byDay].sort(([left], [right]) => left - right)
  const last = days.at(-1)?.[0]
  const quietDays = last === undefined ? null : Math.max(0, Math.floor((now - last) / DAY) - 1)
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    days: days.map(([day, count]) => ({ day: new Date(day).toISOString().slice(0, 10), count })),
    quietDays,
    state: until !== null && now >= until ? 'over'
      : quietDays === null ? 'none'
      : quietDays >= QUIET_DAYS ? 'quiet' : 'running',
  }
}

/** The line that says whether the importer can be removed. Pure. */
export function describeProgress({ quietDays, state }: ImportProgress): string {
  switch (state) {
    case 'over':
      return 'The import has ended: remove the importer and its secrets.'
    case 'quiet':
      return `No session has arrived for ${quietDays} days: it is safe to remove the importer and its secrets.`
    case 'running':
      return `Sessions still arrive: wait until none has for ${QUIET_DAYS} days, or until the end of the import.`
    case 'none':
      return 'No session has arrived yet.'
  }
}
