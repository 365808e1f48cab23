import type { AdmittedImport, ImportClaim } from '../../session/import-claims.ts'
import type { NotBefore } from '../../session/store.ts'
import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import {
  minute, sampleClaim, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../samples.ts'
import type { ContractCase } from './contract-case.ts'
import { removeDue } from './expiry.ts'

const notBefore: NotBefore = { time: sampleNow, until: sampleNow + 60 * minute }

/** A claim on the session with this number, and that session. */
function admission(number: number, overrides: Partial<ImportClaim> = {}, userId = 'user-1', tenantId = 'public') {
  const handle = sampleHandle(number)
  return {
    claim: sampleClaim({ handle, ...overrides }),
    record: sampleRecord({ handle, userId, tenantId, createdAt: sampleNow }),
  }
}

/** Claims on the sessions of other systems. */
export const importCases: readonly ContractCase[] = [
  {
    name: 'admitImport: adds a claim and its session, with every member, over another connection',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const given = admission(1, { proof: 'a'.repeat(255), issuedAt: 0 })
      ensureEqual(await reader.findImport(given.claim.handle), null, 'before, there is none')
      const admitted = await store.admitImport(given)
      ensureEqual(admitted, { claim: given.claim, outcome: 'admitted' }, 'it was added')
      ensureEqual(await reader.findImport(given.claim.handle), given.claim, 'the claim is as it was given')
      ensureEqual(await reader.find(given.record.handle), given.record, 'and so is the session')
      const listed = await reader.listByUser('user-1', { limit: 10, after: null })
      ensureEqual(listed.sessions.map(({ handle }) => handle), [given.record.handle], 'which is listed')
      const newest = await reader.listNewest({ tenantId: null, ip: null, userAgent: null }, { limit: 10, after: null })
      ensureEqual(newest.sessions.map(({ handle }) => handle), [given.record.handle], 'also among those of all users')
    },
  },
  {
    name: 'admitImport: a second call returns the claim that stands, and changes nothing',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const first = admission(1)
      await store.admitImport(first)
      const second = admission(1, { kid: 'key-9', admittedAt: sampleNow + 5, proof: 'other' }, 'user-2')
      ensureEqual(await other.admitImport(second), { claim: first.claim, outcome: 'known' }, 'the first claim stands')
      ensureEqual(await other.find(first.record.handle), first.record, 'and so does its session')
      ensureEqual((await other.listByUser('user-2', { limit: 10, after: null })).sessions, [], 'no other was added')
    },
  },
  {
    name: 'IMP-01: admitImport never adds a session again that was removed',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const given = admission(1)
      await store.admitImport(given)
      await store.remove([given.record.handle], sampleNow)
      ensureEqual((await other.admitImport(given)).outcome, 'known', 'the claim is known')
      ensureEqual(await other.find(given.record.handle), null, 'its session stays removed')
      ensureEqual((await other.listByUser('user-1', { limit: 10, after: null })).sessions, [], 'and is not listed')
    },
  },
  {
    name: 'admitImport: of 15 concurrent calls exactly one adds, and all return its claim',
    async run({ open }) {
      const stores = await Promise.all([open(), open(), open()])
      for (let round = 0; round < 4; round++) {
        const calls = Array.from({ length: 15 }, async (_, index) => (
          stores[index % 3]?.admitImport(admission(round, { kid: `key-${index}` }))
        ))
        const results = (await Promise.all(calls)).filter((each): each is AdmittedImport => each !== undefined)
        ensureEqual(
          results.map(({ outcome }) => outcome).toSorted(),
          ['admitted', ...Array<string>(14).fill('known')],
          'one',
        )
        const winner = ensurePresent(results.find(({ outcome }) => outcome === 'admitted'), 'one has added')
        for (const { claim } of results) ensureEqual(claim, winner.claim, 'all return the claim of the winner')
      }
    },
  },
  {
    name: 'IMP-01: admitImport refuses a credential that was issued before a not-before, for good',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      await store.removeByUser(sampleUserRemoval({ notBefore }))
      const old = admission(1, { issuedAt: sampleNow - 1 })
      ensureEqual((await other.admitImport(old)).outcome, 'refused', 'one that was issued a millisecond before')
      ensureEqual(await other.find(old.record.handle), null, 'is not there')
      ensure(await other.findImport(old.record.handle) !== null, 'but claimed')
      ensureEqual((await other.admitImport(admission(2, { issuedAt: 0 }))).outcome, 'refused', 'one of an unknown age')
      ensureEqual((await other.admitImport(admission(3, { issuedAt: sampleNow }))).outcome, 'admitted', 'a later one')
      const others = admission(4, { issuedAt: 1 }, 'user-2')
      ensureEqual((await other.admitImport(others)).outcome, 'admitted', 'one of another user')
      ensureEqual((await other.listByUser('user-1', { limit: 10, after: null })).sessions.length, 1, 'one is listed')
    },
  },
  {
    name: 'admitImport: applies the not-befores of a tenant and of all users',
    async run({ open }) {
      const store = await open()
      await store.removeByUser(sampleUserRemoval({ tenantId: 'one', notBefore }))
      const claim = { issuedAt: sampleNow - 1 }
      ensureEqual((await store.admitImport(admission(1, claim, 'user-1', 'one'))).outcome, 'refused', 'of the tenant')
      ensureEqual((await store.admitImport(admission(2, claim, 'user-1', 'two'))).outcome, 'admitted', 'of the other')
      await store.removeAll({ notBefore: { ...notBefore, time: sampleNow + 1 }, limit: 100, after: null })
      ensureEqual((await store.admitImport(admission(3, claim, 'user-9'))).outcome, 'refused', 'of all users')
    },
  },
  {
    name: 'admitImport: a not-before that comes after the claim removes its session, unless that was refreshed',
    async run({ open }) {
      const store = await open()
      const [unused, used] = [admission(1, { issuedAt: sampleNow - 1 }), admission(2, { issuedAt: sampleNow - 1 })]
      await store.admitImport(unused)
      await store.admitImport(used)
      const { handle, userId } = used.record
      ensure(
        await store.rotate(sampleRotation({ handle, next: sampleNext({ rotatedAt: sampleNow + 1 }) })) !== null,
        'it was',
      )
      await store.removeByUser(sampleUserRemoval({ userId, notBefore, tenantId: 'public', limit: 1, except: handle }))
      for (const each of [unused, used]) {
        ensureEqual((await store.admitImport(each)).outcome, 'refused', 'both are refused')
      }
      ensureEqual(await store.find(unused.record.handle), null, 'the one that nobody has used is gone')
      ensure(await store.find(handle) !== null, 'the other, which the removal has spared, stays')
    },
  },
  {
    name: 'IMP-01: of admissions concurrent with a removal, none of an older credential remains',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      for (let round = 0; round < 8; round++) {
        const userId = `user-${round}`
        const given = Array.from({ length: 12 }, (_, index) => (
          admission(round * 100 + index, { issuedAt: sampleNow - 1 }, userId)
        ))
        const calls = given.map((each, index) => () => stores[index % stores.length]?.admitImport(each))
        const removal = (): unknown =>
          stores[round % stores.length]?.removeByUser(sampleUserRemoval({ userId, notBefore }))
        await Promise.all([...calls.slice(0, 6), removal, ...calls.slice(6)].map(call => call()))
        for (const { record } of given) ensureEqual(await stores[0]?.find(record.handle), null, 'none is found')
        const left = await stores[0]?.listByUser(userId, { limit: 100, after: null })
        ensureEqual(left?.sessions, [], 'none is listed')
      }
    },
  },
  {
    name: 'removeExpired: removes a claim when its until has passed, and not with its session',
    async run({ open }) {
      const store = await open()
      const given = admission(1, { until: sampleNow + 90 * minute })
      await store.admitImport(given)
      await removeDue(store, sampleNow + 89 * minute, 10)
      ensureEqual(await store.find(given.record.handle), null, 'the session has expired')
      ensure(await store.findImport(given.record.handle) !== null, 'the claim is kept')
      await removeDue(store, given.claim.until, 10)
      // A store whose server deletes claims by itself does so by the server's clock.
      const left = await store.findImport(given.record.handle)
      ensure(left === null || left.until === given.claim.until, 'afterwards it need not be')
    },
  },
  {
    name: 'countImports: counts by source and day, oldest first',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      ensureEqual(await reader.countImports(), [], 'at first there are none')
      const day = 24 * 60 * minute
      const at = (number: number, source: string, days: number) => (
        store.admitImport(admission(number, { source, admittedAt: sampleNow + days * day + 5 }))
      )
      await at(1, 'two', 1)
      await at(2, 'one', 1)
      await at(3, 'one', 0)
      await at(4, 'one', 0)
      await at(4, 'one', 0)
      ensureEqual(await reader.countImports(), [
        { source: 'one', day: sampleNow, count: 2 },
        { source: 'one', day: sampleNow + day, count: 1 },
        { source: 'two', day: sampleNow + day, count: 1 },
      ], 'each claim once')
    },
  },
]
