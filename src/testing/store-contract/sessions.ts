import { REMOVAL_LIMIT } from '../../session/store.ts'
import { ensure, ensureEqual, ensurePresent, ensureRejects } from '../assert.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** Creation, reading and removal of sessions. */
export const sessionCases: readonly ContractCase[] = [
  {
    name: 'insert: find returns every member of the record, over another connection',
    async run({ open }) {
      const [writer, reader] = [await open(), await open()]
      const record = sampleRecord({
        generation: 7,
        branch: 2,
        confirmed: true,
        rotatedAt: sampleNow - 3,
        servedAt: sampleNow - 2,
        authenticatedAt: sampleNow - 4,
        absoluteExpiry: sampleNow + minute,
        persistent: false,
        payloadVersion: 5,
        infoVersion: 6,
      })
      await writer.insert(record)
      ensureEqual(await reader.find(record.handle), record, 'find returns what insert was given')
    },
  },
  {
    name: 'insert: null is not the empty text',
    async run({ open }) {
      const store = await open()
      const records = [
        sampleRecord({ handle: sampleHandle(1), absoluteExpiry: null, client: { ip: null, userAgent: null } }),
        sampleRecord({ handle: sampleHandle(2), tenantId: '', client: { ip: '', userAgent: '' } }),
      ]
      for (const record of records) await store.insert(record)
      for (const record of records) ensureEqual(await store.find(record.handle), record, 'null and "" stay themselves')
    },
  },
  {
    name: 'insert: refuses a handle that exists, and changes nothing',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      const record = sampleRecord()
      await first.insert(record)
      await ensureRejects(() => second.insert(sampleRecord({ userId: 'intruder' })), 'a second insert is refused')
      ensureEqual(await first.find(record.handle), record, 'the first session is untouched')
      ensureEqual((await first.listByUser('intruder', { limit: 10, after: null })).sessions, [], 'no trace of it')
    },
  },
  {
    name: 'insert: of 10 concurrent calls with one handle exactly one succeeds',
    async run({ open }) {
      const stores = [await open(), await open()]
      const attempts = Array.from({ length: 10 }, async (_, index) => {
        const record = sampleRecord({ userId: `user-${index}` })
        await stores[index % stores.length]?.insert(record)
        return record
      })
      const winners = (await Promise.allSettled(attempts)).filter(result => result.status === 'fulfilled')
      ensureEqual(winners.length, 1, 'one insert succeeds')
      ensureEqual(await stores[0]?.find(sampleHandle(1)), winners[0]?.value, 'its session is the one that is kept')
    },
  },
  {
    name: 'find: null for an unknown handle',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord())
      ensureEqual(await store.find(sampleHandle(2)), null, 'an unknown session is null')
    },
  },
  {
    name: 'find: returns an expired session too',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord({ createdAt: sampleNow - 90 * minute })
      ensure(record.expiresAt < sampleNow, 'the sample is expired')
      await store.insert(record)
      ensureEqual(await store.find(record.handle), record, 'the store does not decide whether it is too old')
    },
  },
  {
    name: 'find: returns copies and stores copies',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord()
      const given = { ...record, client: { ...record.client } }
      await store.insert(given)
      Object.assign(given, { userId: 'changed' })
      Object.assign(given.client, { ip: 'changed' })
      const found = ensurePresent(await store.find(record.handle), 'the session is found')
      ensureEqual(found, record, 'what the caller does to its record does not reach the store')
      Object.assign(found, { userId: 'changed' })
      Object.assign(found.client, { ip: 'changed' })
      ensureEqual(await store.find(record.handle), record, 'what the caller does to a found record does not either')
    },
  },
  {
    name: 'remove: deletes what exists, returns only that, and appends one change',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      const removed =
        (await store.remove([sampleHandle(1), sampleHandle(3), sampleHandle(9)], sampleNow + minute)).handles
      ensureEqual([...removed].sort(), [sampleHandle(1), sampleHandle(3)], 'remove returns what it deleted')
      ensureEqual(await reader.find(sampleHandle(1)), null, 'the first is gone')
      ensureEqual(await reader.find(sampleHandle(3)), null, 'the third is gone')
      ensure(await reader.find(sampleHandle(2)) !== null, 'the second stays')
      const { changes } = await reader.changesSince(null, 10)
      ensureEqual(changes.length, 1, 'one change names both')
      const change = changes[0]
      ensure(change?.kind === 'revoked', 'it is of the kind revoked')
      ensureEqual([...change.handles].sort(), [...removed].sort(), 'it names what was deleted')
      ensureEqual(change.until, sampleNow + minute + sampleRecord().accessTokenLifetime, 'it carries until')
    },
  },
  {
    name: 'remove: appends no change if nothing was deleted; an expired session counts',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord({ expiresAt: sampleNow - minute }))
      ensureEqual((await store.remove([], sampleNow)).handles, [], 'no handles, nothing removed')
      ensureEqual((await store.remove([sampleHandle(2)], sampleNow)).handles, [], 'an unknown handle removes nothing')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'no change without a removal')
      ensureEqual((await store.remove([sampleHandle(1)], sampleNow)).handles, [sampleHandle(1)],
        'expired or not, it is removed')
      ensureEqual((await store.remove([sampleHandle(1)], sampleNow)).handles, [], 'a second time it is gone')
      ensureEqual((await store.changesSince(null, 10)).changes.length, 1, 'one change for one removal')
    },
  },
  {
    name: 'remove: a handle that is passed twice is one session',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord())
      const until = sampleNow + sampleRecord().accessTokenLifetime
      const removal = await store.remove([sampleHandle(1), sampleHandle(1)], sampleNow)
      ensureEqual(removal, { handles: [sampleHandle(1)], until }, 'it is named once')
      const { changes } = await store.changesSince(null, 10)
      ensureEqual(changes, [{ kind: 'revoked', handles: [sampleHandle(1)], until }], 'in the change as well')
    },
  },
  {
    name: 'remove: of 10 concurrent calls exactly one deletes a session, with one change',
    async run({ open }) {
      const stores = [await open(), await open()]
      await stores[0]?.insert(sampleRecord())
      const attempts = Array.from({ length: 10 }, async (_, index) =>
        stores[index % stores.length]?.remove([sampleHandle(1)], sampleNow + minute))
      const removed = (await Promise.all(attempts)).flatMap(removal => removal?.handles ?? [])
      ensureEqual(removed, [sampleHandle(1)], 'one call deleted it')
      ensureEqual((await stores[0]?.changesSince(null, 100))?.changes.length, 1, 'one change names it')
    },
  },
  {
    name: 'close: written data stays, and other connections continue; a second call is harmless',
    async run({ open }) {
      const [closed, other] = [await open(), await open()]
      const record = sampleRecord()
      await closed.insert(record)
      await closed.close()
      await closed.close()
      ensureEqual(await other.find(record.handle), record, 'another connection reads it')
      ensureEqual(await (await open()).find(record.handle), record, 'a new one, too')
    },
  },
  {
    name: 'remove: accepts as many handles at once as the port says',
    async run({ open }) {
      const store = await open()
      const handles = Array.from({ length: REMOVAL_LIMIT }, (_, index) => sampleHandle(index))
      await Promise.all([3, 50, 99].map(number => store.insert(sampleRecord({ handle: sampleHandle(number) }))))
      const removed = (await store.remove(handles, sampleNow + minute)).handles
      ensureEqual([...removed].sort(), [3, 50, 99].map(sampleHandle), 'those of them that exist')
    },
  },
]
