import { verification } from './cache.ts'
import type { Routing, Verification } from './cache.ts'
import { simulate } from './model.ts'
import {
  BYTES_CACHED, BYTES_HANDLE, CACHE_SIZE, CONFIRMS_AFTER, MOST_REQUESTS, postgres, RETENTION_SECONDS, TOKEN_SECONDS,
} from './parameters.ts'

// What an operator has to provide, by the number of sessions and of processes.

/** The share of the sessions that is in use at a time. */
const ACTIVE_SHARE = 0.1
/** A session in use sends a request every so many seconds. */
const REQUEST_SECONDS = 30
const MONTH_SECONDS = 30 * 24 * 3600
/** Bytes of a session with its indexes, as measured in docs/benchmarks/scale-up.md. */
const BYTES = { SQLite: 530, PostgreSQL: 960 } as const
/** How long a write keeps a core of the store busy, in milliseconds: a refresh, a login, a revocation. An estimate. */
const WRITE_WORK = 0.1

/** What a fleet needs. */
export interface Need {
  readonly sessions: number
  readonly processes: number
  /** Verifications per second and process. */
  readonly requests: number
  /** The fewest processes that can serve so many requests. */
  readonly least: number
  readonly store: keyof typeof BYTES
  readonly poolSize: number
  readonly connections: number
  readonly storeGigabytes: number
  readonly sticky: RoutedNeed
  readonly random: RoutedNeed
}

/** What depends on whether the requests of a session go to one process. */
interface RoutedNeed extends Verification {
  /** Calls of the store per second. */
  readonly calls: number
  readonly confirmed: number
  readonly busyCores: number
  /** Megabytes of a process: the cache, the revoked and the confirmed sessions. */
  readonly megabytes: number
}

const sizes = [10_000, 1_000_000, 10_000_000, 100_000_000]
const fleets = [1, 10, 100, 1000]

/** All combinations of sessions and processes. */
export function needs(): readonly Need[] {
  return sizes.flatMap(sessions => fleets.map(processes => needOf(sessions, processes)))
}

function needOf(sessions: number, processes: number): Need {
  const requests = sessions * ACTIVE_SHARE / REQUEST_SECONDS
  const poolSize = processes <= 10 ? 10 : processes <= 100 ? 5 : 2
  const store = processes === 1 && sessions <= 1_000_000 ? 'SQLite' : 'PostgreSQL'
  return {
    sessions, processes, store, poolSize,
    requests: requests / processes,
    least: Math.ceil(requests / MOST_REQUESTS),
    // One more follows the change log.
    connections: processes * (poolSize + 1),
    storeGigabytes: sessions * BYTES[store] / 1e9,
    sticky: routed(sessions, processes, 'sticky'),
    random: routed(sessions, processes, 'random'),
  }
}

function routed(
  sessions: number,
  processes: number,
  routing: Routing,
): RoutedNeed {
  const active = sessions * ACTIVE_SHARE
  const refreshes = active / TOKEN_SECONDS
  const changes = sessions / MONTH_SECONDS
  const logins = 2 * changes
  // How many processes see a token when it is old enough to confirm.
  const later = (TOKEN_SECONDS - CONFIRMS_AFTER) / REQUEST_SECONDS
  const seenBy = routing === 'sticky' ? 1 : processes * (1 - (1 - 1 / processes) ** later)
  const confirmationsPerProcess = refreshes * seenBy / processes
  const fleet = simulate({
    ...postgres, processes, changesPerSecond: changes, expiriesPerSecond: changes, confirmationsPerProcess,
    seconds: Math.max(10, 1200 / processes),
  })
  const writes = refreshes + logins + changes
  const { unseen, cpu } = verification(active, processes, routing, TOKEN_SECONDS / REQUEST_SECONDS, CACHE_SIZE)
  const tokens = Math.min(CACHE_SIZE, routing === 'sticky' ? active / processes : active)
  const handles = changes * RETENTION_SECONDS + confirmationsPerProcess * TOKEN_SECONDS
  return {
    unseen, cpu,
    calls: Object.values(fleet.callsPerSecond).reduce((sum, count) => sum + count, writes),
    confirmed: fleet.confirmedPerSecond,
    busyCores: fleet.busyCores + writes * WRITE_WORK / 1000,
    megabytes: (tokens * BYTES_CACHED + handles * BYTES_HANDLE) / 1e6,
  }
}

/** The table for operators. Each cell with two values is for sticky routing, and for any request to any process. */
export function needLines(): readonly string[] {
  return [
    '| sessions | processes | requests/s each | store | settings | connections | data of the store | memory of a process | store calls/s '
      + '| its busy cores | unseen tokens | CPU of verifying, cores of all processes |',
    '|--:|--:|--:|---|---|--:|--:|--:|--:|--:|--:|--:|',
    ...needs().map(need => {
      const { sticky, random, processes, sessions, least } = need
      const head = `| ${short(sessions)} | ${short(processes)} |`
      if (processes < least) return `${head} too many | at least ${short(least)} processes | | | | | | | | |`
      const both = (format: (routed: RoutedNeed) => string): string => {
        const [one, other] = [format(sticky), format(random)]
        return one === other ? one : `${one} / ${other}`
      }
      const { storeGigabytes: disk } = need
      const cores = (cpu: number): number => cpu * need.requests * processes / 1e6
      return `${head} ${figure(need.requests)} | ${need.store} `
        + `| ${settings(need)} | ${need.store === 'SQLite' ? 'none' : short(need.connections)} `
        + `| ${disk < 1 ? `${figure(disk * 1000)} MB` : `${figure(disk)} GB`} | ${both(each => `${figure(each.megabytes)} MB`)} `
        + `| ${both(each => figure(each.calls))} | ${both(each => figure(each.busyCores))} `
        + `| ${both(each => `${figure(each.unseen * 100)} %`)} | ${both(each => figure(cores(each.cpu)))} |`
    }),
  ]
}

/** What differs from the defaults. */
function settings({ store, poolSize, processes, connections }: Need): string {
  const parts = [
    ...store === 'SQLite' || poolSize === 10 ? [] : [`\`poolSize\` ${poolSize}`],
    ...processes >= 10 ? ['affinity'] : [],
    ...connections > 500 && store !== 'SQLite' ? ['PgBouncer'] : [],
  ]
  return parts.length === 0 ? 'defaults' : parts.join(', ')
}

/** A number with two digits that count. */
function figure(value: number): string {
  if (value === 0) return '0'
  if (value < 0.01) return '< 0.01'
  if (value >= 100) return Number(value.toPrecision(2)).toLocaleString('en')
  return String(Number(value.toPrecision(2)))
}

function short(value: number): string {
  return value >= 1_000_000 ? `${value / 1_000_000} M` : value.toLocaleString('en')
}
