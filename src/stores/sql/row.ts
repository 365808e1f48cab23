import { GeneralError } from '../../base/errors.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'

/** A value that every SQL driver can bind. Booleans are stored as 0 and 1. */
export type SqlValue = string | number | null

/** A row as a driver returns it: an object by column name, or an array. Its prototype may be any. */
export type Row = Readonly<Record<Column, unknown>>

/** The name of a column, or its index in a row that is an array. */
export type Column = string | number

/** Checks that a driver returned a row. @throws GeneralError if it did not. */
export function rowOf(value: unknown): Row {
  if (!isRow(value)) throw new GeneralError('STORE_UNAVAILABLE', 'the database driver did not return a row')
  return value
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

/** Reads a text. @throws GeneralError if the column holds anything else. */
export function readText(row: Row, column: Column): string {
  const value = row[column]
  if (typeof value !== 'string') throw unreadable(column)
  return value
}

/** Reads a text or null. @throws GeneralError if the column holds anything else. */
export function readTextOrNull(row: Row, column: Column): string | null {
  return row[column] === null ? null : readText(row, column)
}

/**
 * Reads an integer that JavaScript can represent exactly. Some drivers return 64-bit integers as `bigint` or as decimal
 * text.
 * @throws GeneralError if the column holds anything else.
 */
export function readInteger(row: Row, column: Column): number {
  const value = row[column]
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'bigint' || (typeof value === 'string' && /^-?\d{1,16}$/.test(value))) {
    const converted = Number(value)
    if (Number.isSafeInteger(converted)) return converted
  }
  throw unreadable(column)
}

/** Reads an integer or null. @throws GeneralError if the column holds anything else. */
export function readIntegerOrNull(row: Row, column: Column): number | null {
  return row[column] === null ? null : readInteger(row, column)
}

/** Reads a boolean that was stored as 0 or 1. @throws GeneralError if the column holds anything else. */
export function readFlag(row: Row, column: Column): boolean {
  return readInteger(row, column) !== 0
}

/** Reads a session handle. @throws GeneralError if the column holds anything else. */
export function readHandle(row: Row, column: Column): SessionHandle {
  const value = parseHandle(readText(row, column))
  if (value === null) throw unreadable(column)
  return value
}

/** The error for a column with a value that Keyturn did not write. The message does not contain the value itself. */
export function unreadable(column: Column): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `unexpected data in the column ${column}: Keyturn did not write it`)
}
