import type { SessionHandle } from '../../base/handle.ts'
import type { SessionStore } from '../../session/store.ts'
import { countForNewest, toNewestPage } from '../newest-page.ts'
import { decodePosition, toPage } from '../page-position.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { readHandle, readInteger } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import { keptUntil, listedColumns, listedSessionFromRow, sessionColumns, sessionFromRow } from '../sql/session-row.ts'
import { appendChange, durably, lazily, uncached } from './change-log.ts'
import { createCleanup } from './cleanup.ts'
import type { Database } from './database.ts'
import { createInsert } from './insert.ts'
import type { PostgresNames } from './names.ts'
import { createRemovals } from './removals.ts'
import { createReauthenticate, createRotate } from './rotate.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'listByUser'
  | 'listNewest' | 'removeExpired'> {
  /** Resolves once every login, rotation and removal has its result. */
  settled(): Promise<void>
}

/**
 * The sessions in the database; each method is usually one statement. Logins, revocations and updates are durable
 * before they are acknowledged. Rotations, confirmations and the cleanup do not wait for the disk (design law 6), nor
 * for locks while they hold some. Statements that do wait for several rows lock them in the order of their handles,
 * and the change log last, so that none can deadlock. They look rows up by an array and not by a join, because for a
 * join the planner may scan the table if it cannot estimate the number of rows.
 */
export function createSessionTable(database: Database, names: PostgresNames): SessionTable {
  const table = names.session
  const columns = sessionColumns.join(', ')
  const logins = createInsert(database, names)
  const rotations = createRotate(database, names)
  const { settled: removalsSettled, ...removals } = createRemovals(database, names)
  const find = database.statement(`SELECT ${columns} FROM ${table} WHERE handle = $1 AND ${uncached}`, {
    repeatable: true,
  })
  // As for rotations, the batch does not wait for locks. It returns what is left: the sessions that it found
  // unconfirmed and locked, which are then confirmed one by one. What is confirmed is neither locked nor written.
  const unconfirmed = `
    SELECT kept.handle FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS given (handle, generation, branch)
    JOIN ${table} AS kept USING (handle, generation, branch)
    WHERE kept.handle = ANY ($1::text[]) AND kept.confirmed = 0`
  const confirmTogether = database.statement(
    `WITH matching AS (${unconfirmed} FOR UPDATE OF kept SKIP LOCKED),
     updated AS (
       UPDATE ${table} SET confirmed = 1
       WHERE handle = ANY (ARRAY (SELECT handle FROM matching)) AND ${lazily} IS NOT NULL
     )
     ${unconfirmed} AND kept.handle <> ALL (ARRAY (SELECT handle FROM matching))`, { repeatable: true })
  const confirm = database.statement(
    `UPDATE ${table} SET confirmed = 1 WHERE handle = $1 AND generation = $2 AND branch = $3 AND confirmed = 0
     RETURNING ${lazily}`, { repeatable: true })
  const updateInfo = database.statement(
    `UPDATE ${table} SET session_info = $2, info_version = info_version + 1
     WHERE handle = $1 AND expires_at > $3 AND info_version = coalesce($4, info_version)
     RETURNING ${durably}`)
  const updatePayload = database.statement(
    `WITH updated AS (
       UPDATE ${table} SET jwt_payload = $2, payload_version = payload_version + 1
       WHERE handle = $1 AND expires_at > $3 AND payload_version = coalesce($6, payload_version)
       RETURNING payload_version, access_token_lifetime
     ),
     ${appendChange(names, 'updated', {
       kind: 'payload',
       handles: 'json_build_array($1::text)::text',
       version: 'payload_version',
       until: '$4::bigint + access_token_lifetime',
       entry: '$5',
     })}
     SELECT payload_version, access_token_lifetime, ${durably} FROM updated`)
  const listByUser = database.statement(
    `SELECT ${listedColumns.join(', ')} FROM ${table} WHERE user_id = $1 AND (created_at, handle) < ($2, $3)
       AND ${uncached}
     ORDER BY created_at DESC, handle DESC LIMIT $4::bigint`, { repeatable: true })
  const listNewest = database.statement(
    `SELECT ${listedColumns.join(', ')} FROM ${table} WHERE (created_at, handle) < ($1, $2) AND ${uncached}
     ORDER BY created_at DESC, handle DESC LIMIT $3::bigint`, { repeatable: true })
  return {
    insert: async record => (await logins.call(record)).inserted,

    find: async handle => first(await find(handle), sessionFromRow),

    rotate: rotations.call,

    reauthenticate: createReauthenticate(database, names),

    async confirm(confirmations) {
      if (confirmations.length === 0) return
      const rows = await confirmTogether(
        confirmations.map(each => each.handle), confirmations.map(each => each.generation),
        confirmations.map(each => each.branch))
      const left = new Set(rows.map(handleOf))
      for (const { handle, generation, branch } of confirmations) {
        if (left.has(handle)) await confirm(handle, generation, branch)
      }
    },

    updateInfo: async ({ handle, sessionInfo, expectedVersion, now }) =>
      (await updateInfo(handle, sessionInfo, now, expectedVersion)).length === 1,

    updatePayload: async ({ handle, jwtPayload, expectedVersion, now, from }) => first(
      await updatePayload(handle, jwtPayload, now, from, createEntryId(), expectedVersion),
      row => ({ version: readInteger(row, 'payload_version'), until: keptUntil([row], from) })),

    ...removals,

    async listByUser(userId, { limit, after }) {
      const { createdAt, handle } = decodePosition(after)
      return toPage((await listByUser(userId, createdAt, handle, limit + 1)).map(listedSessionFromRow), limit)
    },

    async listNewest(filter, page) {
      const { createdAt, handle } = decodePosition(page.after)
      const rows = await listNewest(createdAt, handle, countForNewest(filter, page.limit))
      return toNewestPage(rows.map(listedSessionFromRow), filter, page.limit)
    },

    removeExpired: createCleanup(database, names),

    settled: async () => void await Promise.all([logins.settled(), rotations.settled(), removalsSettled()]),
  }
}

function handleOf(row: Row): SessionHandle {
  return readHandle(row, 'handle')
}

function first<T>(rows: readonly Row[], read: (row: Row) => T): T | null {
  const row = rows[0]
  return row === undefined ? null : read(row)
}
