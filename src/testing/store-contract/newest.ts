import type { SessionHandle } from '../../base/handle.ts'
import { SCAN_LIMIT } from '../../session/store.ts'
import type { ListedSession, LoginFilter, SessionPage, SessionStore } from '../../session/store.ts'
import { errorCodeOf, ensure, ensureEqual } from '../assert.ts'
import { minute, sampleHandle, sampleListed, sampleNext, sampleNow, sampleRecord, sampleRotation } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'
import { removeDue } from './expiry.ts'

/** The filter that every session passes. */
const any: LoginFilter = { tenantId: null, ip: null, userAgent: null }

/** Lists of the sessions of all users. */
export const newestCases: readonly ContractCase[] = [
  {
    name: 'EV-04: listNewest: lists the sessions of all users, newest login first, with expired ones, and no more',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      ensureEqual(
        await reader.listNewest(any, { limit: 100, after: null }),
        { sessions: [], next: null },
        'none at first',
      )
      const records = [
        sampleRecord({ handle: sampleHandle(1), createdAt: sampleNow - 90 * minute }),
        sampleRecord({ handle: sampleHandle(4), createdAt: sampleNow - minute, userId: 'user-2' }),
        sampleRecord({ handle: sampleHandle(2), createdAt: sampleNow - minute, userId: 'user-3', tenantId: 'other' }),
        sampleRecord({ handle: sampleHandle(3), createdAt: sampleNow }),
      ]
      for (const record of records) await store.insert(record)
      ensureEqual(await readAll(reader, any, 100), records.toSorted(newestFirst).map(sampleListed), 'in order')
      const next = sampleNext({ rotatedAt: sampleNow + minute })
      await store.rotate(sampleRotation({ handle: sampleHandle(4), next }))
      const [, second] = await readAll(reader, any, 100)
      ensureEqual([second?.handle, second?.rotatedAt], [sampleHandle(4), sampleNow + minute], 'a refresh is no login')
      await store.remove([sampleHandle(2)], sampleNow)
      await removeDue(store, sampleNow, 100)
      ensureEqual(handlesOf(await readAll(reader, any, 100)), [3, 4].map(sampleHandle), 'those that are left')
    },
  },
  {
    name: 'EV-05: listNewest: pages have no gap and no repetition, for every page size, while sessions come and go',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const handles = Array.from({ length: 40 }, (_, index) => sampleHandle((index * 7) % 40))
      for (const [index, handle] of handles.entries()) {
        const createdAt = sampleNow - Math.floor(index / 9)
        await store.insert(sampleRecord({ handle, createdAt, userId: `user-${index % 3}` }))
      }
      const whole = await readAll(store, any, 1000)
      ensureEqual(whole.length, 40, 'all of them')
      ensureEqual(whole, whole.toSorted(newestFirst), 'in order')
      for (const limit of [1, 2, 3, 7, 39, 40, 41]) {
        ensureEqual(handlesOf(await readAll(other, any, limit)), handlesOf(whole), `pages of ${limit}`)
      }
      const first = await store.listNewest(any, { limit: 5, after: null })
      const last = first.sessions.at(-1)
      ensure(last !== undefined && first.next !== null, 'a first page, and more')
      await other.remove([last.handle], sampleNow)
      await other.insert(sampleRecord({ handle: sampleHandle(100), createdAt: sampleNow + 1 }))
      const rest = handlesOf(await readAll(other, any, 5, first.next))
      const seen = [...handlesOf(first.sessions), ...rest]
      ensureEqual(seen, handlesOf(whole), 'the pages continue at their position')
      for (const after of ['', 'x', '1;--', '\0', '{}']) {
        const list = async (): Promise<unknown> => store.listNewest(any, { limit: 3, after })
        ensureEqual(await errorCodeOf(list), 'INVALID_DATA', 'no page ended there')
      }
    },
  },
  {
    name: 'EV-06: listNewest: a filter selects by tenant, address and part of the user agent, and all together',
    async run({ open }) {
      const store = await open()
      const clients = [
        { ip: '192.0.2.1', userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140' },
        { ip: '192.0.2.10', userAgent: 'Mozilla/5.0 (iPhone) Safari/605' },
        { ip: null, userAgent: null },
        { ip: '2001:db8::1', userAgent: 'curl/8 \u00c9tude 100%_' },
      ]
      for (let number = 0; number < 24; number++) {
        await store.insert(sampleRecord({
          handle: sampleHandle(number), userId: `user-${number}`, createdAt: sampleNow - number,
          tenantId: number % 3 === 0 ? 'other' : 'public', client: clients[number % 4] ?? { ip: null, userAgent: null },
        }))
      }
      const numbers = Array.from({ length: 24 }, (_, number) => number)
      const expected: readonly (readonly [Partial<LoginFilter>, (number: number) => boolean])[] = [
        [{ tenantId: 'other' }, number => number % 3 === 0],
        [{ tenantId: 'nobody' }, () => false],
        [{ ip: '192.0.2.1' }, number => number % 4 === 0],
        [{ ip: '192.0.2' }, () => false],
        [{ userAgent: 'FIREFOX' }, number => number % 4 === 0],
        [{ userAgent: 'mozilla/5.0 (' }, number => number % 4 < 2],
        [{ userAgent: '\u00e9TUDE 100%_' }, number => number % 4 === 3],
        [{ userAgent: '100_%' }, () => false],
        [{ tenantId: 'public', ip: '192.0.2.10', userAgent: 'iphone' }, number => number % 3 !== 0 && number % 4 === 1],
        [{ tenantId: 'public', ip: '192.0.2.10', userAgent: 'firefox' }, () => false],
      ]
      for (const [part, isSelected] of expected) {
        for (const limit of [2, 100]) {
          const found = handlesOf(await readAll(store, { ...any, ...part }, limit))
          ensureEqual(found, numbers.filter(isSelected).map(sampleHandle), `${JSON.stringify(part)}, pages of ${limit}`)
        }
      }
    },
  },
  {
    name: 'EV-07: listNewest: a search through more sessions than one call looks at goes on with the next page',
    async run({ open }) {
      const store = await open()
      const count = SCAN_LIMIT + 50
      await Promise.all(Array.from({ length: count }, (_, number) => store.insert(sampleRecord({
        handle: sampleHandle(number), userId: `user-${number}`, createdAt: sampleNow - number,
        tenantId: number === 0 || number === count - 1 ? 'rare' : 'public',
      }))))
      const rare = { ...any, tenantId: 'rare' }
      const first = await store.listNewest(rare, { limit: 5, after: null })
      ensureEqual(handlesOf(first.sessions), [sampleHandle(0)], 'the first page has what was found so far')
      ensure(first.next !== null, 'and there is more to search')
      ensureEqual(handlesOf(await readAll(store, rare, 5)), [sampleHandle(0), sampleHandle(count - 1)], 'all are found')
      ensureEqual((await readAll(store, any, SCAN_LIMIT)).length, count, 'the longest page')
    },
  },
]

/** Reads all pages. */
async function readAll(
  store: SessionStore,
  filter: LoginFilter,
  limit: number,
  start: string | null = null,
): Promise<readonly ListedSession[]> {
  const sessions: ListedSession[] = []
  let after = start
  for (let pages = 0; pages === 0 || after !== null; pages++) {
    const page: SessionPage = await store.listNewest(filter, { limit, after })
    ensure(page.sessions.length <= limit, 'no page is longer than its limit')
    ensure(pages < 200, 'paging comes to an end')
    sessions.push(...page.sessions)
    after = page.next
  }
  return sessions
}

function handlesOf(sessions: readonly ListedSession[]): readonly SessionHandle[] {
  return sessions.map(({ handle }) => handle)
}

function newestFirst(left: ListedSession, right: ListedSession): number {
  if (left.createdAt !== right.createdAt) return right.createdAt - left.createdAt
  return left.handle < right.handle ? 1 : -1
}
