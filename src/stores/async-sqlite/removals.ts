import type { EpochMilliseconds } from '../../base/time.ts'
import type { Removal, SessionStore } from '../../session/store.ts'
import { ALL_USERS, notBeforeName } from '../not-before.ts'
import { decodePosition, encodePosition } from '../page-position.ts'
import { removeEach } from '../remove-each.ts'
import { readHandle, readInteger } from '../sql/row.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import { keptUntil, stateValues } from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { removing, sqliteStatements } from '../sqlite/statements.ts'
import type { ChangeLog } from './change-log.ts'
import { statement } from './run.ts'
import type { Runner, SqlStatement } from './run.ts'

/** The methods of the port that remove sessions. */
export type Removals = Pick<SessionStore, 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'removeExpired'>

/** Removes sessions, each time in one transaction with the change that names them. */
export function createRemovals({ one, all }: Runner, log: ChangeLog, names: TableNames): Removals {
  const texts = sqliteStatements(names)
  // The change comes first: after the deletion, nothing says what it has deleted.
  const revoking = (condition: string) => {
    const append = log.append(
      `SELECT 'revoked', json_group_array(handle), 0, ? + max(access_token_lifetime) FROM ${names.session}
       WHERE ${condition} HAVING count(*) > 0`)
    const remove = statement(removing(names, condition))
    return (from: EpochMilliseconds, ...values: SqlValue[]): readonly [SqlStatement, SqlStatement] => (
      [append(from, ...values), remove(...values)]
    )
  }
  const named = revoking(texts.isNamed)
  const unchanged = revoking(texts.isUnchanged)
  const ofUser = revoking(`handle IN (
    SELECT handle FROM (${texts.placesOfUser}) WHERE tenant_id = ifnull(?, tenant_id) AND handle IS NOT ?)`)
  const placesOfUser = statement(texts.placesOfUser)
  const refuseBefore = statement(texts.refuseBefore)
  const readPage = statement(texts.readPage)
  const removePage = statement(
    `DELETE FROM ${names.session} WHERE handle IN (${texts.readPage}) AND created_at <= ? RETURNING 1`)
  const postpone = statement(`${texts.postpone} RETURNING 1`)
  const sweep = statement(`${texts.sweep} RETURNING 1`)
  const forgets = [names.change, names.notBefore, names.event, names.importClaim]
    .map(table => statement(`${texts.forget(table)} RETURNING 1`))

  function removalOf(rows: readonly Row[] = [], from: EpochMilliseconds): Removal {
    if (rows.length > 0) log.announce()
    return { handles: rows.map(row => readHandle(row, 'handle')), until: keptUntil(rows, from) }
  }

  return {
    async remove(handles, from) {
      if (handles.length === 0) return removalOf([], from)
      const [, removed] = await all(...named(from, JSON.stringify(handles)))
      return removalOf(removed, from)
    },

    async removeUnchanged(handle, state, from) {
      const [, removed] = await all(...unchanged(from, handle, ...stateValues(state)))
      return removalOf(removed, from)
    },

    async removeByUser({ userId, tenantId, except, from, notBefore, limit, after }) {
      const { createdAt, handle } = decodePosition(after)
      const page = [userId, createdAt, handle, limit] as const
      const name = notBeforeName({ userId, tenantId })
      const [seen = [], , removed] = await all(
        placesOfUser(...page), ...ofUser(from, ...page, tenantId, except),
        ...after === null ? [refuseBefore(name, notBefore.time, notBefore.until)] : [])
      const last = seen[limit - 1]
      return {
        ...removalOf(removed, from),
        next: last === undefined
          ? null
          : encodePosition({ createdAt: readInteger(last, 'created_at'), handle: readHandle(last, 'handle') }),
      }
    },

    async removeAll({ notBefore, limit, after }) {
      const page = [after ?? '', limit] as const
      const [seen = [], removed = []] = await all(
        readPage(...page), removePage(...page, notBefore.time),
        ...after === null ? [refuseBefore(ALL_USERS, notBefore.time, notBefore.until)] : [])
      const last = seen[limit - 1]
      return { removed: removed.length, next: last === undefined ? null : readHandle(last, 'handle') }
    },

    removeExpired: (now, limit) => removeEach([
      ...forgets.map(forget => async () => ({
        removed: 0, more: (await one(forget(now, limit))).length === limit,
      })),
      async () => {
        const postponed = (await one(postpone(now, now, limit))).length
        const removed = postponed === limit ? 0 : (await one(sweep(now, now, limit - postponed))).length
        return { removed, more: postponed + removed === limit }
      },
    ]),
  }
}
