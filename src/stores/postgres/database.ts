import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { pause } from '../background.ts'
import { createConnectionLender } from '../lender.ts'
import type { Row } from '../sql/row.ts'
import { rowOf } from '../sql/row.ts'
import { acquireClient } from './connections.ts'
import type { Connections, AcquiredClient } from './connections.ts'
import type { PostgresClient, PostgresResult, PostgresStatement } from './driver.ts'
import {
  lostConnection, lostPreparedStatement, refusedConnection, refusedStatement, toStoreError, isRolledBackByRace,
} from './errors.ts'
import { inTransaction } from './transaction.ts'

/** Runs statements, each in one round trip and one transaction of its own. */
export interface Database {
  /**
   * Defines a statement. `repeatable`: running it twice has the same effect as once, so it is repeated when a
   * connection breaks.
   */
  statement(text: string, options?: { readonly repeatable: boolean }): (...values: unknown[]) => Promise<Row[]>
  /** Runs several statements in one transaction, and returns the rows of the last one. */
  transaction(...statements: readonly PostgresStatement[]): Promise<Row[]>
  /** Resolves once all calls in progress have ended, with or without an error. */
  settled(): Promise<void>
}

/** How often a statement is repeated that the server rolled back because of concurrent ones. */
const RACES = 20

/**
 * Wraps the connections. Correct at every isolation level that a database may have as its default. At the usual level
 * (READ COMMITTED), a conditional write waits for the other writer and then checks the new row. At the stricter levels
 * the server rolls it back, and it is repeated here (ST-06).
 */
export function createDatabase(connections: Connections, requestTimeout: Milliseconds): Database {
  const within = createDeadline(requestTimeout, 'the PostgreSQL database')
  const lender = createConnectionLender(refusedConnection, connections.size)
  // Set for good when the server no longer had a prepared statement: that shows that there is a pooler.
  let unnamed = false
  const running = new Set<Promise<unknown>>()

  async function attempt<T>(work: Work<T>, repeatable: boolean, call: Call): Promise<T> {
    const { pool, prepared } = await connections.ready()
    let races = 0
    let breaks = 0
    for (;;) {
      const leased = await acquireClient(pool, lender)
      const named = prepared && !unnamed
      call.connection = leased
      try {
        // The caller has waited too long for a connection and already has an error: nothing must be written for it now.
        if (call.expired) throw new GeneralError('STORE_UNAVAILABLE', 'no connection to PostgreSQL was free in time', {
            reason: 'store-unreachable',
          })
        const result = await work(leased.client, named)
        leased.release()
        return result
      } catch (error) {
        if (call.expired || refusedStatement(error)) leased.release()
        else leased.destroy()
        if (call.expired) throw error
        if (lostPreparedStatement(error) && named) unnamed = true
        else if (isRolledBackByRace(error) && races < RACES) await pause(Math.random() * 2 * ++races)
        else if (lostConnection(error) && repeatable && breaks < 1) breaks += 1
        else throw error
      }
    }
  }

  async function bounded<T>(work: Work<T>, repeatable: boolean): Promise<T> {
    const call: Call = { expired: false, connection: null }
    const answer = within(attempt(work, repeatable, call))
    running.add(answer)
    try {
      return await answer
    } catch (cause) {
      call.expired = true
      call.connection?.destroy()
      throw toStoreError(cause)
    } finally {
      running.delete(answer)
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

    transaction: (...statements) => bounded(async client => {
      const results = client.batch === undefined
        ? await runOneByOne(client, statements)
        : await client.batch(statements)
      const last = results[statements.length - 1]
      if (last !== undefined) return last.rows.map(rowOf)
      throw new GeneralError('STORE_UNAVAILABLE', 'the database driver did not return a result for each statement')
    }, false),

    settled: async () => void await Promise.allSettled(running),
  }
}

async function runOneByOne(
  client: PostgresClient,
  statements: readonly PostgresStatement[],
): Promise<readonly PostgresResult[]> {
  const [first] = statements
  if (first !== undefined && statements.length === 1) return [await client.query(first)]
  return inTransaction(client, async transaction => {
    const results: PostgresResult[] = []
    for (const statement of statements) results.push(await transaction.query(statement))
    return results
  })
}

/** Work on a connection. `prepared` says whether statements are prepared under names. */
type Work<T> = (client: PostgresClient, prepared: boolean) => Promise<T>

/** A call that has a time limit. */
interface Call {
  expired: boolean
  connection: AcquiredClient | null
}

/** The name of a prepared statement, derived from its text: stores that share a connection do not mix them up. */
function statementName(text: string): string {
  let hash = 0n
  for (const character of text) hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n)
  return `keyturn_${hash.toString(36)}`
}
