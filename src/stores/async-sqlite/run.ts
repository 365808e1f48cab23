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

/** A statement without its values. */
export type Statement = (...values: SqlValue[]) => SqlStatement

/** Makes a statement of a text. Its parameters may be numbered. */
export function statement(sql: string): Statement {
  const { text, inOrder } = withPlainParameters(sql)
  return (...values) => ({ sql: text, values: inOrder(values) })
}

/** Runs statements, and checks what the driver returns. */
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
    return statements.map((_, index) => (results[index] ?? []).map(rowOf))
  }
  return { all, one: async each => (await all(each))[0] ?? [] }
}
