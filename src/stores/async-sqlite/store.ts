import { closeOnce } from '../../base/close-once.ts'
import type { EpochMilliseconds, Milliseconds } from '../../base/time.ts'
import type { SessionStore } from '../../session/store.ts'
import { createDeadline } from '../deadline.ts'
import { once } from '../sql/once.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import { createChangeLog } from './change-log.ts'
import { toCallError } from './errors.ts'
import { createEventTable } from './events.ts'
import { createImportClaims } from './import-claims.ts'
import { createKeyTable } from './keys.ts'
import { createRemovals } from './removals.ts'
import { createRunner, statement } from './run.ts'
import type { RunStatements } from './run.ts'
import { migrateSchema, requireSchema } from './schema.ts'
import type { Tables } from './schema.ts'
import { createSessionTable } from './sessions.ts'

/** What a store on an asynchronous SQLite database is created from. */
export interface AsyncSqliteParts extends Tables {
  /** The database in prose, to begin messages with: `the D1 database`. */
  readonly database: string
  /** `auto`: the first call creates or updates the tables. */
  readonly migrate: 'auto' | 'manual'
  readonly requestTimeout: Milliseconds
  /** The clock of the database; null if it is that of the caller's machine. */
  readonly readTime: ((run: RunStatements) => Promise<EpochMilliseconds>) | null
}

/**
 * Creates a store on a SQLite database that answers later: each method of the port is a list of statements that is
 * known ahead, and so one round trip. It keeps neither a connection nor a timer, and belongs to no request.
 */
export function createAsyncSqliteStore(parts: AsyncSqliteParts): SessionStore {
  const { run, names, cure, migrate, readTime } = parts
  const bounded = createDeadline(parts.requestTimeout, parts.database, cause => toCallError(cause, cure))
  const prepare = once(() => migrateSchema({ run, names, cure }))
  const prepared: RunStatements = migrate === 'manual' ? run : async statements => {
    await prepare()
    return run(statements)
  }
  const runner = createRunner(prepared, bounded)
  const log = createChangeLog(runner, names)
  const acquireLease = statement(`${sqliteStatements(names).acquireLease} RETURNING 1`)
  return {
    check: () => bounded(requireSchema({ run: prepared, names, cure })),
    ...createSessionTable(runner, log, names),
    ...createRemovals(runner, log, names),
    ...createKeyTable(runner, log, names),
    ...createEventTable(runner, names),
    ...createImportClaims(runner, names),
    acquireLease: async (task, holder, now, until) => (
      (await runner.one(acquireLease(task, holder, until, now))).length === 1
    ),
    changesSince: log.since,
    follow: log.follow,
    time: async () => readTime === null ? null : bounded(readTime(prepared)),
    close: closeOnce(async () => log.close()),
  }
}
