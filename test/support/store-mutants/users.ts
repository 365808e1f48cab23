import type { SessionStore } from '../../../src/session/store.ts'
import { sampleHandle, sampleNow } from '../../../src/testing/contracts.ts'
import { tick, together } from './mutant.ts'
import type { Mutants } from './mutant.ts'

/** Stores that violate the contract for the sessions of a user. */
export const userMutants: Mutants = {
  'removeByUser ignores except': sound => ({
    removeByUser: removal => sound.removeByUser({ ...removal, except: null }),
  }),
  'removeByUser does nothing if except is another user\'s': sound => ({
    async removeByUser(removal) {
      const spared = removal.except === null ? null : await sound.find(removal.except)
      const isForeign = spared !== null && spared.userId !== removal.userId
      return isForeign ? { handles: [], until: removal.from, next: null } : sound.removeByUser(removal)
    },
  }),
  'removeByUser appends a change for each session': sound => ({
    async removeByUser({ userId, except, from }) {
      const { sessions } = await sound.listByUser(userId, { limit: 1000, after: null })
      const handles = sessions.map(record => record.handle).filter(handle => handle !== except)
      return { ...together(await Promise.all(handles.map(handle => sound.remove([handle], from)))), next: null }
    },
  }),
  'removeByUser ends with its first page': sound => ({
    removeByUser: async removal => ({ ...await sound.removeByUser(removal), next: null }),
  }),
  'removeByUser ignores the limit': sound => ({
    async removeByUser(removal) {
      const parts = [await sound.removeByUser(removal)]
      for (let after = parts[0]?.next ?? null; after !== null; after = parts.at(-1)?.next ?? null) {
        parts.push(await sound.removeByUser({ ...removal, after }))
      }
      return { ...together(parts), next: null }
    },
  }),
  'removeByUser sets the not-before with its last page': sound => ({
    async removeByUser(removal) {
      const part = await sound.removeByUser({ ...removal, notBefore: { time: 0, until: 0 } })
      if (part.next === null) await sound.removeByUser({ ...removal, except: null, tenantId: 'none', after: null })
      return part
    },
  }),
  'removeByUser ignores the tenant': sound => ({
    removeByUser: removal => sound.removeByUser({ ...removal, tenantId: null }),
  }),
  'removeByUser refuses no login': sound => ({
    removeByUser: removal => sound.removeByUser({ ...removal, notBefore: { time: 0, until: 0 } }),
  }),
  'removeByUser refuses logins of the same millisecond, too': sound => ({
    removeByUser: ({ notBefore, ...removal }) => (
      sound.removeByUser({ ...removal, notBefore: { ...notBefore, time: notBefore.time + 1 } })
    ),
  }),
  'removeByUser sets the not-before after the deletion': sound => ({
    async removeByUser(removal) {
      const removed = await sound.removeByUser({ ...removal, notBefore: { time: 0, until: 0 } })
      await tick()
      await sound.removeByUser({ ...removal, except: sampleHandle(0), userId: removal.userId, tenantId: 'none' })
      return removed
    },
  }),
  'removeAll keeps the newest': sound => ({
    removeAll: page => sound.removeAll({
      ...page, notBefore: { ...page.notBefore, time: page.notBefore.time - 6 },
    }),
  }),
  'removeAll removes newer sessions, too': sound => ({
    removeAll: page => sound.removeAll({ ...page, notBefore: { ...page.notBefore, time: page.notBefore.time + 9 } }),
  }),
  'removeAll ends with its first page': sound => ({
    removeAll: async page => ({ ...await sound.removeAll(page), next: null }),
  }),
  'removeAll deletes earlier not-befores': sound => ({
    async removeAll(page) {
      await sound.removeExpired(Number.MAX_SAFE_INTEGER, 1000)
      return sound.removeAll(page)
    },
  }),
  'user ids are compared without case': sound => folded(sound, userId => userId.toLowerCase()),
  'user ids lose spaces at the end': sound => folded(sound, userId => userId.trimEnd()),
  'user ids are normalized': sound => folded(sound, userId => userId.normalize('NFC')),
  'user ids are cut': sound => folded(sound, userId => userId.slice(0, 100)),
  'listByUser is oldest first': sound => ({
    async listByUser(userId, page) {
      const { sessions, next } = await sound.listByUser(userId, page)
      return { sessions: sessions.toReversed(), next }
    },
  }),
  'listByUser hides expired sessions': sound => ({
    async listByUser(userId, page) {
      const { sessions, next } = await sound.listByUser(userId, page)
      return { sessions: sessions.filter(record => record.expiresAt > sampleNow), next }
    },
  }),
  'paging skips those of the same time': sound => ({
    async listByUser(userId, page) {
      const after = page.after?.replace(/\..*$/, '.-') ?? null
      return sound.listByUser(userId, { ...page, after })
    },
  }),
  'paging repeats the last of a page': sound => ({
    async listByUser(userId, page) {
      const answer = await sound.listByUser(userId, page)
      return { sessions: answer.sessions, next: answer.next === null ? null : `${answer.next}-` }
    },
  }),
  'paging by number of rows': sound => ({
    async listByUser(userId, { limit, after }) {
      const { sessions } = await sound.listByUser(userId, { limit: 1000, after: null })
      const from = Number(after ?? 0)
      const to = from + limit
      return { sessions: sessions.slice(from, to), next: to < sessions.length ? `${to}` : null }
    },
  }),
  'paging never ends': sound => ({
    async listByUser(userId, page) {
      const answer = await sound.listByUser(userId, page)
      return { ...answer, next: answer.next ?? '0.x' }
    },
  }),
}

/** A store whose database treats some different user ids as the same. */
function folded(sound: SessionStore, fold: (userId: string) => string): Partial<SessionStore> {
  const spelled = new Map<string, string>()
  return {
    async insert(record) {
      spelled.set(record.handle, record.userId)
      return sound.insert({ ...record, userId: fold(record.userId) })
    },
    async find(handle) {
      const record = await sound.find(handle)
      return record && { ...record, userId: spelled.get(handle) ?? record.userId }
    },
    async listByUser(userId, page) {
      const { sessions, next } = await sound.listByUser(fold(userId), page)
      return { sessions: sessions.map(each => ({ ...each, userId: spelled.get(each.handle) ?? each.userId })), next }
    },
    removeByUser: removal => sound.removeByUser({ ...removal, userId: fold(removal.userId) }),
  }
}
