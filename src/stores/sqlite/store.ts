import { closeOnce } from '../../base/close-once.ts'
import type { SessionStore } from '../../session/store.ts'
import { deferStore } from '../deferred-store.ts'
import type { TableNames } from '../sql/table-names.ts'
import { createChangeLog } from './change-log.ts'
import { configure, connect } from './connection.ts'
import type { Connections } from './connection.ts'
import type { SqliteDatabase } from './database.ts'
import { createEventTable } from './events.ts'
import { createRemoveExpired } from './expiry.ts'
import { createImportClaims } from './import-claims.ts'
import { createKeyTable } from './keys.ts'
import { createRetries, isLocked } from './retries.ts'
import { migrateSchema, requireSchema } from './schema.ts'
import { createSessionTable } from './sessions.ts'
import { sqliteStatements } from './statements.ts'

/** The connections of a store, and who creates its tables. */
export interface StoreParts {
  readonly durable: SqliteDatabase
  /** A second connection for what need not wait for the disk. May be the same connection; null if there is none. */
  readonly fast: SqliteDatabase | null
  readonly names: TableNames
  /** `manual`: a database without up-to-date tables is refused, and not changed. */
  readonly migrate: 'auto' | 'manual'
}

/**
 * Assembles the store. The caller closes the database, after the store. If another connection has locked the database,
 * and its tables must be created or updated, the first call of the store does that.
 */
export function createStore(parts: StoreParts): SessionStore {
  try {
    return assemble(setUp(parts), parts)
  } catch (cause) {
    if (!isLocked(cause)) throw cause
    const retries = createRetries('the SQLite database cannot be set up')
    return deferStore(() => retries.run(() => assemble(setUp(parts), parts)))
  }
}

/** Prepares database and connections. It may be repeated if it fails. */
function setUp({ durable: database, fast: other, names, migrate }: StoreParts): Connections {
  const separate = other === database ? null : other
  if (migrate === 'manual') requireSchema(database, names)
  configure(database, 'FULL')
  const durable = connect(database)
  if (migrate === 'auto') migrateSchema(database, durable, names)
  if (separate !== null) configure(separate, 'NORMAL')
  const fast = separate === null ? durable : connect(separate)
  return { durable, fast, reads: createRetries(), writes: createRetries() }
}

function assemble(connections: Connections, { durable: database, names }: StoreParts): SessionStore {
  const { durable, fast, reads, writes } = connections
  const log = createChangeLog(connections, names)
  const acquireLease = fast.changes(sqliteStatements(names).acquireLease)
  const { settled, ...sessions } = createSessionTable(connections, log, names)
  const removeExpired = createRemoveExpired(connections, names)
  const working = new Set<Promise<unknown>>()
  /** Keeps the store open for a call that works in parts. */
  function tracked<T>(work: Promise<T>): Promise<T> {
    const end = (): void => void working.delete(work)
    working.add(work)
    work.then(end, end)
    return work
  }
  return {
    // Takes the write lock, which a file that is read-only refuses.
    check: () => writes.run(() => durable.transaction(() => requireSchema(database, names))),
    ...sessions,
    ...createKeyTable(connections, log, names),
    ...createEventTable(connections, names),
    ...createImportClaims(connections, names),
    removeByUser: removal => tracked(sessions.removeByUser(removal)),
    removeAll: page => tracked(sessions.removeAll(page)),
    removeExpired: (now, limit) => tracked(removeExpired(now, limit)),
    acquireLease: (task, holder, now, until) => writes.run(() => acquireLease(task, holder, until, now) === 1),
    changesSince: (cursor, limit) => tracked(log.since(cursor, limit)),
    follow: wake => reads.run(() => {
      const stop = log.follow(wake)
      return async () => stop()
    }),
    // The processes that share a file run on one machine and share its clock.
    time: async () => null,
    close: closeOnce(async () => {
      await settled()
      await Promise.allSettled(working)
      await Promise.all([reads.settled(), writes.settled()])
      log.close()
    }),
  }
}
