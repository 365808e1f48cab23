import { GeneralError } from '../../base/errors.ts'
import type { SqlValue } from '../sql/row.ts'
import type { SqliteDatabase } from './database.ts'

/**
 * A statement of any driver. What the drivers have in common is used as it is: `all` and `run`, which take the values
 * of `?` in order. `node:sqlite`, better-sqlite3 and `bun:sqlite` differ in the rest.
 */
export interface PreparedStatement {
  all(values: readonly SqlValue[]): unknown[]
  /** Returns how many rows it changed. */
  run(values: readonly SqlValue[]): number
}

/**
 * Prepares a statement. Its parameters may be numbered (`?1`), which better-sqlite3 would take for names: the driver
 * gets each as `?`, and its value as often as it occurs. With `arrays`, rows are arrays if the driver can return them
 * in place of objects; `node:sqlite` then takes half the time.
 */
export function prepare(database: SqliteDatabase, sql: string, arrays: boolean): PreparedStatement {
  const { text, inOrder } = withPlainParameters(sql)
  const statement = database.prepare(text)
  // The application may have opened its database with the opposite as the default.
  statement.setReturnArrays?.(arrays)
  return {
    all: values => statement.all(...inOrder(values)),
    run: values => Number(statement.run(...inOrder(values)).changes),
  }
}

/**
 * Replaces numbered parameters (`?1`), which some drivers take for names, by plain ones (`?`). `inOrder` repeats the
 * values accordingly.
 */
export function withPlainParameters(sql: string): {
  readonly text: string
  readonly inOrder: (values: readonly SqlValue[]) => readonly SqlValue[]
} {
  const order: number[] = []
  const text = sql.replace(/\?(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1)
    return '?'
  })
  return { text, inOrder: values => order.length === 0 ? values : order.map(index => values[index] ?? null) }
}

/**
 * Refuses a driver that answers later: `sqlite3`, D1 and others have methods of the same names.
 * @throws GeneralError (`MISUSE`)
 */
export function checkDriver(database: SqliteDatabase): void {
  const rows: unknown = database.prepare('SELECT 1').all()
  if (Array.isArray(rows)) return
  throw new GeneralError('MISUSE', 'the SQLite driver that was passed does not return rows at once: use node:sqlite, '
    + 'better-sqlite3 or bun:sqlite; D1 has createD1Store of keyturn/stores/d1')
}
