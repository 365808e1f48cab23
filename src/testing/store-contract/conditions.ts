import type { PresentedState, Reauthentication, TokenState } from '../../session/store.ts'
import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, samplePresented, sampleReauthentication, sampleRecord, sampleRotation,
  sampleState,
} from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

const handle = sampleHandle(1)

/** The reuse interval of the sample. */
const R = sampleRecord().reuseInterval

/** A session that was rotated so long ago that its token may be rotated again. */
const rotated = sampleRecord({
  generation: 3, branch: 1, confirmed: true, rotatedAt: sampleNow - 7 * R, servedAt: sampleNow - 7 * R,
})

const presented = samplePresented({ generation: 3, branch: 1 })

/** The state that a session must have for its token to be replaced, or for it to be removed because of reuse. */
export const conditionCases: readonly ContractCase[] = [
  {
    name: 'rotate: a presented token must be the current one in every member',
    async run({ open }) {
      const store = await open()
      await store.insert(rotated)
      const others: readonly Partial<PresentedState>[] = [
        { refreshHash: 'hash-1' }, { anchorHash: 'anchor-1' }, { anchorHash: 'ANCHOR-0' }, { generation: 2 },
        { generation: 4 }, { branch: 0 }, { branch: 2 },
      ]
      for (const other of others) {
        const expected = { ...presented, ...other }
        ensureEqual(await store.rotate(sampleRotation({ expected })), null, `not with ${JSON.stringify(other)}`)
      }
      ensureEqual(await store.find(handle), rotated, 'nothing changed')
      ensure(await store.rotate(sampleRotation({ expected: presented })) !== null, 'it rotates')
    },
  },
  {
    name: 'rotate: not within 2R of the last delivery, unless 6R after it became current; to the millisecond',
    async run({ open }) {
      const store = await open()
      const ages: readonly (readonly [servedAgo: number, rotatedAgo: number, rotates: boolean])[] = [
        [2 * R, 2 * R, false], [2 * R + 1, 2 * R + 1, true], [0, 6 * R, false], [0, 6 * R + 1, true],
        [2 * R, 6 * R, false], [2 * R, 6 * R + 1, true], [-1, -1, false],
      ]
      for (const [number, [servedAgo, rotatedAgo, rotates]] of ages.entries()) {
        const record = {
          ...rotated, handle: sampleHandle(number), servedAt: sampleNow - servedAgo, rotatedAt: sampleNow - rotatedAgo,
        }
        await store.insert(record)
        const rotation = sampleRotation({ handle: record.handle, expected: presented })
        ensureEqual(await store.rotate(rotation) !== null, rotates,
          `served ${servedAgo} ago, rotated ${rotatedAgo} ago`)
      }
    },
  },
  {
    name: 'rotate: at any time with a reuse interval of 0, and from generation 0',
    async run({ open }) {
      const store = await open()
      const fresh = { rotatedAt: sampleNow, servedAt: sampleNow }
      await store.insert({ ...rotated, ...fresh, reuseInterval: 0 })
      ensure(await store.rotate(sampleRotation({ expected: presented })) !== null, 'without an interval')
      const first = sampleRecord({ handle: sampleHandle(2), ...fresh })
      await store.insert(first)
      ensure(await store.rotate(sampleRotation({ handle: first.handle })) !== null, 'from the first generation')
    },
  },
  {
    name: 'rotate: a decision on a record is applied only while its token is unchanged',
    async run({ open }) {
      const store = await open()
      const young = { ...rotated, confirmed: false, servedAt: sampleNow - R / 2, rotatedAt: sampleNow - R }
      await store.insert(young)
      const state = sampleState(young)
      const others: readonly Partial<TokenState>[] = [
        { refreshHash: 'hash-1' }, { anchorHash: 'anchor-1' }, { generation: 2 }, { branch: 0 }, { confirmed: true },
        { rotatedAt: young.rotatedAt + 1 }, { servedAt: young.servedAt - 1 },
      ]
      for (const other of others) {
        const expected = { ...state, ...other }
        ensureEqual(await store.rotate(sampleRotation({ expected })), null, `not with ${JSON.stringify(other)}`)
      }
      ensureEqual(await store.find(handle), young, 'nothing changed')
      const next = {
        ...sampleNext(),
        ...state,
        refreshKeyId: young.refreshKeyId,
        client: young.client,
        servedAt: sampleNow,
      }
      const { anchorHash: _, ...served } = next
      ensureEqual(await store.rotate(sampleRotation({ expected: state, next: served })),
        { ...young, servedAt: sampleNow, expiresAt: young.rotatedAt + young.idleTimeout },
        'with the state, at any age')
      ensureEqual(await store.rotate(sampleRotation({ expected: state })), null, 'the state has changed since')
    },
  },
  {
    name: 'rotate: a confirmation in between counts as a change',
    async run({ open }) {
      const store = await open()
      const young = { ...rotated, confirmed: false }
      await store.insert(young)
      await store.confirm([{ handle, generation: 3, branch: 1 }])
      ensureEqual(await store.rotate(sampleRotation({ expected: sampleState(young) })), null, 'it was confirmed')
    },
  },
  {
    name: 'rotate: of a concurrent delivery and rotation, one succeeds',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      for (let number = 0; number < 20; number++) {
        const record = {
          ...rotated, handle: sampleHandle(number), rotatedAt: sampleNow - 5 * R, servedAt: sampleNow - 3 * R,
        }
        await first.insert(record)
        const rotation = sampleRotation({
          handle: record.handle,
          expected: presented,
          next: sampleNext({ generation: 4 }),
        })
        const { anchorHash: _, ...state } = sampleState(record)
        const serve = sampleRotation({
          handle: record.handle, expected: sampleState(record),
          next: { ...sampleNext(), ...state, servedAt: sampleNow },
        })
        const racers = [() => first.rotate(rotation), () => second.rotate(serve)]
        const outcomes = await Promise.all((number % 2 === 0 ? racers : racers.toReversed()).map(racer => racer()))
        ensureEqual(outcomes.filter(outcome => outcome !== null).length, 1, 'one of them')
      }
    },
  },
  {
    name: 'reauthenticate: replaces token, anchor and time of authentication, and keeps all else',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      await store.insert(rotated)
      const bystander = sampleRecord({ handle: sampleHandle(2) })
      await store.insert(bystander)
      const reauthentication = sampleReauthentication(rotated)
      const expected = { ...rotated, ...reauthentication.next, expiresAt: sampleNow + rotated.idleTimeout }
      ensureEqual(await store.reauthenticate(reauthentication), expected, 'it returns the new record')
      ensureEqual(await reader.find(handle), expected, 'and keeps it')
      ensureEqual(await reader.find(bystander.handle), bystander, 'other sessions are untouched')
      ensureEqual(await store.reauthenticate(reauthentication), null, 'the state is no longer the session\'s')
      ensureEqual(await store.rotate(sampleRotation({ expected: presented })), null, 'nor does the old token rotate')
    },
  },
  {
    name: 'reauthenticate: changes nothing for another state, an unknown, an ended or a removed session',
    async run({ open }) {
      const store = await open()
      await store.insert(rotated)
      const state = sampleState(rotated)
      const wrong: readonly Partial<Reauthentication>[] = [
        { expected: { ...state, anchorHash: 'anchor-2' } },
        { expected: { ...state, servedAt: state.servedAt + 1 } },
        { expected: { ...state, confirmed: false } },
        { handle: sampleHandle(2) },
        { bounds: { now: rotated.expiresAt, rotatedAfter: 0, createdAfter: 0 } },
      ]
      for (const overrides of wrong) {
        ensureEqual(await store.reauthenticate(sampleReauthentication(rotated, overrides)), null,
          JSON.stringify(overrides))
      }
      ensureEqual(await store.find(handle), rotated, 'nothing changed')
      await store.remove([handle], sampleNow)
      ensureEqual(await store.reauthenticate(sampleReauthentication(rotated)), null, 'it is gone')
      ensureEqual(await store.find(handle), null, 'and stays so')
    },
  },
  {
    name: 'removeUnchanged: removes only while the token is in the state that was read, and appends a change',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      await store.insert(rotated)
      const state = sampleState(rotated)
      const others: readonly Partial<TokenState>[] = [
        { refreshHash: 'hash-1' }, { anchorHash: 'anchor-1' }, { generation: 2 }, { branch: 0 }, { confirmed: false },
        { rotatedAt: state.rotatedAt + 1 }, { servedAt: state.servedAt + 1 },
      ]
      for (const other of others) {
        const removal = await store.removeUnchanged(handle, { ...state, ...other }, sampleNow)
        ensureEqual(removal.handles, [], `not with ${JSON.stringify(other)}`)
      }
      ensureEqual((await store.removeUnchanged(sampleHandle(2), state, sampleNow)).handles, [], 'an unknown session')
      ensureEqual(await reader.find(handle), rotated, 'nothing changed')
      const until = sampleNow + rotated.accessTokenLifetime
      ensureEqual(await store.removeUnchanged(handle, state, sampleNow), { handles: [handle], until }, 'it is removed')
      ensureEqual(await reader.find(handle), null, 'and gone')
      ensureEqual(
        (await reader.changesSince(null, 10)).changes,
        [{ kind: 'revoked', handles: [handle], until }],
        'told',
      )
    },
  },
  {
    name: 'S-06: a change is kept for the longest access token lifetime of the sessions that it names',
    async run({ open }) {
      const store = await open()
      const lifetimes = [minute, 9 * minute, 3 * minute]
      for (const [number, accessTokenLifetime] of lifetimes.entries()) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), accessTokenLifetime }))
      }
      const { until } = await store.remove(lifetimes.map((_, number) => sampleHandle(number)), sampleNow)
      ensureEqual(until, sampleNow + 9 * minute, 'remove returns until')
      ensureEqual((await store.changesSince(null, 10)).changes.map(change => change.until), [until], 'as in the log')
      await store.insert(sampleRecord({ accessTokenLifetime: 7 * minute }))
      const update = { handle, jwtPayload: '{}', expectedVersion: null, now: sampleNow, from: sampleNow }
      const updated = ensurePresent(await store.updatePayload(update), 'it is updated')
      ensureEqual(updated.until, sampleNow + 7 * minute, 'the same for a payload')
    },
  },
]
