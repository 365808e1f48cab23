import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NotBefore, Removal, Rotation, SessionStore } from '../../session/store.ts'
import { nextEventLoopTurn } from '../background.ts'
import { batchRemovals } from '../batch-removals.ts'
import { batch } from '../batch.ts'
import { countForNewest, toNewestPage } from '../newest-page.ts'
import { ALL_USERS, notBeforeName, notBeforeNames } from '../not-before.ts'
import { decodePosition, encodePosition, toPage } from '../page-position.ts'
import { readHandle, readInteger, readText } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import {
  expectedValues, keptUntil, listedSessionFromRow, nextValues, reauthenticatedValues, rotatedSessionFromRow,
  sessionFromRow, sessionValues, stateValues,
} from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import type { Connections } from './connection.ts'
import { inParts } from './parts.ts'
import { removing, sqliteStatements } from './statements.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'listByUser'
  | 'listNewest'> {
  /** Resolves once every login, rotation and revocation has its result. */
  settled(): Promise<void>
}

/**
 * The sessions in the database. Logins, revocations and updates wait for the disk, rotations do not: if a power cut
 * undoes one, Keyturn accepts the newer token that the client has (design law 6).
 */
export function createSessionTable(
  { durable, fast, reads, writes }: Connections,
  log: ChangeLog,
  names: TableNames,
): SessionTable {
  const table = names.session
  const texts = sqliteStatements(names)
  const insert = durable.changes(texts.insert)
  const refuseBefore = durable.changes(texts.refuseBefore)
  const exists = durable.rows(texts.exists)
  const find = fast.rows(texts.find)
  const rotate = fast.tuples(texts.rotate)
  const reauthenticate = durable.tuples(texts.reauthenticate)
  const confirm = fast.changes(texts.confirm)
  const updateInfo = durable.changes(texts.updateInfo)
  const updatePayload = durable.rows(texts.updatePayload)
  const remove = durable.rows(removing(names, texts.isNamed))
  const removeUnchanged = durable.rows(removing(names, texts.isUnchanged))
  const readPage = durable.rows(texts.readPage)
  const removePage = durable.changes(`DELETE FROM ${table} WHERE handle > ? AND handle <= ? AND created_at <= ?`)
  const listByUser = fast.rows(texts.listByUser)
  const listNewest = fast.rows(texts.listNewest)
  const placesOfUser = durable.rows(texts.placesOfUser)

  const rotateOne = (rotation: Rotation): SessionRecord | null => first(
    rotate(...expectedValues(rotation), ...nextValues(rotation.next)), row => rotatedSessionFromRow(rotation, row))
  const rotations = batch(
    (rotation: Rotation) => writes.run(() => rotateOne(rotation)),
    all => writes.run(() => fast.transaction(() => all.map(rotateOne))))

  function insertOne(record: SessionRecord): InsertOutcome {
    const conditions = [...notBeforeNames(record), record.createdAt]
    if (insert(...sessionValues(record), record.expiresAt, ...conditions) === 1) return { inserted: true }
    return exists(record.handle).length > 0 ? 'exists' : { inserted: false }
  }
  const logins = batch(
    async (record: SessionRecord) => insertedOf(await writes.run(() => insertOne(record))),
    async all => (await writes.run(() => durable.transaction(() => all.map(insertOne)))).map(insertedOf))

  /** Appends the change of deleted sessions, within their transaction. */
  function revoke(rows: readonly Row[], from: EpochMilliseconds): Removal {
    const handles = rows.map(row => readHandle(row, 'handle'))
    const until = keptUntil(rows, from)
    if (handles.length > 0) log.append({ kind: 'revoked', handles, until })
    return { handles, until }
  }

  function revoking<T extends Removal>(work: () => T): Promise<T> {
    return writes.run(() => {
      const removal = durable.transaction(work)
      if (removal.handles.length > 0) log.announce()
      return removal
    })
  }

  const removeThese = (handles: readonly SessionHandle[]): Row[] => remove(JSON.stringify(handles))
  const removals = batchRemovals((handles, from) => revoking(() => revoke(removeThese(handles), from)), null)

  function setNotBefore(name: string, { time, until }: NotBefore): void {
    refuseBefore(name, time, until)
  }

  return {
    insert: async record => (await logins.call(record)).inserted,

    find: handle => reads.run(() => first(find(handle), sessionFromRow)),

    rotate: rotations.call,

    reauthenticate: reauthentication => writes.run(() => first(
      reauthenticate(...expectedValues(reauthentication), ...reauthenticatedValues(reauthentication)),
      row => rotatedSessionFromRow(reauthentication, row))),

    settled: async () => void await Promise.all([logins.settled(), rotations.settled(), removals.settled()]),

    confirm: confirmations => writes.run(() => {
      if (confirmations.length === 0) return
      confirm(JSON.stringify(confirmations.map(({ handle, generation, branch }) => [handle, generation, branch])))
    }),

    updateInfo: ({ handle, sessionInfo, expectedVersion, now }) => writes.run(() =>
      updateInfo(sessionInfo, handle, now, expectedVersion) === 1),

    updatePayload: ({ handle, jwtPayload, expectedVersion, now, from }) => writes.run(() => {
      const updated = durable.transaction(() => {
        const change = first(updatePayload(jwtPayload, handle, now, expectedVersion), row => ({
          version: readInteger(row, 'payload_version'), until: from + readInteger(row, 'access_token_lifetime'),
        }))
        if (change !== null) log.append({ kind: 'payload', handle, ...change })
        return change
      })
      if (updated !== null) log.announce()
      return updated
    }),

    remove: (handles, from) => removals.call({ handles, from }),

    removeUnchanged: (handle, state, from) =>
      revoking(() => revoke(removeUnchanged(handle, ...stateValues(state)), from)),

    async removeByUser({ userId, tenantId, except, from, notBefore, limit, after }) {
      // The event loop runs between the parts of a removal.
      if (after !== null) await nextEventLoopTurn()
      return revoking(() => {
        if (after === null) setNotBefore(notBeforeName({ userId, tenantId }), notBefore)
        const { createdAt, handle } = decodePosition(after)
        const seen = placesOfUser(userId, createdAt, handle, limit).map(row => ({
          handle: readHandle(row, 'handle'),
          createdAt: readInteger(row, 'created_at'),
          fits: tenantId === null || readText(row, 'tenant_id') === tenantId,
        }))
        const fitting = seen.filter(place => place.fits && place.handle !== except).map(place => place.handle)
        const last = seen[limit - 1]
        return { ...revoke(removeThese(fitting), from), next: last === undefined ? null : encodePosition(last) }
      })
    },

    async removeAll({ notBefore, limit, after }) {
      if (after === null) await writes.run(() => setNotBefore(ALL_USERS, notBefore))
      let last = after ?? ''
      const { removed, more } = await inParts(limit, async size => {
        const first = last
        const part = await writes.run(() => durable.transaction(() => {
          const handles = readPage(first, size).map(row => readHandle(row, 'handle'))
          const end = handles.at(-1) ?? first
          return { end, looked: handles.length, removed: removePage(first, end, notBefore.time) }
        }))
        last = part.end
        return part
      })
      return { removed, next: more ? last : null }
    },

    listByUser: (userId, { limit, after }) => reads.run(() => {
      const { createdAt, handle } = decodePosition(after)
      return toPage(listByUser(userId, createdAt, handle, limit + 1).map(listedSessionFromRow), limit)
    }),

    listNewest: (filter, page) => reads.run(() => {
      const { createdAt, handle } = decodePosition(page.after)
      const rows = listNewest(createdAt, handle, countForNewest(filter, page.limit))
      return toNewestPage(rows.map(listedSessionFromRow), filter, page.limit)
    }),
  }
}

/** The outcome of a login: a not-before may refuse it. */
type InsertOutcome = { readonly inserted: boolean } | 'exists'

async function insertedOf(outcome: InsertOutcome): Promise<{ readonly inserted: boolean }> {
  if (outcome === 'exists') throw new GeneralError('MISUSE', 'a session with this handle exists')
  return outcome
}

function first<T>(rows: readonly Row[], read: (row: Row) => T): T | null {
  const row = rows[0]
  return row === undefined ? null : read(row)
}
