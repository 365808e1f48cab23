import type { SessionHandle } from '../../src/base/handle.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { activeBatch, dueBatch, handleOf, now, recordOf, userOf } from './rows.ts'
import type { Batch } from './rows.ts'
import { rotationFrom, sessionsInTurn } from './targets.ts'

// The calls of the port that are measured. Each is one call on sessions or users that no earlier call has changed.

/** How many sessions one call of the cleanup removes. */
export const CLEANUP_BATCH = 500

/** A call, and how often it is made. */
export interface PortCall {
  readonly name: string
  readonly samples: number
  /** Prepares a part of the samples, outside of the measurement. */
  readonly prepare?: (target: Target) => Promise<void>
  /** Returns whether it did what it is measured for. */
  readonly run: (target: Target) => Promise<boolean>
}

/** A loaded store, and the sessions that the calls take. */
export interface Target {
  readonly store: SessionStore
  /** The handle of a session that no call has taken. */
  nextHandle(): SessionHandle
  /** A user with ten sessions, whom a removal has not taken and no other call takes. */
  nextUser(): string
  /** A user with ten sessions, who may be listed several times. */
  nextListed(): string
  /** The number of a session that does not exist yet. */
  nextNew(): number
  /** The place in the change log up to which it was read. */
  cursor: string | null
}

/** How many sessions are due in each store besides the active ones. */
export const DUE: Batch = dueBatch(30_000)

const notBefore = { time: now - 1000, until: now + 3_600_000 }

/** The calls, in the order in which they are made. */
export const portCalls: readonly PortCall[] = [
  { name: 'find', samples: 500, run: async ({ store, nextHandle }) => await store.find(nextHandle()) !== null },
  {
    name: 'insert', samples: 500,
    run: ({ store, nextNew }) => store.insert({ ...recordOf(activeBatch(0), nextNew()), createdAt: now }),
  },
  {
    name: 'rotate', samples: 500,
    run: async ({ store, nextHandle }) => await store.rotate(rotationFrom(nextHandle(), 0)) !== null,
  },
  {
    name: 'confirm, confirmed already', samples: 500,
    async run({ store, nextHandle }) {
      await store.confirm([{ handle: nextHandle(), generation: 0, branch: 0 }])
      return true
    },
  },
  {
    name: 'updateInfo', samples: 500,
    run: ({ store, nextHandle }) => store.updateInfo({
      handle: nextHandle(), sessionInfo: '{"cart":["a","b"],"theme":"light"}', expectedVersion: null, now,
    }),
  },
  {
    name: 'updatePayload', samples: 500,
    run: async ({ store, nextHandle }) => await store.updatePayload({
      handle: nextHandle(), jwtPayload: '{"role":"reader"}', expectedVersion: null, now, from: now,
    }) !== null,
  },
  {
    name: 'listByUser, 10 sessions', samples: 500,
    async run({ store, nextListed }) {
      const { sessions } = await store.listByUser(nextListed(), { limit: 100, after: null })
      return sessions.length === 10
    },
  },
  {
    name: 'remove, 1 session', samples: 500,
    run: async ({ store, nextHandle }) => (await store.remove([nextHandle()], now)).handles.length === 1,
  },
  {
    name: 'removeByUser, 10 sessions', samples: 150,
    async run({ store, nextUser }) {
      const { handles } = await store.removeByUser({
        userId: nextUser(), tenantId: null, except: null, from: now, notBefore, limit: 100, after: null,
      })
      return handles.length === 10
    },
  },
  {
    name: `removeExpired, up to ${CLEANUP_BATCH} sessions`, samples: 50,
    // The memory store has no index of what is due: it looks at so many sessions.
    run: async ({ store }) => (await store.removeExpired(now, CLEANUP_BATCH)).more,
  },
  {
    name: 'changesSince, nothing new', samples: 500,
    async prepare(target) {
      for (;;) {
        const { cursor, more } = await target.store.changesSince(target.cursor, 1000)
        target.cursor = cursor
        if (!more) return
      }
    },
    run: async ({ store, cursor }) => (await store.changesSince(cursor, 1000)).changes.length === 0,
  },
]

/** Divides the sessions of a loaded store among the calls. The users are spread over the whole table. */
export function createTarget(store: SessionStore, size: number): Target {
  const batch = activeBatch(size)
  const place = sessionsInTurn(size)
  let removed = 0
  let listed = 0
  let taken = 0
  let added = size
  return {
    store,
    cursor: null,
    // The first 200 users are for removals, the next 200 for lists, all others for calls on a single session.
    nextUser: () => userOf(batch, place(removed++ * batch.perUser)),
    nextListed: () => userOf(batch, place((200 + listed++ % 200) * batch.perUser)),
    nextHandle: () => handleOf(place(400 * batch.perUser + taken++)),
    nextNew: () => added++,
  }
}
