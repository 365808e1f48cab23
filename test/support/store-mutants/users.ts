import type { SessionStore } from '../../../src/session/store.ts'
import { sampleNow } from '../../../src/testing/index.ts'
import type { Mutants } from './mutant.ts'

/** Stores that break a promise about the sessions of a user. */
export const userMutants: Mutants = {
  'removeByUser ignores except': sound => ({
    removeByUser: (userId, _except, until) => sound.removeByUser(userId, null, until),
  }),
  'removeByUser does nothing if except is another user\'s': sound => ({
    async removeByUser(userId, except, until) {
      const spared = except === null ? null : await sound.find(except)
      return spared !== null && spared.userId !== userId ? [] : sound.removeByUser(userId, except, until)
    },
  }),
  'removeByUser tells of each session by itself': sound => ({
    async removeByUser(userId, except, until) {
      const { sessions } = await sound.listByUser(userId, { limit: 1000, after: null })
      const handles = sessions.map(record => record.handle).filter(handle => handle !== except)
      return (await Promise.all(handles.map(handle => sound.remove([handle], until)))).flat()
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
  'paging never says the end': sound => ({
    async listByUser(userId, page) {
      const answer = await sound.listByUser(userId, page)
      return { ...answer, next: answer.next ?? '0.x' }
    },
  }),
}

/** A store whose database takes some different user ids for one. */
function folded(sound: SessionStore, fold: (userId: string) => string): Partial<SessionStore> {
  const spelled = new Map<string, string>()
  return {
    async insert(record) {
      await sound.insert({ ...record, userId: fold(record.userId) })
      spelled.set(record.handle, record.userId)
    },
    async find(handle) {
      const record = await sound.find(handle)
      return record && { ...record, userId: spelled.get(handle) ?? record.userId }
    },
    async listByUser(userId, page) {
      const { sessions, next } = await sound.listByUser(fold(userId), page)
      return { sessions: sessions.map(each => ({ ...each, userId: spelled.get(each.handle) ?? each.userId })), next }
    },
    removeByUser: (userId, except, until) => sound.removeByUser(fold(userId), except, until),
  }
}
