import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { NotBefore, Removal, SessionStore } from '../../session/store.ts'
import { everybody, notBeforeName } from '../not-before.ts'
import { decodePosition, encodePosition, toPage } from '../page-position.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { readHandle, readInteger } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import {
  keptUntil, listedColumns, listedSessionFromRow, sessionColumns, sessionFromRow, stateColumns, stateValues,
} from '../sql/session-row.ts'
import { appendChange, durably, lazily } from './change-log.ts'
import { createCleanup } from './cleanup.ts'
import type { Database } from './database.ts'
import { createInsert } from './insert.ts'
import type { PostgresNames } from './names.ts'
import { createReauthenticate, createRotate } from './rotate.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'listByUser'
  | 'removeExpired'> {
  /** Resolves once every login and rotation has its result. */
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
  const find = database.statement(`SELECT ${columns} FROM ${table} WHERE handle = $1`, { repeatable: true })
  // As for rotations, the batch does not wait for locks. What it did not confirm is then confirmed one by one.
  const confirmTogether = database.statement(
    `WITH matching AS (
       SELECT kept.handle FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS given (handle, generation, branch)
       JOIN ${table} AS kept USING (handle, generation, branch)
       FOR UPDATE OF kept SKIP LOCKED
     )
     UPDATE ${table} SET confirmed = 1
     WHERE handle = ANY (ARRAY (SELECT handle FROM matching)) AND ${lazily} IS NOT NULL
     RETURNING handle`, { repeatable: true })
  const confirm = database.statement(
    `UPDATE ${table} SET confirmed = 1 WHERE handle = $1 AND generation = $2 AND branch = $3 RETURNING ${lazily}`,
    { repeatable: true })
  const updateInfo = database.statement(
    `UPDATE ${table} SET session_info = $2, info_version = info_version + 1
     WHERE handle = $1 AND expires_at > $3 AND info_version = coalesce($4, info_version)
     RETURNING ${durably}`)
  const updatePayload = database.statement(
    `WITH updated AS (
       UPDATE ${table} SET jwt_payload = $2, payload_version = payload_version + 1
       WHERE handle = $1 AND expires_at > $3 RETURNING payload_version, access_token_lifetime
     ),
     ${appendChange(names, 'updated', {
       kind: 'payload',
       handles: 'json_build_array($1::text)::text',
       version: 'payload_version',
       until: '$4::bigint + access_token_lifetime',
       entry: '$5',
     })}
     SELECT payload_version, access_token_lifetime, ${durably} FROM updated`)
  const remove = database.statement(`WITH ${removal(names, 'handle = ANY ($1::text[])', '$2', '$3')} ${removed}`)
  const removeUnchanged = database.statement(`WITH ${removal(
    names, ['handle', ...stateColumns].map((column, index) => `${column} = $${index + 1}`).join(' AND '), '$9', '$10')}
    ${removed}`)
  // Returns a row for each session that it looked at; the lifetime of those that it keeps is null.
  const removeByUser = database.statement(
    `WITH seen AS MATERIALIZED (
       SELECT handle, created_at, tenant_id FROM ${table} WHERE user_id = $1 AND (created_at, handle) < ($2, $3)
       ORDER BY created_at DESC, handle DESC LIMIT $4::bigint
     ),
     ${removal(names, `handle = ANY (ARRAY (
       SELECT handle FROM seen WHERE ($5::text IS NULL OR tenant_id = $5) AND handle IS DISTINCT FROM $6
     ))`, '$7', '$8')}
     SELECT handle, created_at, access_token_lifetime, ${durably} FROM seen LEFT JOIN gone USING (handle)
     ORDER BY created_at DESC, handle DESC`)
  const refuseBefore = database.statement(
    `INSERT INTO ${names.notBefore} AS known (name, time, until) VALUES ($1, $2, $3) ON CONFLICT (name)
     DO UPDATE SET time = greatest(known.time, excluded.time), until = greatest(known.until, excluded.until)
     RETURNING ${durably}`, { repeatable: true })
  const removePage = database.statement(
    `DELETE FROM ${table} WHERE handle = ANY (ARRAY (
       SELECT handle FROM ${table} WHERE handle > $1 AND created_at <= $2 ORDER BY handle LIMIT $3::bigint FOR UPDATE
     )) RETURNING handle, ${durably}`)
  const listByUser = database.statement(
    `SELECT ${listedColumns.join(', ')} FROM ${table} WHERE user_id = $1 AND (created_at, handle) < ($2, $3)
     ORDER BY created_at DESC, handle DESC LIMIT $4::bigint`, { repeatable: true })
  const setNotBefore = (name: string, { time, until }: NotBefore): Promise<unknown> => refuseBefore(name, time, until)

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
      const confirmed = new Set(rows.map(handleOf))
      for (const { handle, generation, branch } of confirmations) {
        if (!confirmed.has(handle)) await confirm(handle, generation, branch)
      }
    },

    updateInfo: async ({ handle, sessionInfo, expectedVersion, now }) =>
      (await updateInfo(handle, sessionInfo, now, expectedVersion)).length === 1,

    updatePayload: async ({ handle, jwtPayload, now, from }) => first(
      await updatePayload(handle, jwtPayload, now, from, createEntryId()),
      row => ({ version: readInteger(row, 'payload_version'), until: keptUntil([row], from) })),

    remove: async (handles, from) =>
      removalOf(handles.length === 0 ? [] : await remove(handles, from, createEntryId()), from),

    removeUnchanged: async (handle, state, from) =>
      removalOf(await removeUnchanged(handle, ...stateValues(state), from, createEntryId()), from),

    async removeByUser({ userId, tenantId, except, from, notBefore, limit, after }) {
      if (after === null) await setNotBefore(notBeforeName({ userId, tenantId }), notBefore)
      const { createdAt, handle } = decodePosition(after)
      const seen = await removeByUser(userId, createdAt, handle, limit, tenantId, except, from, createEntryId())
      const last = seen[limit - 1]
      return {
        ...removalOf(seen.filter(row => row['access_token_lifetime'] !== null), from),
        next: last === undefined
          ? null
          : encodePosition({ createdAt: readInteger(last, 'created_at'), handle: handleOf(last) }),
      }
    },

    async removeAll({ notBefore, limit, after }) {
      if (after === null) await setNotBefore(everybody, notBefore)
      const handles = (await removePage(after ?? '', notBefore.time, limit)).map(handleOf).sort()
      return { removed: handles.length, next: handles.length < limit ? null : handles.at(-1) ?? null }
    },

    async listByUser(userId, { limit, after }) {
      const { createdAt, handle } = decodePosition(after)
      return toPage((await listByUser(userId, createdAt, handle, limit + 1)).map(listedSessionFromRow), limit)
    },

    removeExpired: createCleanup(database, names),

    settled: async () => void await Promise.all([logins.settled(), rotations.settled()]),
  }
}

/**
 * The parts of a WITH clause that delete the sessions that meet the condition (`gone`) and append one change that names
 * them. The log keeps the change as long as their access tokens live.
 */
function removal(names: PostgresNames, condition: string, from: string, entry: string): string {
  return `
    doomed AS (SELECT handle FROM ${names.session} WHERE ${condition} ORDER BY handle FOR UPDATE),
    gone AS (
      DELETE FROM ${names.session} WHERE handle = ANY (ARRAY (SELECT handle FROM doomed))
      RETURNING handle, access_token_lifetime
    ),
    told AS (
      SELECT json_agg(handle)::text AS handles, ${from}::bigint + max(access_token_lifetime) AS kept_until FROM gone
      HAVING count(*) > 0
    ),
    ${appendChange(names, 'told', { kind: 'revoked', handles: 'handles', version: '0', until: 'kept_until', entry })}`
}

/** Returns what {@link removal} deleted, durably. */
const removed = `SELECT handle, access_token_lifetime, ${durably} FROM gone`

function removalOf(rows: readonly Row[], from: EpochMilliseconds): Removal {
  return { handles: rows.map(handleOf), until: keptUntil(rows, from) }
}

function handleOf(row: Row): SessionHandle {
  return readHandle(row, 'handle')
}

function first<T>(rows: readonly Row[], read: (row: Row) => T): T | null {
  const row = rows[0]
  return row === undefined ? null : read(row)
}
