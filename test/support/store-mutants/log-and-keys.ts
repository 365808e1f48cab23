import type { Change, SessionStore } from '../../../src/session/store.ts'
import { silent, tick } from './mutant.ts'
import type { Mutants } from './mutant.ts'

let holders = 0

/** Stores that violate the contract for cleanup, leases, the time, changes or keys. */
export const logAndKeyMutants: Mutants = {
  'removeExpired ignores the limit': sound => ({ removeExpired: now => sound.removeExpired(now, Infinity) }),
  'removeExpired keeps what expires now': sound => ({
    removeExpired: (now, limit) => sound.removeExpired(now - 1, limit),
  }),
  'removeExpired removes what expires next': sound => ({
    removeExpired: (now, limit) => sound.removeExpired(now + 1, limit),
  }),
  'removeExpired does nothing': () => ({ removeExpired: async () => ({ removed: 0, more: false }) }),
  'removeExpired says that nothing more is due': sound => ({
    removeExpired: async (now, limit) => ({ ...await sound.removeExpired(now, limit), more: false }),
  }),
  'removeExpired keeps changes': sound => {
    const kept: Change[] = []
    return {
      async removeExpired(now, limit) {
        if (kept.length === 0) kept.push(...(await sound.changesSince(null, 1000)).changes)
        return sound.removeExpired(now, limit)
      },
      async changesSince(cursor, limit) {
        const page = await sound.changesSince(cursor, limit)
        return cursor === null && kept.length > 0 ? { ...page, changes: kept } : page
      },
    }
  },
  'acquireLease always returns true': () => ({ acquireLease: async () => true }),
  'acquireLease never renews': sound => ({
    acquireLease: (task, _holder, now, until) => sound.acquireLease(task, `${holders++}`, now, until),
  }),
  'acquireLease keeps a lease beyond its end': sound => ({
    acquireLease: (task, holder, now, until) => sound.acquireLease(task, holder, now - 1, until),
  }),
  'acquireLease ends too early': sound => ({
    acquireLease: (task, holder, now, until) => sound.acquireLease(task, holder, now + 1, until),
  }),
  'acquireLease treats all tasks as one': sound => ({
    acquireLease: (_task, holder, now, until) => sound.acquireLease('task', holder, now, until),
  }),
  'close throws the second time': () => {
    let closed = false
    return {
      async close() {
        if (closed) throw new Error('closed')
        closed = true
      },
    }
  },
  'close deletes the data': sound => {
    let closed = false
    return {
      async close() {
        closed = true
      },
      find: async handle => closed ? null : sound.find(handle),
    }
  },
  'time is in seconds': () => ({ time: async () => Math.floor(Date.now() / 1000) }),
  'time has fractions': () => ({ time: async () => Date.now() + 0.5 }),
  'time depends on the time zone': () => ({ time: async () => Date.now() + 3_600_000 }),
  'time stands still': () => {
    const start = Date.now()
    return { time: async () => start }
  },
  'time is too fast': () => {
    const start = Date.now()
    return { time: async () => start + 2 * (Date.now() - start) }
  },
  'time jumps back': () => {
    let calls = 0
    return { time: async () => Date.now() - 1000 * (calls++ % 2) }
  },
  'time is sometimes null': () => {
    let calls = 0
    return { time: async () => calls++ % 2 === 0 ? Date.now() : null }
  },
  'time differs between connections': () => {
    let calls = 0
    return { time: async () => Date.now() + (calls++ === 0 ? 0 : 5000) }
  },
  'changesSince ignores the cursor': sound => ({ changesSince: (_cursor, limit) => sound.changesSince(null, limit) }),
  'changesSince ignores the limit': sound => ({ changesSince: cursor => sound.changesSince(cursor, 1000) }),
  'changesSince never has more': sound => ({
    changesSince: async (cursor, limit) => ({ ...await sound.changesSince(cursor, limit), more: false }),
  }),
  'changesSince has newest first': sound => ({
    async changesSince(cursor, limit) {
      const page = await sound.changesSince(cursor, limit)
      return { ...page, changes: page.changes.toReversed() }
    },
  }),
  'changesSince skips to the head': sound => ({
    async changesSince(cursor, limit) {
      const page = await sound.changesSince(cursor, limit)
      return { ...page, cursor: (await sound.changesSince(cursor, 1000)).cursor }
    },
  }),
  'changesSince has nothing for an unknown cursor': sound => ({
    changesSince: async (cursor, limit) => cursor !== null && !/^[\w-]+\.\d+$/.test(cursor)
      ? { changes: [], cursor, more: false } : sound.changesSince(cursor, limit),
  }),
  'changesSince takes the cursor of another log for its own': sound => ({
    async changesSince(cursor, limit) {
      const [id] = (await sound.changesSince(null, 1)).cursor?.split('.') ?? []
      return sound.changesSince(cursor?.replace(/^[\w-]+(?=\.\d)/, id ?? '') ?? null, limit)
    },
  }),
  'changesSince throws at an unknown cursor': sound => ({
    async changesSince(cursor, limit) {
      if (cursor !== null && !/^[\w-]+\.\d+$/.test(cursor)) throw new Error('unknown cursor')
      return sound.changesSince(cursor, limit)
    },
  }),
  'follow never wakes': () => ({ follow: async () => async () => undefined }),
  'follow cannot be stopped': sound => ({
    async follow(wake) {
      await sound.follow(wake)
      return async () => undefined
    },
  }),
  'addKeyIfNewest always adds': sound => ({
    addKeyIfNewest: async key => sound.addKeyIfNewest(key, await newestOf(sound, key.purpose)),
  }),
  'addKeyIfNewest ignores the purpose': sound => ({
    async addKeyIfNewest(key, newest) {
      const last = (await sound.listKeys()).at(-1)?.kid ?? null
      return last === newest && sound.addKeyIfNewest(key, await newestOf(sound, key.purpose))
    },
  }),
  'addKeyIfNewest reads, then writes': sound => ({
    async addKeyIfNewest(key, newest) {
      if (await newestOf(sound, key.purpose) !== newest) return false
      await tick()
      return sound.addKeyIfNewest(key, await newestOf(sound, key.purpose))
    },
  }),
  'keys of some purposes are kept as others': sound => ({
    addKeyIfNewest: (key, newest) => sound.addKeyIfNewest(
      key.purpose === 'core-static' ? { ...key, purpose: 'core-dynamic' } : key, newest,
    ),
  }),
  'listKeys is in no order': sound => ({ listKeys: async () => (await sound.listKeys()).toReversed() }),
  'replaceKeyMaterial ignores the current one': sound => ({
    async replaceKeyMaterial(kid, _current, next) {
      const material = (await sound.listKeys()).find(key => key.kid === kid)?.material ?? ''
      return sound.replaceKeyMaterial(kid, material, next)
    },
  }),
  'replaceKeyMaterial to the same is a failure': sound => ({
    replaceKeyMaterial: async (kid, current, next) => current !== next && sound.replaceKeyMaterial(kid, current, next),
  }),
  'removeKey appends no change': sound => silent(sound, change => change.kind !== 'keys'),
  'removeKey always returns true': sound => ({
    removeKey: async (kid, until) => (await sound.removeKey(kid, until), true),
  }),
  'check rejects without a key': sound => ({
    async check() {
      if ((await sound.listKeys()).length === 0) throw new Error('there is no key')
    },
  }),
  'check removes sessions': sound => ({
    async check() {
      await sound.removeAll({ notBefore: { time: Number.MAX_SAFE_INTEGER, until: 0 }, limit: 10, after: null })
    },
  }),
}

async function newestOf(sound: SessionStore, purpose: string): Promise<string | null> {
  return (await sound.listKeys()).findLast(key => key.purpose === purpose)?.kid ?? null
}
