import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import { REMOVAL_LIMIT } from '../../session/store.ts'
import type { NotBefore, Removal, SessionStore } from '../../session/store.ts'
import { batch } from '../batch.ts'
import { ALL_USERS, notBeforeName } from '../not-before.ts'
import { decodePosition, encodePosition } from '../page-position.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { readHandle, readInteger, readText, rowOf } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import { keptUntil, stateColumns, stateValues } from '../sql/session-row.ts'
import { groupsOf, shareRemoved } from '../sql/share-removed.ts'
import type { RemovalCall } from '../sql/share-removed.ts'
import { appendChange, durably } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

/** The methods of the port that remove sessions before they expire. */
export interface Removals extends Pick<SessionStore, 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll'> {
  /** Resolves once every call of `remove` has its result. */
  settled(): Promise<void>
}

/**
 * Removes sessions, durably. All changes of the log are appended one after the other, each when the one before it is on
 * the disk. So the removals of a process share changes: those of one tick of the event loop, and those that come while
 * others are on their way.
 */
export function createRemovals(database: Database, names: PostgresNames): Removals {
  const table = names.session
  const named = 'handle = ANY ($1::text[])'
  const remove = database.statement(`WITH ${removal(names, named, '$2', '$3')} ${returned}`)
  // Does not wait for locks, so that a locked session delays nothing but its own removal. Sessions that it found locked
  // are returned without a lifetime.
  const removeTogether = database.statement(
    `WITH ${removal(names, named, '$2', '$3', 'SKIP LOCKED')} ${returned}
     UNION ALL
     SELECT handle, NULL, NULL FROM ${table} WHERE ${named} AND handle <> ALL (ARRAY (SELECT handle FROM gone))`)
  const removeUnchanged = database.statement(`WITH ${removal(
    names, ['handle', ...stateColumns].map((column, index) => `${column} = $${index + 1}`).join(' AND '), '$9', '$10')}
    ${returned}`)
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
    `WITH seen AS MATERIALIZED (
       SELECT handle, created_at FROM ${table} WHERE handle > $1 ORDER BY handle LIMIT $3::bigint
     ),
     doomed AS (
       SELECT handle FROM ${table} WHERE handle = ANY (ARRAY (SELECT handle FROM seen WHERE created_at <= $2))
       ORDER BY handle FOR UPDATE
     ),
     gone AS (DELETE FROM ${table} WHERE handle = ANY (ARRAY (SELECT handle FROM doomed)) RETURNING handle)
     SELECT (SELECT count(*) FROM gone) AS removed, count(*) AS seen, max(handle) AS last, ${durably} FROM seen`)

  const setNotBefore = (name: string, { time, until }: NotBefore): Promise<unknown> => refuseBefore(name, time, until)

  const removeAlone = async ({ handles, from }: RemovalCall): Promise<Removal> =>
    removalOf(await remove(handles, from, createEntryId()), from)

  async function removeGroup(calls: readonly RemovalCall[]): Promise<readonly (Removal | Promise<Removal>)[]> {
    const from = Math.max(...calls.map(call => call.from))
    let rows: readonly Row[]
    try {
      rows = await removeTogether(calls.flatMap(({ handles }) => handles), from, createEntryId())
    } catch (error) {
      // A refused statement has written nothing.
      if (error instanceof GeneralError && refusedStatement(error.cause)) return calls.map(removeAlone)
      throw error
    }
    const isGone = (row: Row): boolean => row['access_token_lifetime'] !== null
    const locked = new Set(rows.filter(row => !isGone(row)).map(handleOf))
    return shareRemoved(calls, removalOf(rows.filter(isGone), from), locked, removeAlone)
  }

  const removals = batch(removeAlone, async calls => {
    const groups = groupsOf(calls, REMOVAL_LIMIT).map(async group => removeGroup(group))
    return (await Promise.all(groups)).flat()
  }, REMOVAL_LIMIT, 1)

  return {
    remove: async (handles, from) => handles.length === 0 ? removalOf([], from) : removals.call({ handles, from }),

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
      if (after === null) await setNotBefore(ALL_USERS, notBefore)
      const page = rowOf((await removePage(after ?? '', notBefore.time, limit))[0])
      return {
        removed: readInteger(page, 'removed'),
        next: readInteger(page, 'seen') < limit ? null : readText(page, 'last'),
      }
    },

    settled: removals.settled,
  }
}

/**
 * The parts of a WITH clause that delete the sessions that meet the condition (`gone`) and append one change that names
 * them. The log keeps the change as long as their access tokens live.
 */
function removal(names: PostgresNames, condition: string, from: string, entry: string, locked = ''): string {
  return `
    doomed AS (SELECT handle FROM ${names.session} WHERE ${condition} ORDER BY handle FOR UPDATE ${locked}),
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
const returned = `SELECT handle, access_token_lifetime, ${durably} FROM gone`

function removalOf(rows: readonly Row[], from: EpochMilliseconds): Removal {
  return { handles: rows.map(handleOf), until: keptUntil(rows, from) }
}

function handleOf(row: Row): SessionHandle {
  return readHandle(row, 'handle')
}
