import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, samplePresented, sampleRecord, sampleRotation,
} from '../samples.ts'
import type { ActiveBounds } from '../../session/store.ts'
import type { ContractCase } from './contract-case.ts'

/** The conditional write of a refresh, and confirmation. */
export const rotationCases: readonly ContractCase[] = [
  {
    name: 'rotate: writes every value of next, keeps all others, returns the new record',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ generation: 4, branch: 3, confirmed: true, payloadVersion: 2, infoVersion: 3 })
      const bystander = sampleRecord({ handle: sampleHandle(2) })
      await store.insert(record)
      await store.insert(bystander)
      const next = sampleNext({ generation: 5, branch: 1, confirmed: false, servedAt: sampleNow + 1 })
      const rotated = await store.rotate(
        sampleRotation({ expected: samplePresented({ generation: 4, branch: 3 }), next }),
      )
      const expected = { ...record, ...next, expiresAt: sampleNow + record.idleTimeout }
      ensureEqual(rotated, expected, 'rotate returns the new record')
      ensureEqual(await reader.find(record.handle), expected, 'and keeps it')
      ensureEqual(await reader.find(bystander.handle), bystander, 'other sessions are untouched, same hash or not')
    },
  },
  {
    name: 'rotate: writes confirmed, and a client without address and user agent',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord())
      const next = sampleNext({ confirmed: true, client: { ip: null, userAgent: null } })
      const rotated = ensurePresent(await store.rotate(sampleRotation({ next })), 'it rotates')
      ensureEqual([rotated.confirmed, rotated.client], [true, { ip: null, userAgent: null }], 'next is written')
    },
  },
  {
    name: 'rotate: returns null and changes nothing for another hash, the next hash, or an unknown session',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord({ refreshHash: 'Hash-a' })
      await store.insert(record)
      for (const expectedHash of ['hash-1', 'hash-a', 'HASH-A', 'Hash-a ', 'Hash', '']) {
        ensureEqual(await store.rotate(sampleRotation({ expected: samplePresented({ refreshHash: expectedHash }) })),
          null, `"${expectedHash}" is not the hash`)
      }
      const unknown = sampleRotation({ handle: sampleHandle(2), expected: samplePresented({ refreshHash: 'Hash-a' }) })
      ensureEqual(await store.rotate(unknown), null, 'another handle has no such session')
      ensureEqual(await store.find(record.handle), record, 'nothing changed')
      ensureEqual(await store.find(sampleHandle(2)), null, 'nothing was created')
    },
  },
  {
    name: 'rotate: of many that begin at the same moment, each has its own condition and result',
    async run({ open }) {
      const store = await open()
      const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9]
      const records = ids.map(id => sampleRecord({
        handle: sampleHandle(id), userId: `user-${id}`, jwtPayload: `{"id":${id}}`, refreshHash: `Hash-${id}`,
        absoluteExpiry: id === 7 ? sampleNow + minute : null,
        expiresAt: id === 5 ? sampleNow : sampleNow + 3 * minute,
      }))
      for (const record of records) await store.insert(record)
      const wrongHashes = new Map([[2, 'hash-2'], [3, 'Hash-3 '], [4, 'Hash-1']])
      const halfAPair = 'agent \ud83d'
      const rotations = [...ids.toReversed(), 20].map(id => sampleRotation({
        handle: sampleHandle(id),
        expected: samplePresented({ refreshHash: wrongHashes.get(id) ?? `Hash-${id}` }),
        next: sampleNext({
          refreshHash: `Next-${id}`, generation: id,
          client: { ip: null, userAgent: id === 8 ? halfAPair : `agent "${id}"\\ \u{1f511}` },
        }),
      }))
      const twice = sampleRotation({
        handle: sampleHandle(6),
        expected: samplePresented({ refreshHash: 'Hash-6' }),
        next: sampleNext({ refreshHash: 'Other-6' }),
      })
      const [answers, second] = await Promise.all([
        Promise.all(rotations.map(rotation => store.rotate(rotation))), store.rotate(twice),
      ])
      const won = answers.map(answer => answer?.refreshHash ?? null)
      const expected = [9, 8, 7, 6, null, null, null, null, 1, null].map(id => id === null ? null : `Next-${id}`)
      if (second === null) {
        ensureEqual(won, expected, 'those that match are rotated, and no others')
      } else {
        ensureEqual(won, expected.with(3, null), 'one of two with the same hash')
        ensureEqual(second.refreshHash, 'Other-6', 'the other one')
      }
      for (const [index, id] of ids.toReversed().entries()) {
        const found = ensurePresent(await store.find(sampleHandle(id)), 'it is there')
        ensureEqual([found.userId, found.jwtPayload], [`user-${id}`, `{"id":${id}}`], 'each session keeps its own data')
        const answer = answers[index] ?? (id === 6 ? second : null)
        if (answer === null) {
          ensureEqual(found, records[id - 1], 'a rotation that does not match changes nothing')
        } else {
          ensureEqual(answer.expiresAt, sampleNow + (id === 7 ? minute : answer.idleTimeout), 'its own expiry')
          const { client } = answer
          ensureEqual({ ...found, client }, answer, 'the result is what is stored')
          if (id !== 8) ensureEqual(found.client, client, 'of the client, too')
        }
      }
    },
  },
  {
    name: 'rotate: succeeds only once from one hash',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      await first.insert(sampleRecord())
      ensure(await first.rotate(sampleRotation()) !== null, 'the first wins')
      const again = sampleRotation({ next: sampleNext({ refreshHash: 'hash-x' }) })
      ensureEqual(await second.rotate(again), null, 'the session has another hash now')
      ensureEqual((await second.find(sampleHandle(1)))?.refreshHash, 'hash-1', 'the first stays')
    },
  },
  {
    name: 'ROT-02: of 50 concurrent rotations over 5 connections exactly one succeeds',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 5 }, () => open()))
      await stores[0]?.insert(sampleRecord())
      const results = await Promise.all(Array.from({ length: 50 }, async (_, index) =>
        stores[index % stores.length]?.rotate(sampleRotation({ next: sampleNext({ refreshHash: `child-${index}` }) }))))
      const winners = results.filter(record => record !== null && record !== undefined)
      ensureEqual(winners.length, 1, 'one rotation wins')
      for (const store of stores) {
        ensureEqual(await store.find(sampleHandle(1)), winners[0], 'every connection sees the winner\'s record')
      }
    },
  },
  {
    name: 'rotate: the bounds are exact',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord({ rotatedAt: sampleNow - minute, createdAt: sampleNow - 2 * minute })
      await store.insert(record)
      const { expiresAt, rotatedAt, createdAt } = record
      const dead: readonly ActiveBounds[] = [
        { now: expiresAt, rotatedAfter: 0, createdAfter: 0 },
        { now: expiresAt + 1, rotatedAfter: 0, createdAfter: 0 },
        { now: sampleNow, rotatedAfter: rotatedAt, createdAfter: 0 },
        { now: sampleNow, rotatedAfter: rotatedAt + 1, createdAfter: 0 },
        { now: sampleNow, rotatedAfter: 0, createdAfter: createdAt },
        { now: sampleNow, rotatedAfter: 0, createdAfter: createdAt + 1 },
      ]
      for (const bounds of dead) {
        ensureEqual(await store.rotate(sampleRotation({ bounds })), null, `not active: ${JSON.stringify(bounds)}`)
      }
      ensureEqual(await store.find(record.handle), record, 'nothing changed')
      const bounds = { now: expiresAt - 1, rotatedAfter: rotatedAt - 1, createdAfter: createdAt - 1 }
      ensure(await store.rotate(sampleRotation({ bounds })) !== null, 'one millisecond inside every bound it is active')
    },
  },
  {
    name: 'ROT-05: expiresAt is the earlier of rotatedAt + idleTimeout and absoluteExpiry',
    async run({ open }) {
      const store = await open()
      const idleTimeout = 60 * minute
      const ends = [
        { absoluteExpiry: null, expiresAt: sampleNow + idleTimeout },
        { absoluteExpiry: sampleNow + minute, expiresAt: sampleNow + minute },
        { absoluteExpiry: sampleNow + idleTimeout, expiresAt: sampleNow + idleTimeout },
        { absoluteExpiry: sampleNow + idleTimeout + 1, expiresAt: sampleNow + idleTimeout },
      ]
      for (const [number, { absoluteExpiry, expiresAt }] of ends.entries()) {
        const handle = sampleHandle(number)
        await store.insert(sampleRecord({ handle, idleTimeout, absoluteExpiry }))
        const rotated = ensurePresent(await store.rotate(sampleRotation({ handle })), 'it rotates')
        ensureEqual([rotated.expiresAt, rotated.absoluteExpiry], [expiresAt, absoluteExpiry], `end ${number}`)
        ensureEqual((await store.find(handle))?.expiresAt, expiresAt, 'the end is kept')
      }
    },
  },
  {
    name: 'rotate: an adoption or a repeated delivery may keep the hash and rotatedAt',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord()
      await store.insert(record)
      const next = sampleNext({ refreshHash: record.refreshHash, generation: 0, rotatedAt: record.rotatedAt })
      const served = await store.rotate(sampleRotation({ next }))
      ensureEqual(served, { ...record, ...next }, 'only what next says changes')
    },
  },
  {
    name: 'REV-07: rotate never restores a removed session',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      await first.insert(sampleRecord())
      await second.remove([sampleHandle(1)], sampleNow + minute)
      ensureEqual(await first.rotate(sampleRotation()), null, 'there is nothing to rotate')
      for (const store of [first, second]) ensureEqual(await store.find(sampleHandle(1)), null, 'it stays removed')
      ensureEqual((await first.listByUser('user-1', { limit: 10, after: null })).sessions, [], 'in the list too')
    },
  },
  {
    name: 'REV-07: whatever runs concurrently with a removal, the session is gone afterwards',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      for (let number = 0; number < 20; number++) {
        const handle = sampleHandle(number)
        await first.insert(sampleRecord({ handle }))
        const late = { handle, now: sampleNow, from: sampleNow }
        const writes = [
          () => first.rotate(sampleRotation({ handle })),
          () => second.remove([handle], sampleNow + minute),
          () => first.confirm([{ handle, generation: 0, branch: 0 }]),
          () => first.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: null }),
          () => first.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null }),
        ]
        const from = number % writes.length
        await Promise.all([...writes.slice(from), ...writes.slice(0, from)].map(write => write()))
        ensureEqual(await first.find(handle), null, 'removed stays removed')
        ensureEqual(await second.find(handle), null, 'removed stays removed')
      }
    },
  },
  {
    name: 'confirm: applies only if generation and branch are those of the session',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ generation: 3, branch: 1 })
      await store.insert(record)
      const handle = record.handle
      await store.confirm([])
      await store.confirm([
        { handle, generation: 3, branch: 0 },
        { handle, generation: 2, branch: 1 },
        { handle, generation: 4, branch: 1 },
        { handle: sampleHandle(2), generation: 3, branch: 1 },
      ])
      ensureEqual(await reader.find(handle), record, 'none of these is the session\'s')
      await store.confirm([{ handle, generation: 3, branch: 1 }])
      ensureEqual(await reader.find(handle), { ...record, confirmed: true }, 'this one is, and nothing else changes')
      await store.confirm([{ handle, generation: 3, branch: 1 }])
      ensureEqual(await reader.find(handle), { ...record, confirmed: true }, 'twice is as good as once')
      ensureEqual(await reader.find(sampleHandle(2)), null, 'nothing was created')
    },
  },
  {
    name: 'confirm: a batch of 500, each by its own generation',
    async run({ open }) {
      const store = await open()
      const numbers = Array.from({ length: 500 }, (_, index) => index)
      await Promise.all(numbers.map(number =>
        store.insert(sampleRecord({ handle: sampleHandle(number), generation: number % 7 }))))
      await store.confirm(numbers.map(number => ({ handle: sampleHandle(number), generation: 3, branch: 0 })))
      const found = await Promise.all(numbers.map(number => store.find(sampleHandle(number))))
      ensureEqual(found.map(record => record?.confirmed), numbers.map(number => number % 7 === 3), 'those alone')
    },
  },
]
