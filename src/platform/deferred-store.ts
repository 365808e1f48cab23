import type { SessionStore } from '../session/store.ts'

/**
 * A store that is loaded and opened by its first call, not when an application is put together: who names a store of
 * their own never loads this one. A call that could not open it fails as the opening did, and the next one tries again.
 */
export function deferStore(open: () => Promise<SessionStore>): SessionStore {
  let opening: Promise<SessionStore> | null = null

  function store(): Promise<SessionStore> {
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  return {
    insert: async record => (await store()).insert(record),
    find: async handle => (await store()).find(handle),
    rotate: async rotation => (await store()).rotate(rotation),
    confirm: async confirmations => (await store()).confirm(confirmations),
    updateInfo: async update => (await store()).updateInfo(update),
    updatePayload: async update => (await store()).updatePayload(update),
    remove: async (handles, until) => (await store()).remove(handles, until),
    removeByUser: async (userId, except, until) => (await store()).removeByUser(userId, except, until),
    listByUser: async (userId, page) => (await store()).listByUser(userId, page),
    removeExpired: async (now, limit) => (await store()).removeExpired(now, limit),
    takeTurn: async (task, holder, now, until) => (await store()).takeTurn(task, holder, now, until),
    changesSince: async (cursor, limit) => (await store()).changesSince(cursor, limit),
    follow: async wake => (await store()).follow(wake),
    time: async () => (await store()).time(),
    listKeys: async () => (await store()).listKeys(),
    addKeyIfNewest: async (key, newest) => (await store()).addKeyIfNewest(key, newest),
    replaceKeyMaterial: async (kid, current, next) => (await store()).replaceKeyMaterial(kid, current, next),
    removeKey: async (kid, until) => (await store()).removeKey(kid, until),
    close: async () => (await opening)?.close(),
  }
}
