import { GeneralError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { ImportClaim } from '../session/import-claims.ts'
import type { SessionRecord } from '../session/record.ts'
import type { NotBefore, Removal, SessionStore } from '../session/store.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore, StoredKey } from '../tokens/key-store.ts'
import {
  applyConfirmation, applyInfoUpdate, applyPayloadUpdate, applyRotation, changeUntil, isUnchanged, mayAcquireLease,
} from './apply.ts'
import type { Lease } from './apply.ts'
import { nextEventLoopTurn } from './background.ts'
import { createFollowers } from './followers.ts'
import { withKey, withMaterial, withoutKey } from './key-list.ts'
import { createChangeLog } from './memory/change-log.ts'
import { createEventLog } from './memory/event-log.ts'
import { createImportClaims } from './memory/import-claims.ts'
import { createOrderedList } from './memory/ordered-list.ts'
import { createSweep } from './memory/sweep.ts'
import { createUserIndex } from './memory/user-index.ts'
import type { SessionPlace } from './memory/user-index.ts'
import { countForNewest, toNewestPage } from './newest-page.ts'
import { ALL_USERS, mergeNotBefore, notBeforeName, notBeforeNames } from './not-before.ts'
import { decodePosition, encodePosition, isAfter, toPage } from './page-position.ts'
import type { PagePosition } from './page-position.ts'

/**
 * Keeps sessions in the memory of this process: for tests, and for applications that may lose every session at a
 * restart. Each method does its work in one tick of the event loop, so that concurrent calls cannot interleave
 * (ROT-02).
 */
export function createMemoryStore(): SessionStore {
  const sessions = new Map<SessionHandle, SessionRecord>()
  const users = createUserIndex()
  const newest = createOrderedList<PagePosition, SessionPlace>(isAfter)
  const notBefores = new Map<string, NotBefore>()
  const leases = new Map<string, Lease>()
  const claims = new Map<SessionHandle, ImportClaim>()
  const log = createChangeLog()
  const { prune: pruneEvents, ...events } = createEventLog()
  const followers = createFollowers()
  const sweepNotBefores = createSweep(notBefores, (name, { until }, now) => until <= now && notBefores.delete(name))
  const sweepClaims = createSweep(claims, (handle, { until }, now) => until <= now && claims.delete(handle))
  const sweepSessions = createSweep(sessions, (handle, { expiresAt }, now) => expiresAt <= now && drop(handle))

  /**
   * Replaces a session by what `apply` returns. Returns null and writes nothing if there is no session, or `apply`
   * does.
   */
  function update(handle: SessionHandle, apply: (record: SessionRecord) => SessionRecord | null): SessionRecord | null {
    const record = sessions.get(handle)
    const updated = record === undefined ? null : apply(record)
    if (updated === null) return null
    sessions.set(handle, copyOf(updated))
    return copyOf(updated)
  }

  function add(record: SessionRecord): void {
    sessions.set(record.handle, copyOf(record))
    const place = { handle: record.handle, createdAt: record.createdAt }
    users.add(record.userId, place)
    newest.add(place)
  }

  function notBeforeOf(record: SessionRecord): EpochMilliseconds {
    return Math.max(...notBeforeNames(record).map(name => notBefores.get(name)?.time ?? 0))
  }

  function drop(handle: SessionHandle): boolean {
    const record = sessions.get(handle)
    if (record === undefined) return false
    sessions.delete(handle)
    users.remove(record.userId, record)
    newest.remove(record)
    return true
  }

  function revoke(handles: readonly SessionHandle[], from: EpochMilliseconds): Removal {
    const records = handles.flatMap(handle => sessions.get(handle) ?? [])
    const until = changeUntil(from, records.map(record => record.accessTokenLifetime))
    const removed = handles.filter(drop)
    if (removed.length > 0) {
      log.append({ kind: 'revoked', handles: removed, until })
      followers.wake()
    }
    return { handles: removed, until }
  }

  function refuseBefore(name: string, notBefore: NotBefore): void {
    notBefores.set(name, mergeNotBefore(notBefores.get(name) ?? null, notBefore))
  }

  return {
    async check() {
      // There is nothing that could be missing.
    },
    ...createImportClaims(claims, { find: handle => sessions.get(handle), add, drop, notBeforeOf }),
    ...createMemoryKeys(until => {
      log.append({ kind: 'keys', until })
      followers.wake()
    }),

    async insert(record) {
      if (sessions.has(record.handle)) throw new GeneralError('MISUSE', 'a session with this handle exists')
      if (notBeforeOf(record) > record.createdAt) return false
      add(record)
      return true
    },

    async find(handle) {
      const record = sessions.get(handle)
      return record === undefined ? null : copyOf(record)
    },

    async rotate(rotation) {
      return update(rotation.handle, record => applyRotation(record, rotation))
    },

    async reauthenticate(reauthentication) {
      return update(reauthentication.handle, record => applyRotation(record, reauthentication))
    },

    async confirm(confirmations) {
      for (const { handle, ...place } of confirmations) update(handle, record => applyConfirmation(record, place))
    },

    async updateInfo(change) {
      return update(change.handle, record => applyInfoUpdate(record, change)) !== null
    },

    async updatePayload({ handle, from, ...change }) {
      const updated = update(handle, record => applyPayloadUpdate(record, change))
      if (updated === null) return null
      const written = { version: updated.payloadVersion, until: changeUntil(from, [updated.accessTokenLifetime]) }
      log.append({ kind: 'payload', handle, ...written })
      followers.wake()
      return written
    },

    async remove(handles, from) {
      return revoke(handles, from)
    },

    async removeUnchanged(handle, state, from) {
      const record = sessions.get(handle)
      return revoke(record !== undefined && isUnchanged(record, state) ? [handle] : [], from)
    },

    async removeByUser({ userId, tenantId, except, from, notBefore, limit, after }) {
      // The event loop runs between the parts of a removal.
      if (after !== null) await nextEventLoopTurn()
      if (after === null) refuseBefore(notBeforeName({ userId, tenantId }), notBefore)
      const seen = users.read(userId, decodePosition(after), limit)
      const handles = seen.map(({ handle }) => handle).filter(handle => (
        handle !== except && (tenantId === null || sessions.get(handle)?.tenantId === tenantId)
      ))
      const last = seen[limit - 1]
      return { ...revoke(handles, from), next: last === undefined ? null : encodePosition(last) }
    },

    async removeAll({ notBefore, limit }) {
      refuseBefore(ALL_USERS, notBefore)
      const handles: SessionHandle[] = []
      for (const [handle, { createdAt }] of sessions) {
        if (createdAt <= notBefore.time) handles.push(handle)
        if (handles.length === limit) break
      }
      handles.forEach(drop)
      return { removed: handles.length, next: handles.length < limit ? null : 'more' }
    },

    async listByUser(userId, { limit, after }) {
      const places = users.read(userId, decodePosition(after), limit + 1)
      return toPage(places.flatMap(({ handle }) => sessions.get(handle) ?? []), limit)
    },

    async listNewest(filter, { limit, after }) {
      const places = newest.before(decodePosition(after), countForNewest(filter, limit))
      return toNewestPage(places.flatMap(({ handle }) => sessions.get(handle) ?? []), filter, limit)
    },

    async removeExpired(now, limit) {
      const hasMoreChanges = log.prune(now, limit)
      const hasMoreEvents = pruneEvents(now, limit).more
      const refusals = sweepNotBefores(now, limit)
      const imports = sweepClaims(now, limit)
      const expired = sweepSessions(now, limit)
      const more = hasMoreChanges || hasMoreEvents || refusals.more || imports.more || expired.more
      return { removed: expired.removed, more }
    },

    async acquireLease(task, holder, now, until) {
      if (!mayAcquireLease(leases.get(task) ?? null, holder, now)) return false
      leases.set(task, { holder, until })
      return true
    },

    async changesSince(cursor, limit) {
      return log.since(cursor, limit)
    },

    async follow(wake) {
      const stop = followers.add(wake)
      return async () => stop()
    },

    ...events,

    async time() {
      return null
    },

    async close() {
      // There is nothing to close; the data goes with the last reference to the store.
    },
  }
}

function createMemoryKeys(removed: (until: EpochMilliseconds) => void): KeyStore {
  let keys: readonly StoredKey[] = []

  function replace(list: readonly StoredKey[] | null): boolean {
    keys = list ?? keys
    return list !== null
  }

  return {
    async listKeys() {
      return keys.map(key => ({ ...key }))
    },
    async addKeyIfNewest(key, newest) {
      return replace(withKey(keys, key, newest))
    },
    async replaceKeyMaterial(kid, current, next) {
      return replace(withMaterial(keys, kid, current, next))
    },
    async removeKey(kid, until) {
      const isRemoved = replace(withoutKey(keys, kid))
      if (isRemoved) removed(until)
      return isRemoved
    },
  }
}

function copyOf(record: SessionRecord): SessionRecord {
  return { ...record, client: { ...record.client } }
}
