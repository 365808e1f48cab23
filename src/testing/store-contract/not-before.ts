import type { NotBefore, RemovedPage, SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleUserRemoval } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'
import { removeDue } from './expiry.ts'

const notBefore: NotBefore = { time: sampleNow, until: sampleNow + 60 * minute }

/** A login that began `before` milliseconds before the not-before. */
const login = (number: number, before: number, tenantId = 'public', userId = 'user-1') =>
  sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow - before, tenantId, userId })

/** A removal of all sessions of a user also refuses the logins that are in progress. */
export const notBeforeCases: readonly ContractCase[] = [
  {
    name: 'S-19: removeByUser refuses logins of the user that began before it, and no others',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      await store.removeByUser(sampleUserRemoval({ notBefore }))
      ensureEqual(await other.insert(login(1, 1)), false, 'one that began a millisecond before')
      ensureEqual(await other.find(sampleHandle(1)), null, 'it is not there')
      ensureEqual((await other.listByUser('user-1', { limit: 10, after: null })).sessions, [], 'nor listed')
      ensureEqual(await other.insert(login(2, 0)), true, 'one that began at that moment')
      ensureEqual(await other.insert(login(3, 1, 'public', 'user-2')), true, 'one of another user')
      ensure(await store.find(sampleHandle(2)) !== null, 'which is there')
    },
  },
  {
    name: 'S-19: logins that begin at the same moment are refused individually',
    async run({ open }) {
      const store = await open()
      await store.removeByUser(sampleUserRemoval({ notBefore }))
      const logins = [login(1, 1), login(2, 0), login(3, 1, 'public', 'user-2'), login(4, 5), login(5, -1)]
      ensureEqual(await Promise.all(logins.map(each => store.insert(each))), [false, true, true, false, true], 'each')
    },
  },
  {
    name: 'removeByUser: with a tenant removes and refuses in that tenant only',
    async run({ open }) {
      const store = await open()
      for (const [number, tenantId] of ['one', 'two', 'one'].entries()) await store.insert(login(number, 9, tenantId))
      const removal = await store.removeByUser(sampleUserRemoval({ tenantId: 'one', notBefore }))
      ensureEqual([...removal.handles].sort(), [0, 2].map(sampleHandle), 'the sessions of the tenant')
      ensureEqual(await store.insert(login(4, 1, 'one')), false, 'a login of the tenant')
      ensureEqual(await store.insert(login(5, 1, 'two')), true, 'a login of the other')
    },
  },
  {
    name: 'removeByUser and removeAll: of two not-befores the later time and the longer until apply',
    async run({ open }) {
      const store = await open()
      for (const each of [notBefore, { time: sampleNow - minute, until: sampleNow + 1 }]) {
        await store.removeByUser(sampleUserRemoval({ notBefore: each }))
      }
      ensureEqual(await store.insert(login(1, 1)), false, 'a login of the user is still refused')
      ensureEqual(await store.insert(login(2, 1, 'public', 'user-2')), true, 'one of another user is not')
      for (const each of [notBefore, { time: sampleNow - minute, until: sampleNow + 1 }]) {
        await store.removeAll({ notBefore: each, limit: 10, after: null })
      }
      await removeDue(store, sampleNow + 1, 10)
      for (const number of [1, 2]) {
        ensureEqual(await store.insert(login(2 + number, 1, 'public', `user-${number}`)), false, 'now of every user')
      }
    },
  },
  {
    name: 'removeExpired: removes a not-before when its until has passed',
    async run({ open }) {
      const store = await open()
      const short = { time: sampleNow, until: sampleNow + 1000 }
      await store.removeByUser(sampleUserRemoval({ notBefore: short }))
      await removeDue(store, short.until - 1, 10)
      ensureEqual(await store.insert(login(1, 1)), false, 'until then it is kept')
      await removeDue(store, short.until, 10)
      // A store whose server deletes not-befores by itself does so by the server's clock.
      const forgotten = await store.insert(login(2, 1))
      ensureEqual([true, false].includes(forgotten), true, 'afterwards it need not be')
    },
  },
  {
    name: 'S-19: of logins concurrent with a removal, none that began before it remains',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      for (let round = 0; round < 8; round++) {
        const userId = `user-${round}`
        const logins = Array.from({ length: 12 }, (_, index) => login(round * 100 + index, 1 + index, 'public', userId))
        const removing = stores[round % stores.length]
        const calls = logins.map((each, index) => () => stores[index % stores.length]?.insert(each))
        const removal = (): unknown => removing?.removeByUser(sampleUserRemoval({ userId, notBefore }))
        await Promise.all([...calls.slice(0, 6), removal, ...calls.slice(6)].map(call => call()))
        const left = await removing?.listByUser(userId, { limit: 100, after: null })
        ensureEqual(left?.sessions, [], 'none is left')
        for (const { handle } of logins) ensureEqual(await removing?.find(handle), null, 'none is found')
      }
    },
  },
  {
    name: 'S-13: removeAll removes the sessions of all users, page by page, and refuses logins that began before it',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      // The last one began in the same millisecond.
      for (let number = 0; number < 25; number++) {
        await store.insert(login(number, number === 24 ? 0 : 5, 'public', `user-${number % 3}`))
      }
      ensureEqual(await store.insert(login(30, -1)), true, 'a later login')
      let pages = 0
      let removed = 0
      let after: string | null = null
      do {
        const page: RemovedPage = await store.removeAll({ notBefore, limit: 10, after })
        ensure(page.removed <= 10, 'no page is longer than its limit')
        removed += page.removed
        after = page.next
        pages += 1
        ensure(pages < 100, 'it comes to an end')
      } while (after !== null)
      ensureEqual(removed, 25, 'all that are not newer')
      for (let number = 0; number < 25; number++) ensureEqual(await other.find(sampleHandle(number)), null, 'gone')
      ensure(await other.find(sampleHandle(30)) !== null, 'the later login is kept')
      ensureEqual(await other.insert(login(40, 1, 'public', 'user-9')), false, 'an earlier login is refused')
      ensureEqual((await listAll(other)).length, 1, 'one is listed')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'no change names them')
    },
  },
]

async function listAll(store: SessionStore): Promise<readonly unknown[]> {
  const pages = await Promise.all(
    [0, 1, 2, 9].map(user => store.listByUser(`user-${user}`, { limit: 100, after: null })),
  )
  return pages.flatMap(page => page.sessions)
}
