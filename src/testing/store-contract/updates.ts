import { ensureEqual } from '../assert.ts'
import { sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

const handle = sampleHandle(1)

/** Session info and JWT payload. */
export const updateCases: readonly ContractCase[] = [
  {
    name: 'updateInfo: replaces the info and increments its version, for any version or the expected one',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ infoVersion: 3 })
      await store.insert(record)
      const any = { handle, sessionInfo: '{"a":1}', expectedVersion: null, now: sampleNow }
      ensureEqual(await store.updateInfo(any), true, 'any version')
      ensureEqual(await reader.find(handle), { ...record, sessionInfo: '{"a":1}', infoVersion: 4 }, 'written')
      const exact = { handle, sessionInfo: '{"a":2}', expectedVersion: 4, now: sampleNow }
      ensureEqual(await store.updateInfo(exact), true, 'the expected version')
      ensureEqual(await reader.find(handle), { ...record, sessionInfo: '{"a":2}', infoVersion: 5 }, 'written')
      ensureEqual(await store.updateInfo(exact), false, 'the version has moved on')
      ensureEqual(await store.updateInfo({ ...exact, expectedVersion: 6 }), false, 'the version is not there yet')
      ensureEqual(await reader.find(handle), { ...record, sessionInfo: '{"a":2}', infoVersion: 5 }, 'unchanged')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'processes that verify do not need it')
    },
  },
  {
    name: 'updateInfo: writing the same text counts as an update',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord()
      await store.insert(record)
      const same = { handle, sessionInfo: record.sessionInfo, expectedVersion: 0, now: sampleNow }
      ensureEqual(await store.updateInfo(same), true, 'it is done')
      ensureEqual((await store.find(handle))?.infoVersion, 1, 'and counted')
    },
  },
  {
    name: 'updateInfo: expectedVersion 0 means version 0, not any version',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord({ infoVersion: 1 }))
      const update = { handle, sessionInfo: '{}', expectedVersion: 0, now: sampleNow }
      ensureEqual(await store.updateInfo(update), false, 'the version is 1')
    },
  },
  {
    name: 'updateInfo: of concurrent conditional updates none is lost',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      await stores[0]?.insert(sampleRecord({ sessionInfo: '[]' }))
      await Promise.all(stores.flatMap((store, connection) => Array.from({ length: 5 }, async (_, index) => {
        for (;;) {
          const current = await store.find(handle)
          const sessionInfo = JSON.stringify([...JSON.parse(current?.sessionInfo ?? '[]'), `${connection}-${index}`])
          const expectedVersion = current?.infoVersion ?? 0
          if (await store.updateInfo({ handle, sessionInfo, expectedVersion, now: sampleNow })) return
        }
      })))
      const record = await stores[0]?.find(handle)
      ensureEqual(new Set(JSON.parse(record?.sessionInfo ?? '[]')).size, 20, 'all 20 are there')
      ensureEqual(record?.infoVersion, 20, 'the version counted each')
    },
  },
  {
    name: 'updateInfo and updatePayload: change nothing for a removed or expired session, exactly at its expiry too',
    async run({ open }) {
      const store = await open()
      const record = sampleRecord()
      await store.insert(record)
      const info = { handle, sessionInfo: '{"late":1}', expectedVersion: null }
      const payload = { handle, jwtPayload: '{"late":1}', expectedVersion: null, from: sampleNow }
      for (const now of [record.expiresAt, record.expiresAt + 1]) {
        ensureEqual(await store.updateInfo({ ...info, now }), false, 'expired')
        ensureEqual(await store.updatePayload({ ...payload, now }), null, 'expired')
      }
      const unknown = { handle: sampleHandle(2), now: sampleNow }
      ensureEqual(await store.updateInfo({ ...info, ...unknown }), false, 'gone')
      ensureEqual(await store.updatePayload({ ...payload, ...unknown }), null, 'gone')
      ensureEqual(await store.find(handle), record, 'nothing changed')
      ensureEqual(await store.find(sampleHandle(2)), null, 'nothing was created')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'no change without an update')
      ensureEqual(await store.updateInfo({ ...info, now: record.expiresAt - 1 }), true, 'one millisecond before')
      ensureEqual((await store.updatePayload({ ...payload, now: record.expiresAt - 1 }))?.version, 1, 'and here')
    },
  },
  {
    name: 'updatePayload: replaces the payload, increments its version, and appends a change with it',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ payloadVersion: 8 })
      await store.insert(record)
      const update = { handle, jwtPayload: '{"role":"writer"}', expectedVersion: null, now: sampleNow, from: sampleNow }
      const until = sampleNow + record.accessTokenLifetime
      ensureEqual(await store.updatePayload(update), { version: 9, until }, 'it returns the new version')
      const expected = { ...record, jwtPayload: '{"role":"writer"}', payloadVersion: 9 }
      ensureEqual(await reader.find(handle), expected, 'written')
      ensureEqual((await reader.changesSince(null, 10)).changes,
        [{ kind: 'payload', handle, version: 9, until }], 'the change')
    },
  },
  {
    name: 'L-16: updatePayload: writes for the expected version only, and else appends no change',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ payloadVersion: 3 })
      await store.insert(record)
      const exact = { handle, jwtPayload: '{"a":1}', expectedVersion: 3, now: sampleNow, from: sampleNow }
      for (const expectedVersion of [0, 2, 4]) {
        ensureEqual(await store.updatePayload({ ...exact, expectedVersion }), null,
          `version ${expectedVersion} is not there`)
      }
      ensureEqual(await reader.find(handle), record, 'nothing changed')
      ensureEqual((await reader.changesSince(null, 10)).changes, [], 'no change without an update')
      ensureEqual((await store.updatePayload(exact))?.version, 4, 'the expected version')
      ensureEqual(await store.updatePayload(exact), null, 'the version has moved on')
      ensureEqual(await reader.find(handle), { ...record, jwtPayload: '{"a":1}', payloadVersion: 4 }, 'written once')
      ensureEqual((await reader.changesSince(null, 10)).changes.length, 1, 'with one change')
    },
  },
  {
    name: 'L-16: updatePayload: of concurrent conditional updates none is lost',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      await stores[0]?.insert(sampleRecord({ jwtPayload: '[]' }))
      await Promise.all(stores.flatMap((store, connection) => Array.from({ length: 5 }, async (_, index) => {
        for (;;) {
          const current = await store.find(handle)
          const jwtPayload = JSON.stringify([...JSON.parse(current?.jwtPayload ?? '[]'), `${connection}-${index}`])
          const expectedVersion = current?.payloadVersion ?? 0
          if (
            await store.updatePayload({ handle, jwtPayload, expectedVersion, now: sampleNow, from: sampleNow })
          ) return
        }
      })))
      const record = await stores[0]?.find(handle)
      ensureEqual(new Set(JSON.parse(record?.jwtPayload ?? '[]')).size, 20, 'all 20 are there')
      ensureEqual(record?.payloadVersion, 20, 'the version counted each')
    },
  },
  {
    name: 'updatePayload: concurrent updates get different versions, each with its change',
    async run({ open }) {
      const stores = [await open(), await open()]
      await stores[0]?.insert(sampleRecord())
      const updates = await Promise.all(
        Array.from({ length: 10 }, async (_, index) =>
          stores[index % 2]?.updatePayload({
            handle,
            jwtPayload: '{}',
            expectedVersion: null,
            now: sampleNow,
            from: sampleNow,
          })),
      )
      const all = Array.from({ length: 10 }, (_, index) => index + 1)
      const versions = updates.map(update => update?.version ?? 0)
      ensureEqual(versions.toSorted((left, right) => left - right), all, 'no version twice')
      const { changes } = await stores[1]?.changesSince(null, 100) ?? { changes: [] }
      const versionsInLog = changes.map(change => change.kind === 'payload' ? change.version : 0)
      ensureEqual(versionsInLog.toSorted((left, right) => left - right), all, 'each change is there')
    },
  },
  {
    name: 'updates and a concurrent rotation do not overwrite each other',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      await first.insert(sampleRecord())
      const late = { handle, expectedVersion: null, now: sampleNow, from: sampleNow }
      await Promise.all([
        first.updateInfo({ ...late, sessionInfo: '{"i":1}', expectedVersion: null }),
        second.rotate(sampleRotation()),
        first.updatePayload({ ...late, jwtPayload: '{"p":1}', expectedVersion: null }),
      ])
      const record = await second.find(handle)
      ensureEqual([record?.refreshHash, record?.sessionInfo, record?.infoVersion, record?.jwtPayload,
        record?.payloadVersion], ['hash-1', '{"i":1}', 1, '{"p":1}', 1], 'all three are there')
    },
  },
]
