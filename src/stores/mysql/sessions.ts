import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NotBefore, Removal, Rotation, SessionStore } from '../../session/store.ts'
import { batchRemovals } from '../batch-removals.ts'
import { batch } from '../batch.ts'
import { countForNewest, toNewestPage } from '../newest-page.ts'
import { ALL_USERS, notBeforeName, notBeforeNames } from '../not-before.ts'
import { decodePosition, encodePosition, toPage } from '../page-position.ts'
import { readHandle as handleIn, readInteger } from '../sql/row.ts'
import { rotateAll } from '../sql/rotate-all.ts'
import type { Row } from '../sql/row.ts'
import {
  keptUntil, listedColumns, listedSessionFromRow, sessionColumns, sessionValues, stateColumns, stateValues,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import { byKey, deleteByKeys, deleteEach, limitValue, padded, placeholders, selection } from './columns.ts'
import { together } from './database.ts'
import type { Database, Runner } from './database.ts'
import { isDuplicate } from './errors.ts'
import {
  createReauthenticate, createRotateAndRead, createRotateAtOnce, createRotateTogether, firstSession,
} from './rotate.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'listByUser'
  | 'listNewest'> {
  /** Resolves once every rotation and revocation has its result. */
  settled(): Promise<void>
}

/** The sessions in the database. */
export function createSessionTable(database: Database, log: ChangeLog, names: TableNames): SessionTable {
  const table = names.session
  const marks = sessionColumns.map(() => '?').join(', ')
  const insert = `INSERT INTO ${table} (${sessionColumns.join(', ')}, sweep_at) VALUES (${marks}, ?)`
  const refusing = `SELECT time FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ?`
  const refuseBefore =
    `INSERT INTO ${names.notBefore} (name, time, until) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE time = GREATEST(time, VALUES(time)), until = GREATEST(until, VALUES(until))`
  const find = `SELECT ${selection(sessionColumns)} FROM ${table} WHERE handle = ?`
  const rotateAtOnce = createRotateAtOnce(table)
  const rotateAndRead = createRotateAndRead(table)
  const rotateTogether = createRotateTogether(table)
  const reauthenticate = createReauthenticate(table)
  const confirm = (count: number): string =>
    `UPDATE ${byKey(table)} SET confirmed = 1 WHERE handle IN (${placeholders(count, '?')}) AND confirmed = 0
     AND (handle, generation, branch) IN (${placeholders(count, '(?, ?, ?)')})`
  const updateInfo =
    `UPDATE ${table} SET session_info = ?, info_version = info_version + 1
     WHERE handle = ? AND expires_at > ? AND info_version = COALESCE(?, info_version)`
  const updatePayload =
    `UPDATE ${table} SET jwt_payload = ?, payload_version = LAST_INSERT_ID(payload_version + 1)
     WHERE handle = ? AND expires_at > ? AND payload_version = COALESCE(?, payload_version)`
  const lifetime = `SELECT access_token_lifetime FROM ${table} WHERE handle = ?`
  const lock = (condition: string): string =>
    `SELECT handle, access_token_lifetime FROM ${byKey(table)} WHERE ${condition} ORDER BY handle FOR UPDATE`
  const lockUnchanged = lock(['handle', ...stateColumns].map(column => `${column} = ?`).join(' AND '))
  const lockThese = (count: number): string => lock(`handle IN (${placeholders(count, '?')})`)
  const lockFree = (count: number): string => `${lockThese(count)} SKIP LOCKED`
  const lockOfTenant = (count: number): string =>
    lock(`handle IN (${placeholders(count, '?')}) AND tenant_id = COALESCE(?, tenant_id)`)
  const page = (limit: number): string => `SELECT handle FROM ${table} WHERE handle > ? ORDER BY handle LIMIT ${limit}`
  const removeThese = deleteByKeys(table, 'handle')
  const removeOlder = deleteByKeys(table, 'handle', 'created_at <= ?')
  // The hint makes the server begin at the position, however many sessions have the same time.
  const newestFirst = (columns: readonly string[], index: string, condition: string): string =>
    `SELECT ${selection(columns)} FROM ${table} FORCE INDEX (${index})
     WHERE ${condition} (created_at < ? OR (created_at = ? AND handle < ?))
     ORDER BY created_at DESC, handle DESC LIMIT ?`
  const ofUser = (columns: readonly string[]): string => newestFirst(columns, 'by_user', 'user_id = ? AND')

  /** Removes the sessions of locked rows and appends the change. */
  async function revoke(runner: Runner, locked: readonly Row[], from: EpochMilliseconds): Promise<Removal> {
    const removal = { handles: locked.map(row => handleIn(row, 'handle')), until: keptUntil(locked, from) }
    if (locked.length === 0) return removal
    await deleteEach(runner, removeThese, removal.handles)
    await log.append(runner, { kind: 'revoked', ...removal })
    return removal
  }

  /** Removes sessions with one change. The locking statement waits for other transactions or skips their sessions. */
  const removing = (locking: (count: number) => string) =>
    (handles: readonly SessionHandle[], from: EpochMilliseconds): Promise<Removal> => database.transaction(
      async runner => {
        const locked = handles.length === 0 ? [] : await runner.rows(locking(handles.length), padded(handles))
        return revoke(runner, locked, from)
      })
  const removals = batchRemovals(removing(lockThese), removing(lockFree))

  /** Commits a not-before. A later search for sessions finds every login that does not see it. */
  async function setNotBefore({ change }: Runner, name: string, { time, until }: NotBefore): Promise<void> {
    await change(refuseBefore, [name, time, until])
  }

  // Repeatable, because a token always has the same child. If the first attempt was executed and its answer lost, the
  // second attempt finds another hash; the caller then reads the record and returns the same child.
  const rotateOne = (rotation: Rotation): Promise<SessionRecord | null> => database.run(runner => (
    (runner.isMariadb ? rotateAtOnce : rotateAndRead)(runner, rotation)
  ), { repeatable: true })

  // MySQL could update several sessions in one statement too, but could not report which.
  const rotations = batch(rotateOne, async all => await database.isMariadb()
    ? rotateAll(all, firsts => database.run(runner => rotateTogether(runner, firsts), { repeatable: true }), rotateOne)
    : all.map(rotateOne))

  return {
    insert(record) {
      let added = false
      return database.run(async runner => {
        const { rows, change } = runner
        try {
          if (!added) await change(insert, [...sessionValues(record), record.expiresAt])
        } catch (error) {
          if (isDuplicate(error)) throw new GeneralError('MISUSE', 'a session with this handle exists')
          throw error
        }
        added = true
        const isRefused = (await rows(refusing, [...notBeforeNames(record), record.createdAt])).length > 0
        if (isRefused) await deleteEach(runner, removeThese, [record.handle])
        return !isRefused
      })
    },

    find: handle => database.run(({ rows }) => firstSession(rows(find, [handle])), { repeatable: true }),

    rotate: rotations.call,

    reauthenticate: reauthentication => database.transaction(runner => reauthenticate(runner, reauthentication)),

    confirm: confirmations => database.run(async ({ change }) => {
      if (confirmations.length === 0) return
      const all = padded(confirmations)
      await change(confirm(confirmations.length), [
        ...all.map(each => each.handle), ...all.flatMap(each => [each.handle, each.generation, each.branch]),
      ])
    }, { repeatable: true }),

    updateInfo: ({ handle, sessionInfo, expectedVersion, now }) => database.run(async ({ change }) =>
      (await change(updateInfo, [sessionInfo, handle, now, expectedVersion])).rows === 1),

    updatePayload: ({ handle, jwtPayload, expectedVersion, now, from }) => database.transaction(async runner => {
      const { rows, insertId: version } = await runner.change(updatePayload, [jwtPayload, handle, now, expectedVersion])
      if (rows === 0) return null
      const until = keptUntil(await runner.rows(lifetime, [handle]), from)
      await log.append(runner, { kind: 'payload', handle, version, until })
      return { version, until }
    }),

    remove: (handles, from) => removals.call({ handles, from }),

    removeUnchanged: (handle, state, from) => database.transaction(async runner =>
      revoke(runner, await runner.rows(lockUnchanged, [handle, ...stateValues(state)]), from)),

    // The sessions are read without a lock and then locked by their key: to lock a range of the index would also lock
    // the gaps in it, into which others insert.
    removeByUser: ({ userId, tenantId, except, from, notBefore, limit, after }) => database.run(async runner => {
      if (after === null) await setNotBefore(runner, notBeforeName({ userId, tenantId }), notBefore)
      const { createdAt, handle } = decodePosition(after)
      const place = [userId, createdAt, createdAt, handle, limitValue(limit)]
      const seen = (await runner.rows(ofUser(['handle', 'created_at']), place))
        .map(row => ({ handle: handleIn(row, 'handle'), createdAt: readInteger(row, 'created_at') }))
      const last = seen[limit - 1]
      const next = last === undefined ? null : encodePosition(last)
      const handles = seen.map(place => place.handle).filter(each => each !== except)
      if (handles.length === 0) return { handles, until: from, next }
      const removal = await together(runner, async () => (
        revoke(runner, await runner.rows(lockOfTenant(handles.length), [...padded(handles), tenantId]), from)
      ))
      return { ...removal, next }
    }),

    removeAll: ({ notBefore, limit, after }) => database.run(async runner => {
      if (after === null) await setNotBefore(runner, ALL_USERS, notBefore)
      const handles = (await runner.rows(page(limit), [after ?? ''])).map(row => handleIn(row, 'handle'))
      const removed = await deleteEach(runner, removeOlder, handles, notBefore.time)
      return { removed, next: handles.length < limit ? null : handles.at(-1) ?? null }
    }),

    listByUser: (userId, { limit, after }) => {
      const { createdAt, handle } = decodePosition(after)
      return database.run(async ({ rows }) => {
        const read = await rows(ofUser(listedColumns), [userId, createdAt, createdAt, handle, limitValue(limit + 1)])
        return toPage(read.map(listedSessionFromRow), limit)
      }, { repeatable: true })
    },

    listNewest: (filter, page) => {
      const { createdAt, handle } = decodePosition(page.after)
      return database.run(async ({ rows }) => {
        const count = limitValue(countForNewest(filter, page.limit))
        const read = await rows(newestFirst(listedColumns, 'by_creation', ''), [createdAt, createdAt, handle, count])
        return toNewestPage(read.map(listedSessionFromRow), filter, page.limit)
      }, { repeatable: true })
    },

    settled: async () => void await Promise.all([rotations.settled(), removals.settled()]),
  }
}
