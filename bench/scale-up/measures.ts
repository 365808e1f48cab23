import { measurePostgresCleanup, measureSqliteCleanup } from './measures/cleanup.ts'
import { measureConfirmations } from './measures/confirmations.ts'
import { measureIdle } from './measures/idle.ts'
import { measureSilentStore } from './measures/silent-store.ts'
import { measureSingleRevocations } from './measures/single-revocations.ts'
import { measureStart } from './measures/start.ts'
import { measureUserRevocation } from './measures/user-revocation.ts'
import type { Promised } from './statistics.ts'

/** A measurement of what must not grow. */
interface Measure {
  readonly what: string
  /** What must be, in short, for a measurement that fails. */
  readonly must: string
  readonly measure: () => Promise<readonly Promised[]>
}

/** The measures by the name that runs them alone. */
export const measures: Readonly<Record<string, Measure>> = {
  'confirmations': {
    what: 'Confirmations write once', must: '0 writes from the second round on', measure: measureConfirmations,
  },
  'silent-store': {
    what: 'A store that does not answer', must: 'p99 < 50 ms', measure: measureSilentStore,
  },
  'cleanup-sqlite': {
    what: 'Cleanup on SQLite, 1,000,000 sessions due', must: 'stops < 20 ms', measure: measureSqliteCleanup,
  },
  'user-revocation': {
    what: 'A user with 100,000 sessions is revoked', must: 'p99 < 100 ms', measure: measureUserRevocation,
  },
  'single-revocations': {
    what: 'Single revocations on PostgreSQL', must: '>= 5,000/s', measure: measureSingleRevocations,
  },
  'cleanup-postgres': {
    what: 'Cleanup on PostgreSQL', must: '>= 10,000/s', measure: measurePostgresCleanup,
  },
  'start': {
    what: 'The start of a process', must: 'answers at once', measure: measureStart,
  },
  'idle': {
    what: 'An idle process', must: '< 0.3 transactions/s', measure: measureIdle,
  },
}
