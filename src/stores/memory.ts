import { GeneralError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import { expiryOf } from '../session/policy.ts'
import type { SessionRecord } from '../session/record.ts'
import type { SessionStore } from '../session/store.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore, StoredKey } from '../tokens/key-store.ts'
import { createFollowers } from './followers.ts'
import { createChangeLog } from './memory/change-log.ts'
import { decodePosition, isAfter, toPage } from './page-position.ts'

/**
 * Keeps sessions in this process: for tests, and for applications that may lose every session at a restart.
 * Each method does its work in one turn of the event loop, so that racers can not interleave (ROT-02).
 */
export function createMemoryStore(): SessionStore {
  const sessions = new Map<SessionHandle, SessionRecord>()
  const handlesOfUser = new Map<string, Set<SessionHandle>>()
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

  function revoke(handles: readonly SessionHandle[], until: EpochMilliseconds): readonly SessionHandle[] {
    const removed = handles.filter(drop)
    if (removed.length > 0) {
      log.append({ kind: 'revoked', handles: removed, until })
      followers.wake()
    }
    return removed
  }

  return {
    ...createMemoryKeys(until => {
      log.append({ kind: 'keys', until })
      followers.wake()
    }),

    async insert(record) {
      if (sessions.has(record.handle)) throw new GeneralError('MISUSE', 'a session with this handle exists')
      sessions.set(record.handle, copyOf(record))
      const handles = handlesOfUser.get(record.userId)
      if (handles === undefined) handlesOfUser.set(record.userId, new Set([record.handle]))
      else handles.add(record.handle)
    },

    async find(handle) {
      const record = sessions.get(handle)
      return record === undefined ? null : copyOf(record)
    },

    async rotate({ handle, expectedHash, alive: bounds, next }) {
      const record = alive(handle, bounds.now)
      if (record === null || record.refreshHash !== expectedHash) return null
      if (record.rotatedAt <= bounds.rotatedAfter || record.createdAt <= bounds.createdAfter) return null
      const rotated = copyOf({ ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) })
      sessions.set(handle, rotated)
      return copyOf(rotated)
    },

    async confirm(confirmations) {
      for (const { handle, generation, branch } of confirmations) {
        const record = sessions.get(handle)
        if (record?.generation !== generation || record.branch !== branch) continue
        sessions.set(handle, { ...record, confirmed: true })
      }
    },

    async updateInfo({ handle, sessionInfo, expectedVersion, now }) {
      const record = alive(handle, now)
      if (record === null || (expectedVersion !== null && record.infoVersion !== expectedVersion)) return false
      sessions.set(handle, { ...record, sessionInfo, infoVersion: record.infoVersion + 1 })
      return true
    },

    async updatePayload({ handle, jwtPayload, now, until }) {
      const record = alive(handle, now)
      if (record === null) return null
      const version = record.payloadVersion + 1
      sessions.set(handle, { ...record, jwtPayload, payloadVersion: version })
      log.append({ kind: 'payload', handle, version, until })
      followers.wake()
      return version
    },

    async remove(handles, until) {
      return revoke(handles, until)
    },

    async removeByUser(userId, except, until) {
      return revoke([...handlesOfUser.get(userId) ?? []].filter(handle => handle !== except), until)
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
