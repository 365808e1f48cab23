import type { SessionStore } from '../../session/store.ts'
import type { TableNames } from '../sql/table-names.ts'
import { createChangeLog } from './change-log.ts'
import { configure, connect } from './connection.ts'
import type { SqliteDatabase } from './database.ts'
import { guarded } from './guard.ts'
import { createRemoveExpired } from './expiry.ts'
import { createKeyTable } from './keys.ts'
import { migrateSchema, requireSchema } from './schema.ts'
import { createSessionTable } from './sessions.ts'

/** The connections of a store, and who creates its tables. */
export interface StoreParts {
  readonly durable: SqliteDatabase
  /** A second connection for what need not wait for the disk. May be the same connection; null if there is none. */
  readonly fast: SqliteDatabase | null
  readonly names: TableNames
  /** `manual`: a database without up-to-date tables is refused, and not changed. */
  readonly migrate: 'auto' | 'manual'
}

/** Assembles the store. The caller closes the database, after the store. */
export function createStore({ durable: database, fast: other, names, migrate }: StoreParts): SessionStore {
  const separate = other === database ? null : other
  if (migrate === 'manual') requireSchema(database, names)
  configure(database, 'FULL')
  const durable = connect(database)
  if (migrate === 'auto') migrateSchema(database, durable, names)
  if (separate !== null) configure(separate, 'NORMAL')
  const fast = separate === null ? durable : connect(separate)
  const log = createChangeLog(durable, fast, names)
  const acquireLease = fast.changes(
    `INSERT INTO ${names.turn} (task, holder, until) VALUES (?, ?, ?)
     ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE ${names.turn}.holder = excluded.holder OR ${names.turn}.until <= ?`)
  const { settled, ...sessions } = createSessionTable(durable, fast, log, names)
  const removeExpired = createRemoveExpired(fast, names)
  const working = new Set<Promise<unknown>>()
  /** Keeps the store open for a call that works in parts. */
  function tracked<T>(work: Promise<T>): Promise<T> {
    const end = (): void => void working.delete(work)
    working.add(work)
    work.then(end, end)
    return work
  }
  return {
    ...sessions,
    ...createKeyTable(durable, log, names),
    removeByUser: removal => tracked(sessions.removeByUser(removal)),
    removeAll: page => tracked(sessions.removeAll(page)),
    removeExpired: (now, limit) => tracked(removeExpired(now, limit)),
    acquireLease: (task, holder, now, until) => guarded(() => acquireLease(task, holder, until, now) === 1),
    changesSince: (cursor, limit) => tracked(guarded(() => log.since(cursor, limit))),
    follow: wake => guarded(() => {
      const stop = log.follow(wake)
      return async () => stop()
    }),
    // The processes that share a file run on one machine and share its clock.
    time: async () => null,
    async close() {
      await settled()
      await Promise.allSettled(working)
      log.close()
    },
  }
}
