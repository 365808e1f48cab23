import type { SqlValue } from '../sql/row.ts'
import type { Runner } from './database.ts'

/** How many values one statement gets. */
const CHUNK = 512

/** The columns that are stored as bytes, so that they are compared as bytes. They are read as text. */
const binary: ReadonlySet<string> = new Set([
  'user_id', 'tenant_id', 'refresh_hash', 'anchor_hash', 'refresh_key_id', 'kid', 'material', 'name',
])

/** The select list for columns; those that are stored as bytes are converted to text. */
export function selection(columns: readonly string[]): string {
  return columns.map(column => binary.has(column) ? `CONVERT(${column} USING utf8mb4) AS ${column}` : column).join(', ')
}

/**
 * Placeholders for a list of `count` values, rounded up to a power of two, so that lists of all lengths need only a few
 * prepared statements. {@link padded} fills the list up.
 */
export function placeholders(count: number, one: string): string {
  return Array.from({ length: roundUp(count) }, () => one).join(', ')
}

/** Repeats the last value until the list is as long as {@link placeholders} expects. */
export function padded<T>(values: readonly T[]): T[] {
  const last = values.at(-1)
  if (last === undefined) return []
  return [...values, ...Array.from({ length: roundUp(values.length) - values.length }, () => last)]
}

/**
 * The part of a statement that names a table whose rows are found by primary key. Without the hint, a table is scanned
 * where the list of keys is long beside it, and a scan that locks or changes rows locks all rows and all gaps between
 * them. A DELETE does not heed the hint with a list of keys: see {@link deleteByKeys}.
 */
export function byKey(table: string): string {
  return `${table} FORCE INDEX (PRIMARY)`
}

/** The primary keys by which rows are deleted, and their SQL types in JSON. */
const keyTypes = {
  handle: 'CHAR(23) CHARACTER SET ascii',
  id: 'VARCHAR(64) CHARACTER SET ascii',
  name: 'VARCHAR(900) CHARACTER SET utf8mb4',
  seq: 'BIGINT',
} as const

/**
 * A statement that deletes rows by primary key, for {@link deleteEach}. The keys are the outer side of a join, in their
 * order: so each row is looked up by its key, and no other is locked, whatever the optimizer thinks of the table.
 * `sql_safe_updates` refuses this form, and must be off.
 */
export function deleteByKeys(table: string, key: keyof typeof keyTypes, condition = ''): string {
  return `DELETE ${table} FROM JSON_TABLE(?, '$[*]' COLUMNS (item ${keyTypes[key]} PATH '$')) AS listed
    STRAIGHT_JOIN ${byKey(table)} ON ${table}.${key} = listed.item${condition === '' ? '' : ` WHERE ${condition}`}`
}

/** Deletes rows by their keys. Returns how many there were. `rest` are the values of the statement's condition. */
export async function deleteEach(
  { change }: Runner,
  statement: string,
  keys: readonly SqlValue[],
  ...rest: readonly SqlValue[]
): Promise<number> {
  return keys.length === 0 ? 0 : (await change(statement, [JSON.stringify(keys), ...rest])).rows
}

/** Runs a statement for each part of a list. */
export async function changeEach(
  runner: Runner,
  values: readonly SqlValue[],
  statement: (count: number) => string,
  ...rest: readonly SqlValue[]
): Promise<void> {
  for (let start = 0; start < values.length; start += CHUNK) {
    const part = values.slice(start, start + CHUNK)
    await runner.change(statement(part.length), [...padded(part), ...rest])
  }
}

/**
 * The value of the placeholder in `LIMIT ?`. A limit in the text of a statement would need another prepared statement
 * for each size of a page: each connection keeps its own, and a server has a limited number of them
 * (`max_prepared_stmt_count`). As a text, because the driver sends numbers as DOUBLE, which LIMIT does not take.
 */
export function limitValue(limit: number): string {
  return `${limit}`
}

function roundUp(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)))
}
