import { GeneralError } from '../../base/errors.ts'
import type { SessionStore } from '../../session/store.ts'
import { countForNewest, toNewestPage } from '../newest-page.ts'
import { notBeforeNames } from '../not-before.ts'
import { decodePosition, toPage } from '../page-position.ts'
import { readInteger } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import {
  expectedValues, listedSessionFromRow, nextValues, reauthenticatedValues, rotatedSessionFromRow, sessionFromRow,
  sessionValues,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import type { ChangeLog } from './change-log.ts'
import { statement } from './run.ts'
import type { Runner } from './run.ts'

/** The methods of the port that read and write sessions, except for removals. */
export type SessionTable = Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm' | 'updateInfo'
  | 'updatePayload' | 'listByUser' | 'listNewest'>

/** The sessions in the database. Each call is one round trip; only a login that was refused takes a second one. */
export function createSessionTable({ one, all }: Runner, log: ChangeLog, names: TableNames): SessionTable {
  const texts = sqliteStatements(names)
  const insert = statement(`${texts.insert} RETURNING 1`)
  const exists = statement(texts.exists)
  const find = statement(texts.find)
  const rotate = statement(texts.rotate)
  const reauthenticate = statement(texts.reauthenticate)
  const confirm = statement(texts.confirm)
  const updateInfo = statement(`${texts.updateInfo} RETURNING 1`)
  const updatePayload = statement(texts.updatePayload)
  // Before the update, under the same condition: what the update will return cannot be used by another statement.
  const appendPayload = log.append(
    `SELECT 'payload', json_array(handle), payload_version + 1, ? + access_token_lifetime FROM ${names.session}
     WHERE handle = ? AND expires_at > ? AND payload_version = ifnull(?, payload_version)`)
  const listByUser = statement(texts.listByUser)
  const listNewest = statement(texts.listNewest)

  return {
    async insert(record) {
      const inserted = await one(insert(
        ...sessionValues(record), record.expiresAt, ...notBeforeNames(record), record.createdAt))
      if (inserted.length === 1) return true
      if ((await one(exists(record.handle))).length === 0) return false
      throw new GeneralError('MISUSE', 'a session with this handle exists')
    },

    find: async handle => first(await one(find(handle)), sessionFromRow),

    rotate: async rotation => first(
      await one(rotate(...expectedValues(rotation), ...nextValues(rotation.next))),
      row => rotatedSessionFromRow(rotation, row)),

    reauthenticate: async reauthentication => first(
      await one(reauthenticate(...expectedValues(reauthentication), ...reauthenticatedValues(reauthentication))),
      row => rotatedSessionFromRow(reauthentication, row)),

    async confirm(confirmations) {
      if (confirmations.length === 0) return
      await one(confirm(JSON.stringify(
        confirmations.map(({ handle, generation, branch }) => [handle, generation, branch]))))
    },

    updateInfo: async ({ handle, sessionInfo, expectedVersion, now }) => (
      (await one(updateInfo(sessionInfo, handle, now, expectedVersion))).length === 1
    ),

    async updatePayload({ handle, jwtPayload, expectedVersion, now, from }) {
      const [, updated = []] = await all(
        appendPayload(from, handle, now, expectedVersion), updatePayload(jwtPayload, handle, now, expectedVersion))
      const change = first(updated, row => ({
        version: readInteger(row, 'payload_version'), until: from + readInteger(row, 'access_token_lifetime'),
      }))
      if (change !== null) log.announce()
      return change
    },

    async listByUser(userId, { limit, after }) {
      const { createdAt, handle } = decodePosition(after)
      return toPage((await one(listByUser(userId, createdAt, handle, limit + 1))).map(listedSessionFromRow), limit)
    },

    async listNewest(filter, page) {
      const { createdAt, handle } = decodePosition(page.after)
      const rows = await one(listNewest(createdAt, handle, countForNewest(filter, page.limit)))
      return toNewestPage(rows.map(listedSessionFromRow), filter, page.limit)
    },
  }
}

function first<T>(rows: readonly Row[], read: (row: Row) => T): T | null {
  const row = rows[0]
  return row === undefined ? null : read(row)
}
