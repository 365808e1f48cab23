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
 * The part of a statement that names a table whose rows are found by primary key. Without the hint, a small table is
 * scanned, and a scan that locks or changes rows locks all rows of the table and all gaps between them.
 */
export function byKey(table: string): string {
  return `${table} FORCE INDEX (PRIMARY)`
}

/**
 * A statement that deletes rows by primary key. Only this form of DELETE allows the hint. `sql_safe_updates` refuses it,
 * and must be off.
 */
export function deleteByKey(table: string, key: string, count: number): string {
  return `DELETE ${table} FROM ${byKey(table)} WHERE ${key} IN (${placeholders(count, '?')})`
}

/** Runs a statement for each part of a list. Returns how many rows it changed in all. */
export async function changeEach(
  runner: Runner,
  values: readonly SqlValue[],
  statement: (count: number) => string,
  ...rest: readonly SqlValue[]
): Promise<number> {
  let changed = 0
  for (let start = 0; start < values.length; start += CHUNK) {
    const part = values.slice(start, start + CHUNK)
    changed += (await runner.change(statement(part.length), [...padded(part), ...rest])).rows
  }
  return changed
}

function roundUp(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)))
}
