import type { EventQuery } from '../../session/store.ts'
import { changeColumns } from '../sql/change-row.ts'
import { MILLISECONDS_PER_DAY } from '../import-counts.ts'
import { eventColumns } from '../sql/event-row.ts'
import { claimColumns } from '../sql/import-claim-row.ts'
import { keyColumns } from '../sql/key-row.ts'
import {
  expectedNames, keptColumns, listedColumns, nextColumns, reauthenticatedColumns, rotationCondition, sessionColumns,
  stateColumns,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'

/**
 * The texts of the statements on SQLite's tables, for every driver. Those that change rows and do not say what they
 * return can be extended by `RETURNING`.
 */
export interface SqliteStatements {
  /** `sessionValues`, `expiresAt`, three names of not-befores, `createdAt`. */
  readonly insert: string
  readonly exists: string
  readonly find: string
  /** The name of a not-before, `time`, `until`. */
  readonly refuseBefore: string
  /** `expectedValues`, `nextValues`. */
  readonly rotate: string
  /** `expectedValues`, `reauthenticatedValues`. */
  readonly reauthenticate: string
  /** A JSON array of `[handle, generation, branch]`. */
  readonly confirm: string
  /** Session data, handle, `now`, expected version. */
  readonly updateInfo: string
  /** JWT payload, handle, `now`, expected version. */
  readonly updatePayload: string
  /** Handle, and `stateValues`. */
  readonly isUnchanged: string
  /** A JSON array of handles. */
  readonly isNamed: string
  /** User, `createdAt` and handle of a position, limit. */
  readonly listByUser: string
  readonly placesOfUser: string
  /** `createdAt` and handle of a position, limit. */
  readonly listNewest: string
  /** The last handle of the page before, limit. */
  readonly readPage: string
  readonly listKeys: string
  /** `keyValues`, purpose, `kid` of the newest key. */
  readonly addKey: string
  /** New material, `kid`, current material. */
  readonly replaceKey: string
  /** `changeValues`. */
  readonly appendChange: string
  /** Returns the name of the newest entry. */
  readonly readHead: string
  /** Number and name of an entry, limit: what follows the entry; if the log does not have it, from the beginning. */
  readonly readChanges: string
  /** `eventValues`. */
  readonly appendEvent: string
  /** As `eventCondition` says; then kind, time and id of a position, limit. */
  readEvents(condition: string): string
  /** Handle. */
  readonly findClaim: string
  /** `claimValues`. */
  readonly addClaim: string
  /** `sessionValues`, `expiresAt`, handle, three names of not-befores, `issuedAt`: beside no claim. */
  readonly insertImported: string
  /** Three names of not-befores, handle: whether one is later than the `issuedAt` of the claim. */
  readonly isImportRefused: string
  /** Handle, three names of not-befores, handle: removes a session that {@link isImportRefused} names. */
  readonly removeRefusedImport: string
  readonly countClaims: string
  /** Task, holder, `until`, `now`. */
  readonly acquireLease: string
  /** Twice `now`, limit. */
  readonly postpone: string
  /** Twice `now`, limit. */
  readonly sweep: string
  /** `now`, limit. */
  forget(table: string): string
}

/** The statements for tables of these names. */
export function sqliteStatements(names: TableNames): SqliteStatements {
  const table = names.session
  const columns = sessionColumns.join(', ')
  const parameter = (index: number): string => `?${index + 1}`
  const setting = (set: readonly string[]): string => {
    const rotatedAt = parameter(expectedNames.length + set.indexOf('rotated_at'))
    return `UPDATE ${table}
     SET ${set.map((column, index) => `${column} = ${parameter(expectedNames.length + index)}`).join(', ')},
       expires_at = min(${rotatedAt} + idle_timeout, ifnull(absolute_expiry, ${rotatedAt} + idle_timeout))
     WHERE handle = ?1 AND ${rotationCondition('', name => parameter(expectedNames.indexOf(name)))}
     RETURNING ${keptColumns.join(', ')}`
  }
  const list = (columns: readonly string[]): string => columns.map(() => '?').join(', ')
  const isImportRefused = `SELECT 1 FROM ${names.notBefore} WHERE name IN (?, ?, ?)
     AND time > (SELECT issued_at FROM ${names.importClaim} WHERE handle = ?) LIMIT 1`
  const after = (read: readonly string[], condition: string): string =>
    `SELECT ${read.join(', ')} FROM ${table} WHERE ${condition} (created_at, handle) < (?, ?)
     ORDER BY created_at DESC, handle DESC LIMIT ?`
  const due = (from: string, time: string): string =>
    `rowid IN (SELECT rowid FROM ${from} WHERE ${time} <= ? ORDER BY ${time} LIMIT ?)`
  const dueSessions = due(table, 'sweep_at')
  return {
    insert: `INSERT INTO ${table} (${columns}, sweep_at) SELECT ${sessionColumns.map(() => '?').join(', ')}, ?
     WHERE NOT EXISTS (SELECT 1 FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ?)
     ON CONFLICT DO NOTHING`,
    exists: `SELECT 1 FROM ${table} WHERE handle = ?`,
    find: `SELECT ${columns} FROM ${table} WHERE handle = ?`,
    refuseBefore: `INSERT INTO ${names.notBefore} (name, time, until) VALUES (?, ?, ?) ON CONFLICT (name)
     DO UPDATE SET time = max(time, excluded.time), until = max(until, excluded.until)`,
    rotate: setting(nextColumns),
    reauthenticate: setting(reauthenticatedColumns),
    confirm: `UPDATE ${table} SET confirmed = 1 FROM json_each(?) AS given
     WHERE ${table}.confirmed = 0
       AND ${table}.handle = json_extract(given.value, '$[0]')
       AND ${table}.generation = json_extract(given.value, '$[1]')
       AND ${table}.branch = json_extract(given.value, '$[2]')`,
    updateInfo: `UPDATE ${table} SET session_info = ?, info_version = info_version + 1
     WHERE handle = ? AND expires_at > ? AND info_version = ifnull(?, info_version)`,
    updatePayload: `UPDATE ${table} SET jwt_payload = ?, payload_version = payload_version + 1
     WHERE handle = ? AND expires_at > ? AND payload_version = ifnull(?, payload_version)
     RETURNING payload_version, access_token_lifetime`,
    isUnchanged: `handle = ? AND ${stateColumns.map(column => `${column} = ?`).join(' AND ')}`,
    isNamed: 'handle IN (SELECT value FROM json_each(?))',
    listByUser: after(listedColumns, 'user_id = ? AND'),
    placesOfUser: after(['handle', 'created_at', 'tenant_id'], 'user_id = ? AND'),
    listNewest: after(listedColumns, ''),
    readPage: `SELECT handle FROM ${table} WHERE handle > ? ORDER BY handle LIMIT ?`,
    listKeys: `SELECT ${keyColumns.join(', ')} FROM ${names.key} ORDER BY active_from, kid`,
    addKey: `INSERT INTO ${names.key} (${keyColumns.join(', ')}) SELECT ${keyColumns.map(() => '?').join(', ')}
     WHERE (SELECT kid FROM ${names.key} WHERE purpose = ? ORDER BY active_from DESC, kid DESC LIMIT 1) IS ?
     ON CONFLICT DO NOTHING`,
    replaceKey: `UPDATE ${names.key} SET material = ? WHERE kid = ? AND material = ?`,
    appendChange:
      `INSERT INTO ${names.change} (${changeColumns.join(', ')}) VALUES (${changeColumns.map(() => '?').join(', ')})`,
    readHead: `SELECT entry FROM ${names.change} WHERE seq = (SELECT max(seq) FROM ${names.change})`,
    readChanges: `SELECT seq, entry, ${changeColumns.join(', ')} FROM ${names.change}
     WHERE seq > ifnull((SELECT seq FROM ${names.change} WHERE seq = ? AND entry = ?), 0) ORDER BY seq LIMIT ?`,
    appendEvent: `INSERT INTO ${names.event} (${eventColumns.join(', ')}) 
     VALUES (${eventColumns.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
    readEvents: condition => `SELECT ${eventColumns.join(', ')} FROM ${names.event}
     WHERE ${condition} kind = ? AND (occurred_at, id) < (?, ?) ORDER BY occurred_at DESC, id DESC LIMIT ?`,
    findClaim: `SELECT ${claimColumns.join(', ')} FROM ${names.importClaim} WHERE handle = ?`,
    addClaim: `INSERT INTO ${names.importClaim} (${claimColumns.join(', ')}) VALUES (${list(claimColumns)})
     ON CONFLICT DO NOTHING`,
    insertImported: `INSERT INTO ${table} (${columns}, sweep_at) SELECT ${list(sessionColumns)}, ?
     WHERE NOT EXISTS (SELECT 1 FROM ${names.importClaim} WHERE handle = ?)
       AND NOT EXISTS (SELECT 1 FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ?)`,
    isImportRefused,
    removeRefusedImport: `DELETE FROM ${table} WHERE handle = ? AND generation = 0 AND EXISTS (${isImportRefused})`,
    countClaims: `SELECT source, admitted_at / ${MILLISECONDS_PER_DAY} AS day, count(*) AS count
     FROM ${names.importClaim} GROUP BY 2, 1 ORDER BY 2, 1`,
    acquireLease: `INSERT INTO ${names.turn} (task, holder, until) VALUES (?, ?, ?)
     ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE ${names.turn}.holder = excluded.holder OR ${names.turn}.until <= ?`,
    postpone: `UPDATE ${table} SET sweep_at = expires_at WHERE expires_at > ? AND ${dueSessions}`,
    sweep: `DELETE FROM ${table} WHERE expires_at <= ? AND ${dueSessions}`,
    forget: from => `DELETE FROM ${from} WHERE ${due(from, 'until')}`,
  }
}

/** Deletes the sessions that meet a condition of {@link SqliteStatements}, and returns what a removal needs of them. */
export function removing(names: TableNames, condition: string): string {
  return `DELETE FROM ${names.session} WHERE ${condition} RETURNING handle, access_token_lifetime`
}

/** The conditions for `readEvents`, one for each combination of what a query may name besides the kind. */
export const eventConditions: readonly string[] = ['', 'user_id = ? AND', 'handle = ? AND',
  'handle = ? AND user_id = ? AND']

/** The one of {@link eventConditions} for a query, and its values. */
export function eventCondition({ userId, handle }: EventQuery): {
  readonly condition: string
  readonly values: readonly string[]
} {
  const given = [handle, userId].filter(value => value !== null)
  const [ofAll = '', ofUser = '', ofSession = '', ofBoth = ''] = eventConditions
  const condition = handle === null ? userId === null ? ofAll : ofUser : userId === null ? ofSession : ofBoth
  return { condition, values: given }
}
