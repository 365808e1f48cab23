import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { pause } from '../background.ts'
import type { Row } from '../sql/row.ts'
import { rowOf } from '../sql/row.ts'
import { lease } from './connections.ts'
import type { Connections, Lease } from './connections.ts'
import type { PostgresClient } from './driver.ts'
import { toStoreError, lostConnection, lostPreparedStatement, refusedStatement, undoneByRace } from './errors.ts'

/** Runs statements, each in one round trip and one transaction of its own. */
export interface Database {
  /**
   * Defines a statement. `repeatable`: to do it twice is as good as once, so it is repeated when a connection breaks.
   */
  statement(text: string, options?: { readonly repeatable: boolean }): (...values: unknown[]) => Promise<Row[]>
  /** Runs several statements in one transaction. */
  transaction<T>(work: (run: (text: string, values?: unknown[]) => Promise<Row[]>) => Promise<T>): Promise<T>
}

/** How often a statement is repeated that concurrent ones made the server undo. */
const RACES = 20

/**
 * Wraps the connections. Correct at every isolation level that a database may have as its default: under the usual one
 * (READ COMMITTED) a conditional write waits for the other writer and then judges the new row; under the stricter ones
 * the server undoes it, and it is repeated here (ST-06).
 */
export function createDatabase(connections: Connections, requestTimeout: Milliseconds): Database {
  const within = createDeadline(requestTimeout, 'the PostgreSQL database')
  // Set for good when the server once had lost a statement: then a pooler lies between.
  let unnamed = false

  async function attempt<T>(work: Work<T>, repeatable: boolean, call: Call): Promise<T> {
    const { pool, prepared } = await connections.ready()
    let races = 0
    let breaks = 0
    for (;;) {
      const leased = await lease(pool)
      const named = prepared && !unnamed
      call.connection = leased
      try {
        // Who waited too long for a connection has been told so already: nothing is written for them any more.
        if (call.expired) throw new GeneralError('STORE_UNAVAILABLE', 'the PostgreSQL database had no connection in time')
        const result = await work(leased.client, named)
        leased.release()
        return result
      } catch (error) {
        if (call.expired || refusedStatement(error)) leased.release()
        else leased.destroy()
        if (call.expired) throw error
        if (lostPreparedStatement(error) && named) unnamed = true
        else if (undoneByRace(error) && races < RACES) await pause(Math.random() * 2 * ++races)
        else if (lostConnection(error) && repeatable && breaks < 1) breaks += 1
        else throw error
      }
    }
  }

  async function bounded<T>(work: Work<T>, repeatable: boolean): Promise<T> {
    const call: Call = { expired: false, connection: null }
    try {
      return await within(attempt(work, repeatable, call))
    } catch (cause) {
      call.expired = true
      call.connection?.destroy()
      throw toStoreError(cause)
    }
  }

  return {
    statement(text, { repeatable } = { repeatable: false }) {
      const name = statementName(text)
      return async (...values) => {
        const { rows } = await bounded((client, prepared) =>
          client.query(prepared ? { name, text, values } : { text, values }), repeatable)
        return rows.map(rowOf)
      }
    },

    transaction: work => bounded(async client => {
      const run = async (text: string, values: unknown[] = []): Promise<Row[]> =>
        (await client.query({ text, values })).rows.map(rowOf)
      await run('BEGIN ISOLATION LEVEL READ COMMITTED')
      try {
        const result = await work(run)
        await run('COMMIT')
        return result
      } catch (error) {
        await run('ROLLBACK')
        throw error
      }
    }, false),
  }
}

/** Something to do on a connection, with statements that are prepared under names or not. */
type Work<T> = (client: PostgresClient, prepared: boolean) => Promise<T>

/** A call that somebody waits for. */
interface Call {
  expired: boolean
  connection: Lease | null
}

/** The name that a text is prepared under: another text has another one, so that stores may share a connection. */
function statementName(text: string): string {
  let hash = 0n
  for (const character of text) hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n)
  return `keyturn_${hash.toString(36)}`
}
