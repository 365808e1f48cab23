import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import { keptColumns, rotatedSessionOf, sessionColumns, sessionOf } from '../sql/session-row.ts'
import { selection } from './columns.ts'
import type { Runner } from './database.ts'

function alive(row: string): string {
  return `${row}expires_at > ? AND ${row}rotated_at > ? AND ${row}created_at > ?`
}

/** Writes what {@link newValues} gives. Two names are qualified, since a row may be selected beside the updated one. */
function assignments(table: string): string {
  return `refresh_hash = ?, generation = ?, branch = ?, confirmed = ?, rotated_at = ?, served_at = ?,
    ip = ?, user_agent = ?,
    expires_at = LEAST(? + ${table}.idle_timeout, COALESCE(${table}.absolute_expiry, ? + ${table}.idle_timeout))`
}

function newValues({ next }: Rotation): SqlValue[] {
  return [
    next.refreshHash, next.generation, next.branch, Number(next.confirmed), next.rotatedAt, next.servedAt,
    next.client.ip, next.client.userAgent, next.rotatedAt, next.rotatedAt,
  ]
}

function expectedValues({ handle, expectedHash, alive: bounds }: Rotation): SqlValue[] {
  return [handle, expectedHash, bounds.now, bounds.rotatedAfter, bounds.createdAfter]
}

const nullable: ReadonlySet<string> = new Set(['absolute_expiry', 'ip', 'user_agent'])
const required = [...sessionColumns.filter(column => !nullable.has(column)), 'sweep_at']

/** How a server rotates a session. */
export type Rotate = (runner: Runner, rotation: Rotation) => Promise<SessionRecord | null>

/**
 * MariaDB: one statement. It selects the row, locked, if it is as expected, and inserts it again, which always meets
 * the row itself and so becomes the update. Nothing but the handle of what it would insert is ever used.
 */
export function createRotateAtOnce(table: string): Rotate {
  const sql =
    `INSERT INTO ${table} (${required.join(', ')})
     SELECT ${required.map(column => column === 'handle' ? 'kept.handle' : '0').join(', ')} FROM ${table} AS kept
     WHERE kept.handle = ? AND kept.refresh_hash = ? AND ${alive('kept.')} FOR UPDATE
     ON DUPLICATE KEY UPDATE ${assignments(table)}
     RETURNING ${selection(keptColumns)}`
  return async ({ rows }, rotation) => {
    const [row] = await rows(sql, [...expectedValues(rotation), ...newValues(rotation)])
    return row === undefined ? null : rotatedSessionOf(rotation, row)
  }
}

/** MySQL: a conditional update, and a read of what it wrote. */
export function createRotateAndRead(table: string): Rotate {
  const rotate =
    `UPDATE ${table} SET ${assignments(table)}, revision = revision + 1
     WHERE handle = ? AND refresh_hash = ? AND ${alive('')}`
  const read = `SELECT ${selection(sessionColumns)} FROM ${table} WHERE handle = ?`
  return async ({ rows, change }, rotation) => {
    const { handle, next } = rotation
    const rotated = await change(rotate, [...newValues(rotation), ...expectedValues(rotation)])
    if (rotated.rows === 0) return null
    const record = await firstSession(rows(read, [handle]))
    if (record === null || record.refreshHash === next.refreshHash) return record
    // Somebody has rotated it on in between. What this rotation wrote is known, and the rest never changes but for the
    // application's own data, of which the newest is right.
    const idleExpiry = next.rotatedAt + record.idleTimeout
    return { ...record, ...next, expiresAt: Math.min(idleExpiry, record.absoluteExpiry ?? idleExpiry) }
  }
}

/** Reads the first row of an answer as a session; null if there is none. */
export async function firstSession(answer: Promise<readonly Row[]>): Promise<SessionRecord | null> {
  const row = (await answer)[0]
  return row === undefined ? null : sessionOf(row)
}
