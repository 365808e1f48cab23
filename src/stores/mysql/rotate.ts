import { expiryOf } from '../../session/policy.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Reauthentication, Rotation } from '../../session/store.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import {
  expectedNames, expectedValues, keptColumns, nextColumns, nextValues, reauthenticatedColumns, reauthenticatedValues,
  rotatedSessionFromRow, rotationCondition, sessionColumns, sessionFromRow,
} from '../sql/session-row.ts'
import { selection } from './columns.ts'
import type { Runner } from './database.ts'

/** The text of a condition or of settings, with placeholders, and the values for the placeholders. */
interface Fragment {
  readonly sql: string
  values(rotation: Rotation): readonly SqlValue[]
}

/** The condition of a rotation on a row, except for its handle. */
function condition(row: string): Fragment {
  const places: number[] = []
  const sql = rotationCondition(row, name => {
    places.push(expectedNames.indexOf(name))
    return '?'
  })
  return { sql, values: rotation => pick(expectedValues(rotation), places) }
}

/** Sets columns, and the expiry. Two names are qualified, since a row may be selected beside the updated one. */
function settings(table: string, columns: readonly string[]): string {
  return `${columns.map(column => `${column} = ?`).join(', ')},
    expires_at = LEAST(? + ${table}.idle_timeout, COALESCE(${table}.absolute_expiry, ? + ${table}.idle_timeout))`
}

/** The values of the settings of a rotation. */
function newValues({ next }: Rotation): SqlValue[] {
  return [...nextValues(next), next.rotatedAt, next.rotatedAt]
}

function pick(values: readonly SqlValue[], places: readonly number[]): readonly SqlValue[] {
  return places.map(place => values[place] ?? null)
}

const nullable: ReadonlySet<string> = new Set(['absolute_expiry', 'ip', 'user_agent'])
const required = [...sessionColumns.filter(column => !nullable.has(column)), 'sweep_at']

/** Rotates one session; the implementation depends on the server. */
export type Rotate = (runner: Runner, rotation: Rotation) => Promise<SessionRecord | null>

/**
 * MariaDB: one statement. It selects the row with a lock, if the row is as expected, and inserts it again. That always
 * conflicts with the row itself and so becomes the update. Of the values to insert, only the handle is ever used.
 */
export function createRotateAtOnce(table: string): Rotate {
  const expected = condition('kept.')
  const sql =
    `INSERT INTO ${table} (${required.join(', ')})
     SELECT ${required.map(column => column === 'handle' ? 'kept.handle' : '0').join(', ')} FROM ${table} AS kept
     WHERE kept.handle = ? AND ${expected.sql} FOR UPDATE
     ON DUPLICATE KEY UPDATE ${settings(table, nextColumns)}
     RETURNING ${selection(keptColumns)}`
  return async ({ rows }, rotation) => {
    const [row] = await rows(sql, [rotation.handle, ...expected.values(rotation), ...newValues(rotation)])
    return row === undefined ? null : rotatedSessionFromRow(rotation, row)
  }
}

/** The SQL types of the values in the JSON of several rotations, by column. */
const types: Readonly<Record<string, string>> = {
  handle: 'CHAR(23) CHARACTER SET ascii',
  refresh_hash: 'VARCHAR(255) CHARACTER SET utf8mb4',
  anchor_hash: 'VARCHAR(255) CHARACTER SET utf8mb4',
  refresh_key_id: 'VARCHAR(255) CHARACTER SET utf8mb4',
  confirmed: 'TINYINT',
  ip: 'VARCHAR(255) CHARACTER SET utf8mb4',
  user_agent: 'VARCHAR(1024) CHARACTER SET utf8mb4',
}

/**
 * MariaDB: one statement and one commit for several sessions, as {@link createRotateAtOnce} for one; no session may be
 * named twice. The rotations are passed as one JSON text, so that the statement is the same for any number of them. It
 * does not wait for locks: while it waited, it would hold the locks of the other sessions.
 */
export function createRotateTogether(
  table: string,
): (runner: Runner, rotations: readonly Rotation[]) => Promise<readonly Row[]> {
  const columns = [...required, 'ip', 'user_agent']
  const inserted = columns.map(column => (
    column === 'handle' ? 'kept.handle' : nextColumns.includes(column) ? `next.${column}` : '0'
  ))
  const members = [...expectedNames.map(name => ['expected_', name]), ...nextColumns.map(name => ['', name])]
  const sql =
    `INSERT INTO ${table} (${columns.join(', ')})
     SELECT STRAIGHT_JOIN ${inserted.join(', ')}
     FROM JSON_TABLE(?, '$[*]' COLUMNS (
       ${members.map(([prefix = '', name = ''], index) => (
         `${prefix}${name} ${types[name] ?? 'BIGINT'} PATH '$[${index}]'`)).join(', ')}
     )) AS next
     JOIN ${table} AS kept ON kept.handle = next.expected_handle
     WHERE ${rotationCondition('kept.', name => `next.expected_${name}`)} FOR UPDATE SKIP LOCKED
     ON DUPLICATE KEY UPDATE ${nextColumns.map(column => `${column} = VALUES(${column})`).join(', ')},
       expires_at = LEAST(VALUES(rotated_at) + ${table}.idle_timeout,
         COALESCE(${table}.absolute_expiry, VALUES(rotated_at) + ${table}.idle_timeout))
     RETURNING handle, ${selection(keptColumns)}`
  return ({ rows }, rotations) => {
    const values = rotations.map(rotation => [...expectedValues(rotation), ...nextValues(rotation.next)])
    return rows(sql, [JSON.stringify(values, wellFormed)])
  }
}

/**
 * Half a surrogate pair is not valid text for the server, which would refuse the JSON of all rotations. It is replaced
 * by U+FFFD, as the driver does.
 */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/\p{Surrogate}/gu, '\uFFFD') : value
}

/** MySQL: a conditional update, and a read of the row that it wrote. */
export function createRotateAndRead(table: string): Rotate {
  const expected = condition('')
  const rotate =
    `UPDATE ${table} SET ${settings(table, nextColumns)}, revision = revision + 1
     WHERE handle = ? AND ${expected.sql}`
  const read = `SELECT ${selection(sessionColumns)} FROM ${table} WHERE handle = ?`
  return async ({ rows, change }, rotation) => {
    const { next } = rotation
    const rotated = await change(rotate, [...newValues(rotation), rotation.handle, ...expected.values(rotation)])
    if (rotated.rows === 0) return null
    const record = await firstSession(rows(read, [rotation.handle]))
    // Another process has re-authenticated meanwhile: the token of this rotation is void and must not get the new
    // times.
    if (record === null || record.anchorHash !== rotation.expected.anchorHash) return null
    if (record.refreshHash === next.refreshHash && record.servedAt === next.servedAt) return record
    // Another process has rotated the session again meanwhile. The values that this rotation wrote are known. The rest
    // never changes, except for the application's own data, of which the newest is right.
    return { ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) }
  }
}

/** Replaces token and anchor of a session in a transaction. */
export function createReauthenticate(
  table: string,
): (runner: Runner, reauthentication: Reauthentication) => Promise<SessionRecord | null> {
  const expected = condition('')
  const reauthenticate =
    `UPDATE ${table} SET ${settings(table, reauthenticatedColumns)}, revision = revision + 1
     WHERE handle = ? AND ${expected.sql}`
  const read = `SELECT ${selection(sessionColumns)} FROM ${table} WHERE handle = ?`
  return async ({ rows, change }, reauthentication) => {
    const { handle, next } = reauthentication
    const changed = await change(reauthenticate, [
      ...reauthenticatedValues(reauthentication), next.rotatedAt, next.rotatedAt,
      handle, ...expected.values(reauthentication),
    ])
    return changed.rows === 0 ? null : firstSession(rows(read, [handle]))
  }
}

/** Reads the first row of a result as a session; null if there is none. */
export async function firstSession(answer: Promise<readonly Row[]>): Promise<SessionRecord | null> {
  const row = (await answer)[0]
  return row === undefined ? null : sessionFromRow(row)
}
