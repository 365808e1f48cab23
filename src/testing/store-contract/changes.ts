import type { SessionHandle } from '../../base/handle.ts'
import type { Change, SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import { minute, sampleHandle, sampleKey, sampleNow, sampleRecord, sampleUserRemoval } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** The time from which a change is kept for the lifetime of an access token, and its `until`. */
const from = sampleNow + minute
const until = from + sampleRecord().accessTokenLifetime
/** How long a hint may take from the end of a change, on a machine that does something else as well. */
const WAKE_BOUND_MS = 10_000

/** The change log, which skips nothing, and its notifications. */
export const changeCases: readonly ContractCase[] = [
  {
    name: 'changesSince: an empty log has no cursor',
    async run({ open }) {
      const store = await open()
      await store.insert(sampleRecord())
      ensureEqual(await store.changesSince(null, 10), { changes: [], cursor: null, more: false }, 'no change')
    },
  },
  {
    name: 'changesSince: returns every kind, oldest first, and continues from the cursor',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      await store.insert(sampleRecord())
      await store.addKeyIfNewest(sampleKey('key-1'), null)
      await store.updatePayload({
        handle: sampleHandle(1),
        jwtPayload: '{}',
        expectedVersion: null,
        now: sampleNow,
        from,
      })
      await store.removeKey('key-1', until + 1)
      const first = await reader.changesSince(null, 10)
      ensureEqual(first.changes, [
        { kind: 'payload', handle: sampleHandle(1), version: 1, until },
        { kind: 'keys', until: until + 1 },
      ], 'two changes in their order')
      ensure(first.cursor !== null && !first.more, 'a cursor, and the end')
      ensureEqual(await reader.changesSince(first.cursor, 10),
        { changes: [], cursor: first.cursor, more: false }, 'nothing new, the same cursor')
      await store.remove([sampleHandle(1)], from + 2)
      const second = await store.changesSince(first.cursor, 10)
      ensureEqual(second.changes, [{ kind: 'revoked', handles: [sampleHandle(1)], until: until + 2 }], 'the new one')
    },
  },
  {
    name: 'changesSince: returns at most limit, with more until the end',
    async run({ open }) {
      const store = await open()
      for (let number = 0; number < 5; number++) await revokeNew(store, number)
      const sizes: [number, boolean][] = []
      const seen: string[] = []
      let cursor: string | null = null
      for (let page = 0; page < 4; page++) {
        const answer: Awaited<ReturnType<SessionStore['changesSince']>> = await store.changesSince(cursor, 2)
        sizes.push([answer.changes.length, answer.more])
        seen.push(...answer.changes.flatMap(handlesOf))
        cursor = answer.cursor
      }
      ensureEqual(sizes, [[2, true], [2, true], [1, false], [0, false]], 'two, two, one, none')
      ensureEqual(seen, [0, 1, 2, 3, 4].map(sampleHandle), 'in the order of the removals')
      ensureEqual((await store.changesSince(null, 5)).more, false, 'exactly limit is no more')
    },
  },
  {
    name: 'changesSince: an unknown cursor reads from the beginning',
    async run({ open }) {
      const store = await open()
      for (const number of [1, 2]) await revokeNew(store, number)
      for (const cursor of ['unknown', '', '0', '-1', 'a.b.c', '99999999-9', '\'; --', '\u{1f600}']) {
        const { changes } = await store.changesSince(cursor, 10)
        ensureEqual(changes.flatMap(handlesOf), [1, 2].map(sampleHandle), `cursor ${JSON.stringify(cursor)}`)
      }
      const own = (await store.changesSince(null, 10)).cursor ?? ''
      const other = `${own.startsWith('a') ? 'b' : 'a'}${own.slice(1)}`
      const { changes } = await store.changesSince(other, 10)
      ensureEqual(changes.flatMap(handlesOf), [1, 2].map(sampleHandle), 'a cursor of another log, at the same place')
    },
  },
  {
    name: 'changesSince: with concurrent writers a reader skips nothing',
    async run({ open }) {
      const writers = await Promise.all(Array.from({ length: 4 }, () => open()))
      const reader = await open()
      const seen = new Set<string>()
      let writing = true
      const reading = (async () => {
        let cursor: string | null = null
        for (;;) {
          const last = !writing
          const page: Awaited<ReturnType<SessionStore['changesSince']>> = await reader.changesSince(cursor, 3)
          for (const handle of page.changes.flatMap(handlesOf)) seen.add(handle)
          cursor = page.cursor
          if (last && !page.more) return
          if (!page.more) await nextTick()
        }
      })()
      const written = await Promise.all(writers.map(async (store, writer) => {
        const handles: SessionHandle[] = []
        for (let index = 0; index < 25; index++) {
          handles.push(await revokeNew(store, writer * 100 + index))
          if (index % 5 === writer) await nextTick()
        }
        return handles
      }))
      writing = false
      await reading
      ensureEqual([...seen].sort(), written.flat().sort(), 'every acknowledged removal was read')
    },
  },
  {
    name: 'follow: wakes for changes of this connection and of others',
    async run({ open }) {
      const [store, follower] = [await open(), await open()]
      await store.insert(sampleRecord())
      await store.addKeyIfNewest(sampleKey('key-1'), null)
      const changing: readonly ((store: SessionStore) => Promise<unknown>)[] = [
        each =>
          each.updatePayload({
            handle: sampleHandle(1),
            jwtPayload: '{}',
            expectedVersion: null,
            now: sampleNow,
            from,
          }),
        each => each.remove([sampleHandle(1)], from),
        each => each.removeKey('key-1', until),
        each => revokeNew(each, 2, 'removeByUser'),
      ]
      for (const change of changing) await ensureWoken(follower, () => change(store))
      for (const number of [3, 4]) await ensureWoken(follower, () => revokeNew(follower, number))
    },
  },
  {
    name: 'follow: a change can be read when it wakes; two followers both wake; none wakes after it stopped',
    async run({ open }) {
      const [store, follower] = [await open(), await open()]
      let stopped = 0
      const stop = await follower.follow(() => { stopped += 1 })
      await stop()
      await stop()
      const hasChange = async (): Promise<boolean> => (
        (await follower.changesSince(null, 10)).changes.flatMap(handlesOf).includes(sampleHandle(1))
      )
      await Promise.all([
        ensureWoken(follower, async () => undefined, hasChange),
        ensureWoken(follower, () => revokeNew(store, 1), hasChange),
      ])
      ensureEqual(stopped, 0, 'a follower that stopped is not woken')
    },
  },
]

/** Creates a session and revokes it. */
async function revokeNew(
  store: SessionStore,
  number: number,
  by: 'remove' | 'removeByUser' = 'remove',
): Promise<SessionHandle> {
  const handle = sampleHandle(number)
  const userId = `user-of-${number}`
  await store.insert(sampleRecord({ handle, userId }))
  await (by === 'remove' ? store.remove([handle], from) : store.removeByUser(sampleUserRemoval({ userId, from })))
  return handle
}

/**
 * Ensures that a follower is woken soon after a change, and can read it then. A store may wake a follower without need,
 * for example when it has connected again.
 */
async function ensureWoken(
  follower: SessionStore,
  change: () => Promise<unknown>,
  hasChange: () => Promise<boolean> = async () => true,
): Promise<void> {
  let wake = (): void => undefined
  const woke = new Promise<boolean>((resolve, reject) => {
    wake = () => {
      hasChange().then(found => found && resolve(true), reject)
    }
  })
  const stop = await follower.follow(() => wake())
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await change()
    const late = new Promise<boolean>(resolve => {
      timer = setTimeout(() => resolve(false), WAKE_BOUND_MS)
    })
    ensure(await Promise.race([woke, late]), 'a follower is woken soon after a change, and reads it then')
  } finally {
    clearTimeout(timer)
    await stop()
  }
}

function handlesOf(change: Change): readonly string[] {
  return change.kind === 'revoked' ? change.handles : []
}

function nextTick(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 0))
}
