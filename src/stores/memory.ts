import { GeneralError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { SessionRecord } from '../session/record.ts'
import type { NotBefore, Removal, Rotation, SessionStore } from '../session/store.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore, StoredKey } from '../tokens/key-store.ts'
import { createFollowers } from './followers.ts'
import { applyConfirmation, applyRotation, isUnchanged } from './memory/apply-rotation.ts'
import { createChangeLog } from './memory/change-log.ts'
import { everybody, notBeforeName, notBeforeNames } from './not-before.ts'
import { decodePosition, isAfter, toPage } from './page-position.ts'

/**
 * Keeps sessions in this process: for tests, and for applications that may lose every session at a restart.
 * Each method does its work in one turn of the event loop, so that racers cannot interleave (ROT-02).
 */
export function createMemoryStore(): SessionStore {
  const sessions = new Map<SessionHandle, SessionRecord>()
  const handlesOfUser = new Map<string, Set<SessionHandle>>()
  const notBefores = new Map<string, NotBefore>()
  const turns = new Map<string, { readonly holder: string; readonly until: EpochMilliseconds }>()
  const log = createChangeLog()
  const followers = createFollowers()

  function alive(handle: SessionHandle, now: EpochMilliseconds): SessionRecord | null {
    const record = sessions.get(handle)
    return record !== undefined && record.expiresAt > now ? record : null
  }

  function drop(handle: SessionHandle): boolean {
    const record = sessions.get(handle)
    if (record === undefined) return false
    sessions.delete(handle)
    const handles = handlesOfUser.get(record.userId)
    handles?.delete(handle)
    if (handles?.size === 0) handlesOfUser.delete(record.userId)
    return true
  }

  function revoke(handles: readonly SessionHandle[], from: EpochMilliseconds): Removal {
    let until = from
    const removed = handles.filter(handle => {
      until = Math.max(until, from + (sessions.get(handle)?.accessTokenLifetime ?? 0))
      return drop(handle)
    })
    if (removed.length > 0) {
      log.append({ kind: 'revoked', handles: removed, until })
      followers.wake()
    }
    return { handles: removed, until }
  }

  function refuseBefore(name: string, { time, until }: NotBefore): void {
    const known = notBefores.get(name)
    notBefores.set(name, { time: Math.max(time, known?.time ?? 0), until: Math.max(until, known?.until ?? 0) })
  }

  async function rotate(rotation: Rotation): Promise<SessionRecord | null> {
    const record = sessions.get(rotation.handle)
    const rotated = record === undefined ? null : applyRotation(record, rotation)
    if (rotated === null) return null
    sessions.set(rotation.handle, copyOf(rotated))
    return copyOf(rotated)
  }

  return {
    ...createMemoryKeys(until => {
      log.append({ kind: 'keys', until })
      followers.wake()
    }),

    async insert(record) {
      if (sessions.has(record.handle)) throw new GeneralError('MISUSE', 'a session with this handle exists')
      if (notBeforeNames(record).some(name => (notBefores.get(name)?.time ?? 0) > record.createdAt)) return false
      sessions.set(record.handle, copyOf(record))
      const handles = handlesOfUser.get(record.userId)
      if (handles === undefined) handlesOfUser.set(record.userId, new Set([record.handle]))
      else handles.add(record.handle)
      return true
    },

    async find(handle) {
      const record = sessions.get(handle)
      return record === undefined ? null : copyOf(record)
    },

    rotate,

    reauthenticate: rotate,

    async confirm(confirmations) {
      for (const { handle, ...place } of confirmations) {
        const record = sessions.get(handle)
        if (record !== undefined) sessions.set(handle, applyConfirmation(record, place))
      }
    },

    async updateInfo({ handle, sessionInfo, expectedVersion, now }) {
      const record = alive(handle, now)
      if (record === null || (expectedVersion !== null && record.infoVersion !== expectedVersion)) return false
      sessions.set(handle, { ...record, sessionInfo, infoVersion: record.infoVersion + 1 })
      return true
    },

    async updatePayload({ handle, jwtPayload, now, from }) {
      const record = alive(handle, now)
      if (record === null) return null
      const version = record.payloadVersion + 1
      sessions.set(handle, { ...record, jwtPayload, payloadVersion: version })
      const until = from + record.accessTokenLifetime
      log.append({ kind: 'payload', handle, version, until })
      followers.wake()
      return { version, until }
    },

    async remove(handles, from) {
      return revoke(handles, from)
    },

    async removeUnchanged(handle, state, from) {
      const record = sessions.get(handle)
      return revoke(record !== undefined && isUnchanged(record, state) ? [handle] : [], from)
    },

    async removeByUser({ userId, tenantId, except, from, notBefore }) {
      refuseBefore(notBeforeName({ userId, tenantId }), notBefore)
      return revoke([...handlesOfUser.get(userId) ?? []].filter(handle => (
        handle !== except && (tenantId === null || sessions.get(handle)?.tenantId === tenantId)
      )), from)
    },

    async removeAll({ notBefore, limit }) {
      refuseBefore(everybody, notBefore)
      const handles: SessionHandle[] = []
      for (const [handle, { createdAt }] of sessions) {
        if (createdAt <= notBefore.time) handles.push(handle)
        if (handles.length === limit) break
      }
      handles.forEach(drop)
      return { removed: handles.length, next: handles.length < limit ? null : 'more' }
    },

    async listByUser(userId, { limit, after }) {
      const position = decodePosition(after)
      const records: SessionRecord[] = []
      for (const handle of handlesOfUser.get(userId) ?? []) {
        const record = sessions.get(handle)
        if (record !== undefined && isAfter(record, position)) records.push(copyOf(record))
      }
      return toPage(records.sort(newestFirst).slice(0, limit + 1), limit)
    },

    async removeExpired(now, limit) {
      log.prune(now)
      for (const [name, { until }] of notBefores) if (until <= now) notBefores.delete(name)
      let removed = 0
      for (const [handle, record] of sessions) {
        if (removed >= limit) break
        if (record.expiresAt <= now && drop(handle)) removed += 1
      }
      return removed
    },

    async takeTurn(task, holder, now, until) {
      const turn = turns.get(task)
      if (turn !== undefined && turn.holder !== holder && turn.until > now) return false
      turns.set(task, { holder, until })
      return true
    },

    async changesSince(cursor, limit) {
      return log.since(cursor, limit)
    },

    async follow(wake) {
      const stop = followers.add(wake)
      return async () => stop()
    },

    async time() {
      return null
    },

    async close() {
      // Nothing was opened; what is kept goes with the last reference to the store.
    },
  }
}

function createMemoryKeys(removed: (until: EpochMilliseconds) => void): KeyStore {
  const keys = new Map<string, StoredKey>()
  const sorted = (): StoredKey[] => [...keys.values()].sort(oldestActiveFirst)
  return {
    async listKeys() {
      return sorted().map(key => ({ ...key }))
    },
    async addKeyIfNewest(key, newest) {
      const current = sorted().findLast(each => each.purpose === key.purpose)?.kid ?? null
      if (current !== newest || keys.has(key.kid)) return false
      keys.set(key.kid, { ...key })
      return true
    },
    async replaceKeyMaterial(kid, current, next) {
      const key = keys.get(kid)
      if (key?.material !== current) return false
      keys.set(kid, { ...key, material: next })
      return true
    },
    async removeKey(kid, until) {
      if (!keys.delete(kid)) return false
      removed(until)
      return true
    },
  }
}

function copyOf(record: SessionRecord): SessionRecord {
  return { ...record, client: { ...record.client } }
}

function newestFirst(left: SessionRecord, right: SessionRecord): number {
  if (left.createdAt !== right.createdAt) return right.createdAt - left.createdAt
  return left.handle < right.handle ? 1 : -1
}

function oldestActiveFirst(left: StoredKey, right: StoredKey): number {
  if (left.activeFrom !== right.activeFrom) return left.activeFrom - right.activeFrom
  return left.kid < right.kid ? -1 : 1
}
