import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Rotation, SessionStore } from '../../session/store.ts'
import { gather } from '../gather.ts'
import { decodePosition, toPage } from '../page-position.ts'
import { handle, integer } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import {
  expectedValues, keptColumns, nextColumns, nextValues, rotatedSessionOf, sessionColumns, sessionOf, sessionValues,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import type { Connection } from './connection.ts'
import { guarded } from './guard.ts'

/** The methods of the port that read and write sessions. */
export interface Sessions extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'confirm' | 'updateInfo'
  | 'updatePayload' | 'remove' | 'removeByUser' | 'listByUser' | 'removeExpired'> {
  /** Resolves once every login and rotation has its answer. */
  settled(): Promise<void>
}

/**
 * The sessions in the database. `durable` waits for the disk (logins, revocations, updates), `fast` does not:
 * a rotation that a power cut undoes is adopted again (design law 6).
 */
export function createSessions(durable: Connection, fast: Connection, log: ChangeLog, names: TableNames): Sessions {
  const columns = sessionColumns.join(', ')
  const table = names.session
  const insert = durable.changes(
    `INSERT INTO ${table} (${columns}, sweep_at) VALUES (${sessionColumns.map(() => '?').join(', ')}, ?)
     ON CONFLICT DO NOTHING`)
  const find = fast.rows(`SELECT ${columns} FROM ${table} WHERE handle = ?`)
  const rotatedAt = `?${6 + nextColumns.indexOf('rotated_at')}`
  const rotate = fast.tuples(
    `UPDATE ${table} SET ${nextColumns.map((column, index) => `${column} = ?${6 + index}`).join(', ')},
       expires_at = min(${rotatedAt} + idle_timeout, ifnull(absolute_expiry, ${rotatedAt} + idle_timeout))
     WHERE handle = ?1 AND refresh_hash = ?2 AND expires_at > ?3 AND rotated_at > ?4 AND created_at > ?5
     RETURNING ${keptColumns.join(', ')}`)
  const confirm = fast.changes(
    `UPDATE ${table} SET confirmed = 1 FROM json_each(?) AS given
     WHERE ${table}.handle = json_extract(given.value, '$[0]')
       AND ${table}.generation = json_extract(given.value, '$[1]')
       AND ${table}.branch = json_extract(given.value, '$[2]')`)
  const updateInfo = durable.changes(
    `UPDATE ${table} SET session_info = ?, info_version = info_version + 1
     WHERE handle = ? AND expires_at > ? AND info_version = ifnull(?, info_version)`)
  const updatePayload = durable.rows(
    `UPDATE ${table} SET jwt_payload = ?, payload_version = payload_version + 1
     WHERE handle = ? AND expires_at > ? RETURNING payload_version`)
  const remove = durable.rows(
    `DELETE FROM ${table} WHERE handle IN (SELECT value FROM json_each(?)) RETURNING handle`)
  const removeByUser = durable.rows(`DELETE FROM ${table} WHERE user_id = ? AND handle IS NOT ? RETURNING handle`)
  const listByUser = fast.rows(
    `SELECT ${columns} FROM ${table} WHERE user_id = ? AND (created_at, handle) < (?, ?)
     ORDER BY created_at DESC, handle DESC LIMIT ?`)
  const due = `rowid IN (SELECT rowid FROM ${table} WHERE sweep_at <= ? ORDER BY sweep_at LIMIT ?)`
  const postpone = fast.changes(`UPDATE ${table} SET sweep_at = expires_at WHERE expires_at > ? AND ${due}`)
  const sweep = fast.changes(`DELETE FROM ${table} WHERE expires_at <= ? AND ${due}`)

  const rotateOne = (rotation: Rotation): SessionRecord | null => first(
    rotate(...expectedValues(rotation), ...nextValues(rotation.next)), row => rotatedSessionOf(rotation, row))
  const rotations = gather(
    (rotation: Rotation) => guarded(() => rotateOne(rotation)),
    all => guarded(() => fast.transaction(() => all.map(rotateOne))))

  const insertOne = (record: SessionRecord): boolean => insert(...sessionValues(record), record.expiresAt) === 1
  const logins = gather(
    async (record: SessionRecord) => await guarded(() => insertOne(record)) ? null : refuse(),
    async all => (await guarded(() => durable.transaction(() => all.map(insertOne))))
      .map(inserted => inserted ? null : refuse()))

  function revoke(deletion: () => Row[], until: EpochMilliseconds): Promise<readonly SessionHandle[]> {
    return guarded(() => {
      const removed = durable.transaction(() => {
        const handles = deletion().map(row => handle(row, 'handle'))
        if (handles.length > 0) log.append({ kind: 'revoked', handles, until })
        return handles
      })
      if (removed.length > 0) log.announce()
      return removed
    })
  }

  return {
    insert: async record => void await logins.call(record),

    find: handle => guarded(() => first(find(handle), sessionOf)),

    rotate: rotations.call,

    settled: async () => void await Promise.all([logins.settled(), rotations.settled()]),

    confirm: confirmations => guarded(() => {
      if (confirmations.length === 0) return
      confirm(JSON.stringify(confirmations.map(({ handle, generation, branch }) => [handle, generation, branch])))
    }),

    updateInfo: ({ handle, sessionInfo, expectedVersion, now }) => guarded(() =>
      updateInfo(sessionInfo, handle, now, expectedVersion) === 1),

    updatePayload: ({ handle, jwtPayload, now, until }) => guarded(() => {
      const version = durable.transaction(() => {
        const updated = first(updatePayload(jwtPayload, handle, now), row => integer(row, 'payload_version'))
        if (updated !== null) log.append({ kind: 'payload', handle, version: updated, until })
        return updated
      })
      if (version !== null) log.announce()
      return version
    }),

    remove: (handles, until) => revoke(() => remove(JSON.stringify(handles)), until),

    removeByUser: (userId, except, until) => revoke(() => removeByUser(userId, except), until),

    listByUser: (userId, { limit, after }) => guarded(() => {
      const { createdAt, handle } = decodePosition(after)
      return toPage(listByUser(userId, createdAt, handle, limit + 1).map(sessionOf), limit)
    }),

    removeExpired: (now, limit) => guarded(() => {
      log.prune(now)
      let removed = 0
      while (removed < limit) {
        const room = limit - removed
        const postponed = postpone(now, now, room)
        const swept = sweep(now, now, room)
        if (postponed + swept === 0) break
        removed += swept
      }
      return removed
    }),
  }
}

async function refuse(): Promise<never> {
  throw new GeneralError('MISUSE', 'a session with this handle exists')
}

function first<T>(rows: readonly Row[], read: (row: Row) => T): T | null {
  const row = rows[0]
  return row === undefined ? null : read(row)
}
