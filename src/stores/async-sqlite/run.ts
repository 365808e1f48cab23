import { GeneralError } from '../../base/errors.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import { rowOf } from '../sql/row.ts'
import { withPlainParameters } from '../sqlite/driver.ts'

/** A statement, and the values of its parameters `?` in their order. */
export interface SqlStatement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/**
 * Runs statements in one round trip, and returns the rows of each, as objects. Several statements are one transaction:
 * all of them take effect, or none. The only thing in which the databases differ.
 */
export type RunStatements = (statements: readonly SqlStatement[]) => Promise<readonly (readonly unknown[])[]>

/**
 * Makes the runner of a driver. `send` returns what the driver does, as unchecked as it is: an answer that has no rows
 * where rows belong is a failure, not a table without rows.
 */
export function runWith(send: (statements: readonly SqlStatement[]) => Promise<unknown>): RunStatements {
  return async statements => {
    const results = await send(statements)
    if (Array.isArray(results) && results.length === statements.length) {
      const lists = results.filter((result): result is unknown[] => Array.isArray(result))
      if (lists.length === statements.length) return lists
    }
    throw new GeneralError('STORE_UNAVAILABLE', 'the database driver did not return the rows of each statement')
  }
}

/** A statement without its values. */
export type Statement = (...values: SqlValue[]) => SqlStatement

/** Makes a statement of a text. Its parameters may be numbered. */
export function statement(sql: string): Statement {
  const { text, inOrder } = withPlainParameters(sql)
  return (...values) => ({ sql: text, values: inOrder(values) })
}

/** Runs statements, and checks the rows. */
export interface Runner {
  /** Runs one statement. */
  one(statement: SqlStatement): Promise<readonly Row[]>
  /** Runs several in one transaction. */
  all(...statements: readonly SqlStatement[]): Promise<readonly (readonly Row[])[]>
}

/** Wraps a driver. `bounded` limits the time of each call, and converts its errors. */
export function createRunner(run: RunStatements, bounded: <T>(work: Promise<T>) => Promise<T>): Runner {
  async function all(...statements: readonly SqlStatement[]): Promise<readonly (readonly Row[])[]> {
    const results = await bounded(run(statements))
    return results.map(rows => rows.map(rowOf))
  }
  return { all, one: async each => (await all(each))[0] ?? [] }
}
