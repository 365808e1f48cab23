import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { pause } from '../background.ts'
import { createConnectionLender } from '../lender.ts'
import { readInteger, rowOf } from '../sql/row.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import { acquireConnection } from './connections.ts'
import type { AcquiredConnection, Connections } from './connections.ts'
import type { MysqlConnection } from './driver.ts'
import {
  toStoreError, isReadOnlyServer, lostConnection, lostPreparedStatement, refusedConnection, isRolledBackByRace,
} from './errors.ts'

/** Runs statements on one connection. */
export interface Runner {
  /** Whether the server is a MariaDB. */
  readonly isMariadb: boolean
  rows(sql: string, values: readonly SqlValue[]): Promise<Row[]>
  change(sql: string, values: readonly SqlValue[]): Promise<Changed>
}

/** What a statement changed. */
export interface Changed {
  readonly rows: number
  /** The value that the statement passed to `LAST_INSERT_ID()`. */
  readonly insertId: number
}

/** Runs work on connections of the pool. */
export interface Database {
  /** Whether the server is a MariaDB. */
  isMariadb(): Promise<boolean>
  /**
   * Runs statements that commit by themselves. The work is repeated when the server rolled a statement back because of
   * concurrent transactions. `repeatable`: running the work twice has the same effect as once, so it is also repeated
   * when a connection breaks.
   */
  run<T>(work: (runner: Runner) => Promise<T>, options?: { readonly repeatable: boolean }): Promise<T>
  /**
   * Runs statements that commit together. The work is repeated when the server rolled it back because of concurrent
   * transactions.
   */
  transaction<T>(work: (runner: Runner) => Promise<T>): Promise<T>
  /** Resolves once all calls in progress have ended, with or without an error. */
  settled(): Promise<void>
}

/** How often work is repeated that the server rolled back because of concurrent transactions. */
const RACES = 20

/**
 * Wraps the connections. Nothing here depends on the isolation level: decisions are based on statements that lock, and
 * those see the newest committed row at every level (ST-06).
 */
export function createDatabase(connections: Connections, requestTimeout: Milliseconds): Database {
  const within = createDeadline(requestTimeout, 'the MySQL database')
  const lender = createConnectionLender(refusedConnection, connections.size)
  const running = new Set<Promise<unknown>>()

  async function attempt<T>(
    work: (runner: Runner) => Promise<T>,
    repeatable: boolean,
    watch: Watch,
  ): Promise<T> {
    const { pool, isMariadb } = await connections.ready()
    let races = 0
    let breaks = 0
    for (;;) {
      const leased = await acquireConnection(pool, lender)
      // The caller has waited too long for a connection and already has an error: nothing must be written for it now.
      if (watch.expired) {
        leased.release()
        throw new GeneralError('STORE_UNAVAILABLE', 'no connection to MySQL was free in time', {
          reason: 'store-unreachable',
        })
      }
      watch.leased = leased
      try {
        const result = await work(runnerOn(leased.connection, isMariadb))
        leased.release()
        return result
      } catch (error) {
        const unprepared = lostPreparedStatement(error)
        if (watch.expired || unprepared || lostConnection(error) || isReadOnlyServer(error)) leased.destroy()
        else leased.release()
        if (watch.expired) throw error
        if (isRolledBackByRace(error) && races < RACES) await pause(Math.random() * 2 * ++races)
        else if ((unprepared || (lostConnection(error) && repeatable)) && breaks < 1) breaks += 1
        else throw error
      }
    }
  }

  async function run<T>(work: (runner: Runner) => Promise<T>, { repeatable } = { repeatable: false }): Promise<T> {
    const watch: Watch = { expired: false, leased: null }
    const call = within(attempt(work, repeatable, watch))
    running.add(call)
    try {
      return await call
    } catch (cause) {
      throw toStoreError(cause)
    } finally {
      running.delete(call)
      watch.expired = true
      watch.leased?.destroy()
    }
  }

  return {
    isMariadb: async () => (await connections.ready()).isMariadb,
    run,
    settled: async () => void await Promise.allSettled(running),
    transaction: work => run(runner => together(runner, () => work(runner))),
  }
}

/** A call that has a time limit. */
interface Watch {
  expired: boolean
  /** The connection that it took last. */
  leased: AcquiredConnection | null
}

/** Runs the statements of `work` in one transaction. Those that the runner ran before have committed by themselves. */
export async function together<T>(runner: Runner, work: () => Promise<T>): Promise<T> {
  await runner.change('START TRANSACTION', [])
  try {
    const result = await work()
    await runner.change('COMMIT', [])
    return result
  } catch (error) {
    if (!lostConnection(error)) await runner.change('ROLLBACK', [])
    throw error
  }
}

/** Statements that cannot be prepared. */
const boundaries: ReadonlySet<string> = new Set(['START TRANSACTION', 'COMMIT', 'ROLLBACK'])

/** Runs statements on a connection. */
export function runnerOn(connection: MysqlConnection, isMariadb: boolean): Runner {
  return {
    isMariadb,
    async rows(sql, values) {
      const [answer] = await connection.execute(sql, [...values])
      if (!Array.isArray(answer)) throw new GeneralError('STORE_UNAVAILABLE', 'the database driver did not return rows')
      return answer.map(rowOf)
    },
    async change(sql, values) {
      const [answer] = await (boundaries.has(sql) ? connection.query(sql) : connection.execute(sql, [...values]))
      const header = rowOf(answer)
      return { rows: readInteger(header, 'affectedRows'), insertId: readInteger(header, 'insertId') }
    },
  }
}
