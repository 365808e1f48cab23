import type { SessionRecord } from '../../session/record.ts'
import { REMOVAL_LIMIT } from '../../session/store.ts'
import type { ListedSession, RemovedOfUser, SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import { minute, sampleHandle, sampleListed, sampleNow, sampleRecord, sampleUserRemoval } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** The sessions of one user: lists in pages, and removal of all. */
export const userCases: readonly ContractCase[] = [
  {
    name: 'P-14: listByUser lists newest first, with expired ones, only of the user, without payload and session data',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const records = [
        sampleRecord({ handle: sampleHandle(1), createdAt: sampleNow - 90 * minute }),
        sampleRecord({ handle: sampleHandle(4), createdAt: sampleNow - minute }),
        sampleRecord({ handle: sampleHandle(2), createdAt: sampleNow - minute }),
        sampleRecord({ handle: sampleHandle(3), createdAt: sampleNow }),
      ]
      for (const record of records) await store.insert(record)
      await store.insert(sampleRecord({ handle: sampleHandle(5), userId: 'user-2' }))
      const page = await reader.listByUser('user-1', { limit: 100, after: null })
      ensureEqual(page, { sessions: records.toSorted(newestFirst).map(sampleListed), next: null }, 'in order')
      ensureEqual(await reader.listByUser('nobody', { limit: 100, after: null }), { sessions: [], next: null }, 'none')
    },
  },
  {
    name: 'listByUser: pages have no gap and no repetition, for every page size',
    async run({ open }) {
      const store = await open()
      const handles = Array.from({ length: 12 }, (_, index) => sampleHandle((index * 7) % 12))
      for (const [index, handle] of handles.entries()) {
        await store.insert(sampleRecord({ handle, createdAt: sampleNow - Math.floor(index / 5) }))
        await store.insert(sampleRecord({ handle: sampleHandle(100 + index), userId: 'user-2', createdAt: sampleNow }))
      }
      const whole = (await store.listByUser('user-1', { limit: 1000, after: null })).sessions
      ensureEqual(whole.length, 12, 'all of them')
      ensureEqual(whole, whole.toSorted(newestFirst), 'in order')
      for (const limit of [1, 2, 3, 5, 6, 11, 12, 13]) {
        const pages = await readPages(store, 'user-1', limit)
        ensureEqual(pages.flat().map(record => record.handle), whole.map(record => record.handle), `pages of ${limit}`)
        ensure(pages.every(page => page.length <= limit), 'no page is longer than its limit')
        ensureEqual(pages.length, Math.ceil(12 / limit), 'next is null at the end')
      }
    },
  },
  {
    name: 'listByUser: paging continues at its position while sessions come and go',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      for (let number = 0; number < 6; number++) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow - number }))
      }
      const first = await store.listByUser('user-1', { limit: 3, after: null })
      const last = first.sessions[2]
      ensure(last !== undefined && first.next !== null, 'a first page of three, and more')
      await other.remove([last.handle], sampleNow)
      for (const number of [50, 51]) {
        await other.insert(sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow + number }))
      }
      const second = await other.listByUser('user-1', { limit: 3, after: first.next })
      ensureEqual(second.sessions.map(record => record.handle), [3, 4, 5].map(sampleHandle), 'the older three')
      ensureEqual(second.next, null, 'and the end')
    },
  },
  {
    name: 'removeByUser: removes every session of the user, with one change for all',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.insert(sampleRecord({ handle: sampleHandle(4), userId: 'user-2' }))
      const removed = (await store.removeByUser(sampleUserRemoval({ from: sampleNow + minute }))).handles
      ensureEqual([...removed].sort(), [1, 2, 3].map(sampleHandle), 'it returns them')
      ensureEqual((await reader.listByUser('user-1', { limit: 10, after: null })).sessions, [], 'none is left')
      ensureEqual(await reader.find(sampleHandle(2)), null, 'none is found')
      ensure(await reader.find(sampleHandle(4)) !== null, 'the other user\'s stays')
      const { changes } = await reader.changesSince(null, 10)
      ensureEqual(changes.map(change => change.kind), ['revoked'], 'one change')
      const change = changes[0]
      ensure(
        change?.kind === 'revoked' && change.until === sampleNow + minute + sampleRecord().accessTokenLifetime,
        'revoked, until',
      )
      ensureEqual([...change.handles].sort(), [...removed].sort(), 'naming them all')
      ensureEqual((await store.removeByUser(sampleUserRemoval({ from: sampleNow + minute }))).handles, [],
        'a second time there is none')
      ensureEqual((await reader.changesSince(null, 10)).changes.length, 1, 'and no change')
    },
  },
  {
    name: 'removeByUser: keeps except, also if it is the only session or that of another user',
    async run({ open }) {
      const store = await open()
      for (const number of [1, 2]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.insert(sampleRecord({ handle: sampleHandle(3), userId: 'user-2' }))
      ensureEqual((await store.removeByUser(sampleUserRemoval({ except: sampleHandle(1), from: sampleNow }))).handles, [
        sampleHandle(2),
      ], 'all but one')
      ensureEqual(
        (await store.removeByUser(sampleUserRemoval({ except: sampleHandle(1), from: sampleNow }))).handles,
        [],
        'one is left',
      )
      ensure(await store.find(sampleHandle(1)) !== null, 'it is kept')
      ensureEqual((await store.changesSince(null, 10)).changes.length, 1, 'one change')
      ensureEqual((await store.removeByUser(sampleUserRemoval({ except: sampleHandle(3), from: sampleNow }))).handles, [
        sampleHandle(1),
      ], 'none is kept')
      ensure(await store.find(sampleHandle(3)) !== null, 'the session of the other user is kept')
    },
  },
  {
    name: 'P-06, P-07: removeByUser removes many sessions in bounded parts, each with its own change, newest first',
    async run({ open }) {
      const store = await open()
      const count = 2 * REMOVAL_LIMIT + 50
      await Promise.all(Array.from({ length: count }, (_, number) => store.insert(sampleRecord({
        handle: sampleHandle(number), createdAt: sampleNow - number, tenantId: number % 50 === 0 ? 'other' : 'public',
      }))))
      const kept = sampleHandle(51)
      const parts: RemovedOfUser[] = []
      let after: string | null = null
      do {
        const removal = {
          tenantId: 'public',
          except: kept,
          notBefore: { time: sampleNow, until: sampleNow + minute },
          after,
        }
        const part: RemovedOfUser = await store.removeByUser(sampleUserRemoval(removal))
        parts.push(part)
        if (parts.length === 1) ensureEqual(await store.insert(login(count)), false, 'the first refuses logins')
        after = part.next
        ensure(parts.length < 10, 'it comes to an end')
      } while (after !== null)
      const lengths = parts.map(({ handles }) => handles.length)
      ensure(lengths.every(length => length <= REMOVAL_LIMIT), 'no part is larger than its limit')
      ensureEqual(lengths.reduce((sum, length) => sum + length, 0), 244, 'all but six')
      ensure(parts[0]?.handles.includes(sampleHandle(1)) === true, 'the newest first')
      const left = (await store.listByUser('user-1', { limit: 100, after: null })).sessions
      ensureEqual(
        left.filter(({ tenantId }) => tenantId === 'public').map(({ handle }) => handle),
        [kept],
        'one is kept',
      )
      ensureEqual(left.length, 6, 'and the sessions of the other tenant')
      const { changes } = await store.changesSince(null, 10)
      ensureEqual(
        changes.map(change => change.kind === 'revoked' ? change.handles.length : 0),
        lengths,
        'a change each',
      )
    },
  },
]

const login = (number: number): SessionRecord => (
  sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow - 1 })
)

async function readPages(store: SessionStore, userId: string, limit: number): Promise<(readonly ListedSession[])[]> {
  const pages: (readonly ListedSession[])[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<SessionStore['listByUser']>> = await store.listByUser(userId, { limit, after })
    pages.push(page.sessions)
    after = page.next
    ensure(pages.length < 100, 'paging comes to an end')
  } while (after !== null)
  return pages
}

function newestFirst(left: ListedSession, right: ListedSession): number {
  if (left.createdAt !== right.createdAt) return right.createdAt - left.createdAt
  return left.handle < right.handle ? 1 : -1
}
