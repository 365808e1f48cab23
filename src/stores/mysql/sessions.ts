import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NotBefore, Removal, Rotation, SessionStore } from '../../session/store.ts'
import { batch } from '../batch.ts'
import { everybody, notBeforeName, notBeforeNames } from '../not-before.ts'
import { decodePosition, toPage } from '../page-position.ts'
import { readHandle as handleIn, readInteger } from '../sql/row.ts'
import { rotateAll } from '../sql/rotate-all.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import {
  keptUntil, sessionColumns, sessionFromRow, sessionValues, stateColumns, stateValues,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import { chunks, padded, placeholders, selection } from './columns.ts'
import type { Database, Runner } from './database.ts'
import { isDuplicate } from './errors.ts'
import {
  createReauthenticate, createRotateAndRead, createRotateAtOnce, createRotateTogether, firstSession,
} from './rotate.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'listByUser'
  | 'removeExpired'> {
  /** Resolves once every rotation has its result. */
  settled(): Promise<void>
}

const CHUNK = 512

/** The sessions in the database. */
export function createSessionTable(database: Database, log: ChangeLog, names: TableNames): SessionTable {
  const table = names.session
  const columns = selection(sessionColumns)
  const insert =
    `INSERT INTO ${table} (${sessionColumns.join(', ')}, sweep_at) VALUES (${sessionColumns.map(() => '?').join(', ')}, ?)`
  const refusing = `SELECT time FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ?`
  const refuseBefore =
    `INSERT INTO ${names.notBefore} (name, time, until) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE time = GREATEST(time, VALUES(time)), until = GREATEST(until, VALUES(until))`
  const forgetNotBefores = `DELETE FROM ${names.notBefore} WHERE until <= ? ORDER BY until LIMIT 10000`
  const find = `SELECT ${columns} FROM ${table} WHERE handle = ?`
  const rotateAtOnce = createRotateAtOnce(table)
  const rotateAndRead = createRotateAndRead(table)
  const rotateTogether = createRotateTogether(table)
  const reauthenticate = createReauthenticate(table)
  const confirm = (count: number): string =>
    `UPDATE ${table} SET confirmed = 1 WHERE handle IN (${placeholders(count, '?')})
     AND (handle, generation, branch) IN (${placeholders(count, '(?, ?, ?)')})`
  const updateInfo =
    `UPDATE ${table} SET session_info = ?, info_version = info_version + 1
     WHERE handle = ? AND expires_at > ? AND info_version = COALESCE(?, info_version)`
  const updatePayload =
    `UPDATE ${table} SET jwt_payload = ?, payload_version = LAST_INSERT_ID(payload_version + 1)
     WHERE handle = ? AND expires_at > ?`
  const lifetime = `SELECT access_token_lifetime FROM ${table} WHERE handle = ?`
  const lock = (condition: string): string =>
    `SELECT handle, access_token_lifetime FROM ${table} WHERE ${condition} ORDER BY handle FOR UPDATE`
  const lockOfUser = lock('user_id = ? AND tenant_id = COALESCE(?, tenant_id) AND handle <> ?')
  const lockUnchanged = lock(['handle', ...stateColumns].map(column => `${column} = ?`).join(' AND '))
  const lockThese = (count: number): string => lock(`handle IN (${placeholders(count, '?')})`)
  const lockPage = (limit: number): string =>
    `SELECT handle FROM ${table} WHERE handle > ? AND created_at <= ? ORDER BY handle LIMIT ${limit} FOR UPDATE`
  const removeThese = (count: number): string =>
    `DELETE FROM ${table} WHERE handle IN (${placeholders(count, '?')})`
  const listByUser = (limit: number): string =>
    `SELECT ${columns} FROM ${table}
     WHERE user_id = ? AND created_at <= ? AND (created_at < ? OR handle < ?)
     ORDER BY created_at DESC, handle DESC LIMIT ${limit}`
  const due = (limit: number): string =>
    `SELECT handle, expires_at FROM ${table} WHERE sweep_at <= ? ORDER BY sweep_at LIMIT ${limit}`
  const postpone = (count: number): string =>
    `UPDATE ${table} SET sweep_at = expires_at WHERE handle IN (${placeholders(count, '?')}) AND expires_at > ?`
  const sweep = (count: number): string =>
    `DELETE FROM ${table} WHERE handle IN (${placeholders(count, '?')}) AND expires_at <= ?`
  const forget = `DELETE FROM ${names.change} WHERE until <= ? ORDER BY until LIMIT 10000`

  /** Runs a statement for each part of a list. Returns how many rows it changed in all. */
  async function changeEach(
    runner: Runner,
    handles: readonly SessionHandle[],
    statement: (count: number) => string,
    ...rest: readonly SqlValue[]
  ): Promise<number> {
    let changed = 0
    for (const part of chunks(handles, CHUNK)) {
      changed += (await runner.change(statement(part.length), [...padded(part), ...rest])).rows
    }
    return changed
  }

  /** Removes the sessions of locked rows and appends the change. */
  async function revoke(runner: Runner, locked: readonly Row[], from: EpochMilliseconds): Promise<Removal> {
    const removal = { handles: locked.map(row => handleIn(row, 'handle')), until: keptUntil(locked, from) }
    if (locked.length === 0) return removal
    await changeEach(runner, removal.handles, removeThese)
    await log.append(runner, { kind: 'revoked', ...removal })
    return removal
  }

  const settingNotBefore = (name: string, { time, until }: NotBefore) => ({ change }: Runner): Promise<unknown> =>
    change(refuseBefore, [name, time, until])

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
      return database.run(async ({ rows, change }) => {
        try {
          if (!added) await change(insert, [...sessionValues(record), record.expiresAt])
        } catch (error) {
          if (isDuplicate(error)) throw new GeneralError('MISUSE', 'a session with this handle exists')
          throw error
        }
        added = true
        const isRefused = (await rows(refusing, [...notBeforeNames(record), record.createdAt])).length > 0
        if (isRefused) await change(removeThese(1), [record.handle])
        return !isRefused
      })
    },

    find: handle => database.run(({ rows }) => firstSession(rows(find, [handle])), { repeatable: true }),

    rotate: rotations.call,

    reauthenticate: reauthentication => database.transaction(runner => reauthenticate(runner, reauthentication)),

    confirm: confirmations => database.run(async ({ change }) => {
      for (const part of chunks(confirmations, CHUNK)) {
        const all = padded(part)
        await change(confirm(part.length), [
          ...all.map(each => each.handle), ...all.flatMap(each => [each.handle, each.generation, each.branch]),
        ])
      }
    }, { repeatable: true }),

    updateInfo: ({ handle, sessionInfo, expectedVersion, now }) => database.run(async ({ change }) =>
      (await change(updateInfo, [sessionInfo, handle, now, expectedVersion])).rows === 1),

    updatePayload: ({ handle, jwtPayload, now, from }) => database.transaction(async runner => {
      const { rows, insertId: version } = await runner.change(updatePayload, [jwtPayload, handle, now])
      if (rows === 0) return null
      const until = keptUntil(await runner.rows(lifetime, [handle]), from)
      await log.append(runner, { kind: 'payload', handle, version, until })
      return { version, until }
    }),

    remove: (handles, from) => database.transaction(async runner => {
      const locked: Row[] = []
      for (const part of chunks(handles.toSorted(), CHUNK)) {
        locked.push(...await runner.rows(lockThese(part.length), padded(part)))
      }
      return revoke(runner, locked, from)
    }),

    removeUnchanged: (handle, state, from) => database.transaction(async runner =>
      revoke(runner, await runner.rows(lockUnchanged, [handle, ...stateValues(state)]), from)),

    removeByUser: ({ userId, tenantId, except, from, notBefore }) => database.transaction(
      async runner => revoke(runner, await runner.rows(lockOfUser, [userId, tenantId, except ?? '']), from),
      settingNotBefore(notBeforeName({ userId, tenantId }), notBefore)),

    removeAll: ({ notBefore, limit, after }) => database.transaction(async runner => {
      const rows = await runner.rows(lockPage(limit), [after ?? '', notBefore.time])
      const handles = rows.map(row => handleIn(row, 'handle'))
      await changeEach(runner, handles, removeThese)
      return { removed: handles.length, next: handles.length < limit ? null : handles.at(-1) ?? null }
    }, after === null ? settingNotBefore(everybody, notBefore) : undefined),

    listByUser: (userId, { limit, after }) => {
      const { createdAt, handle } = decodePosition(after)
      return database.run(async ({ rows }) => {
        const read = await rows(listByUser(limit + 1), [userId, createdAt, createdAt, handle])
        return toPage(read.map(sessionFromRow), limit)
      }, { repeatable: true })
    },

    removeExpired: (now, limit) => database.run(async runner => {
      await runner.change(forget, [now])
      await runner.change(forgetNotBefores, [now])
      let removed = 0
      while (removed < limit) {
        const remaining = limit - removed
        const rows = await runner.rows(due(remaining), [now])
        const live = rows.filter(row => readInteger(row, 'expires_at') > now).map(row => handleIn(row, 'handle'))
        const dead = rows.filter(row => readInteger(row, 'expires_at') <= now).map(row => handleIn(row, 'handle'))
        await changeEach(runner, live, postpone, now)
        removed += await changeEach(runner, dead, sweep, now)
        if (rows.length < remaining) break
      }
      return removed
    }),

    settled: rotations.settled,
  }
}
