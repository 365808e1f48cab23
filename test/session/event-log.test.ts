// What the core writes to the event log, and what it reads for the console.
import { describe, expect, test } from 'vitest'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { appendEvent, createEventId, EVENT_RETENTION, pageOfEvents } from '../../src/session/event-log.ts'
import type { LoggedEvents, NewEvent } from '../../src/session/event-log.ts'
import { createEvidenceLog, MOST_EVENTS } from '../../src/session/evidence-log.ts'
import type { SessionEventMap } from '../../src/session/events.ts'
import { newestLogins } from '../../src/session/manage.ts'
import { createPolicy } from '../../src/session/policy.ts'
import type { ClientInfo } from '../../src/session/record.ts'
import type { SessionStore, StoredEvent } from '../../src/session/store.ts'
import { eventKinds } from '../../src/session/stored-event.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { createTestClock } from '../support/session-server.ts'
import { createTestCore, DAY, HOUR, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'
import type { Core, TestCore } from '../support/test-core.ts'

const thief: ClientInfo = { ip: '198.51.100.7', userAgent: 'thief' }
const entropy = nodeCrypto.randomBytes

/** All events of a store. */
async function eventsOf(store: SessionStore): Promise<readonly StoredEvent[]> {
  return (await store.pageEvents({ kinds: eventKinds, userId: null, handle: null }, { limit: 1000, after: null }))
    .events
}

/** Logs in and refreshes twice. The first token is then one of a thief. */
async function copiedToken({ core, clock }: Pick<TestCore, 'core' | 'clock'>): Promise<string> {
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken)
  clock.advance(61 * SECOND)
  await refreshed(core, second.refreshToken)
  return first.refreshToken
}

const steal = (core: Core, token: string): Promise<{ readonly kind: string }> => core.refresh(token, 'header', thief)

describe('EV-08: suspicious refreshes are in the event log', () => {
  test('a theft, with its evidence, for 30 days; it is written after the refresh has been answered', async () => {
    const world = createTestCore()
    const { core, clock, store, takeCalls, runTasks } = world
    const token = await copiedToken(world)
    clock.advance(3 * SECOND)
    takeCalls()
    expect((await steal(core, token)).kind).toBe('theft')
    expect(takeCalls()).toEqual(['rotate', 'find', 'removeUnchanged'])
    expect(await eventsOf(store)).toEqual([])
    await runTasks()
    const [event, ...others] = await eventsOf(store)
    expect(others).toEqual([])
    expect(event).toMatchObject({ kind: 'theft', userId: 'alice', at: clock(), until: clock() + 30 * DAY })
    expect(JSON.parse(event?.detail ?? '')).toEqual({
      presented: { generation: 0, branch: 0, at: clock(), by: thief },
      current: { generation: 2, branch: 0, at: clock() - 3 * SECOND, by: owner },
      revoked: true,
    })
    expect(JSON.stringify(event)).not.toContain(token.split('.').at(-1))
  })

  test('a refresh token that two clients got, and one that was rejected', async () => {
    const { core, clock, store, runTasks } = createTestCore()
    const first = await login(core)
    await refreshed(core, first.refreshToken)
    await refreshed(core, first.refreshToken, thief)
    const again = await core.reauthenticate(first.claims, owner)
    clock.advance(61 * SECOND)
    expect((await core.refresh(first.refreshToken, 'header', owner)).kind).toBe('unauthorized')
    await refreshed(core, again.refreshToken)
    await runTasks()
    const events = await eventsOf(store)
    expect(events.map(({ kind, handle }) => [kind, handle])).toEqual([
      ['rejected', first.claims.sid], ['shared', first.claims.sid],
    ])
    expect(events.map(({ detail }) => JSON.parse(detail))).toMatchObject([{ reason: 'superseded' }, { revoked: false }])
  })

  test('refreshes that are not suspicious write nothing and set no timer', async () => {
    const { core, clock, store, takeCalls, runTasks } = createTestCore()
    let { refreshToken } = await login(core)
    await runTasks()
    takeCalls()
    for (let count = 0; count < 5; count++) {
      clock.advance(HOUR)
      refreshToken = (await refreshed(core, refreshToken)).refreshToken
    }
    await runTasks()
    expect(takeCalls().filter(name => name !== 'acquireLease')).toEqual(Array.from({ length: 5 }, () => 'rotate'))
    expect(await eventsOf(store)).toEqual([])
  })

  test('a store that fails or is silent changes no answer; a failure goes to onBackgroundError', async () => {
    const heard: SessionEventMap['onBackgroundError'][] = []
    let isSilent = false
    const world = createTestCore({
      store: {
        ...createMemoryStore(),
        appendEvent: () => isSilent ? new Promise(() => undefined) : Promise.reject(new Error('the disk is full')),
      },
      events: { onBackgroundError: event => heard.push(event) },
    })
    const [one, other] = [await copiedToken(world), await copiedToken(world)]
    expect((await steal(world.core, one)).kind).toBe('theft')
    await world.runTasks()
    await settle()
    expect(heard).toMatchObject([{
      during: 'event log',
      error: { code: 'STORE_UNAVAILABLE', cause: { message: 'the disk is full' } },
    }])
    isSilent = true
    expect((await steal(world.core, other)).kind).toBe('theft')
    await world.runTasks()
    expect(heard).toHaveLength(1)
  })

  test('closing waits until the events are written', async () => {
    const store = createMemoryStore()
    const order: string[] = []
    const world = createTestCore({
      store: {
        ...store,
        async appendEvent(event) {
          await settle()
          await store.appendEvent(event)
          order.push('written')
        },
        async close() {
          order.push('closed')
        },
      },
    })
    await steal(world.core, await copiedToken(world))
    await world.core.close()
    expect(order).toEqual(['written', 'closed'])
    expect(await eventsOf(store)).toHaveLength(1)
  })

  test('a token that is presented again and again is one event in an hour', async () => {
    const world = createTestCore({ theft: 'observe' })
    const token = await copiedToken(world)
    for (let count = 0; count < 5; count++) {
      await steal(world.core, token)
      world.clock.advance(HOUR / 5)
    }
    await world.runTasks()
    expect(await eventsOf(world.store)).toHaveLength(1)
    await steal(world.core, token)
    await world.runTasks()
    expect(await eventsOf(world.store)).toHaveLength(2)
  })

  test('a process writes no more than 1,000 events of a kind in an hour, and says so once', async () => {
    const store = createMemoryStore()
    const errors: unknown[] = []
    const emitted: string[] = []
    const log = createEvidenceLog({
      store, entropy, schedule: () => () => undefined, emit: name => emitted.push(name),
      onError: error => errors.push(error),
    })
    const use = { branch: 0, by: owner }
    const report = (name: 'onTokenTheft' | 'onRefreshShared', generation: number, at: number): void =>
      log.report(name, {
        userId: 'alice',
        handle: sampleHandle(1),
        revoked: true,
        presented: { ...use, generation, at },
        current: { ...use, generation: 0, at: 0 },
    })
    for (let generation = 0; generation < MOST_EVENTS + 50; generation++) report('onTokenTheft', generation, generation)
    report('onRefreshShared', 0, 0)
    await log.close()
    expect(await eventsOf(store)).toHaveLength(1000)
    const shared = await store.pageEvents({ kinds: ['shared'], userId: null, handle: null }, { limit: 10, after: null })
    expect(shared.events, 'kinds do not compete').toHaveLength(1)
    expect(errors).toMatchObject([{ message: expect.stringContaining('onTokenTheft was emitted for more than 1000') }])
    expect(emitted, 'the listeners get all of them').toHaveLength(MOST_EVENTS + 51)
    report('onTokenTheft', 5000, HOUR + 10)
    await log.close()
    const [newest] = await eventsOf(store)
    expect(newest?.at, 'an hour later, it goes on').toBe(HOUR + 10)
  })
})

describe('EV-01: the core reads events', () => {
  const clock = createTestClock()
  const auditOf = (number: number): NewEvent => (
    { kind: 'audit', at: clock() + number, userId: `user-${number}`, handle: sampleHandle(number), detail: { number } }
  )
  const read = async (
    store: SessionStore,
    query: Partial<Parameters<typeof pageOfEvents>[1]> = {},
    after: string | null = null,
  ): Promise<LoggedEvents> => (
    pageOfEvents({ store, now: async () => clock() }, {
      kinds: ['audit', 'audit'],
      userId: null,
      handle: null,
      ...query,
    }, { limit: 2, after })
  )

  test('with their detail, in pages, by user and session', async () => {
    const store = createMemoryStore()
    for (const number of [1, 2, 3]) await appendEvent({ store, entropy }, auditOf(number))
    const first = await read(store)
    expect(first.events).toEqual([3, 2].map(number => (
      { ...auditOf(number), id: expect.stringMatching(/^[0-9a-f-]{36}$/) })))
    const second = await read(store, {}, first.next)
    expect([second.events.map(({ userId }) => userId), second.next]).toEqual([['user-1'], null])
    expect((await read(store, { userId: 'user-2' })).events.map(({ detail }) => detail)).toEqual([{ number: 2 }])
    expect((await read(store, { handle: sampleHandle(3) })).events.map(({ detail }) => detail)).toEqual([{ number: 3 }])
    expect(await read(store, { handle: 'no handle' })).toEqual({ events: [], next: null })
    await expect(read(store, {}, 'x')).rejects.toMatchObject({ code: 'INVALID_DATA' })
  })

  test('not those whose 30 days are over, also if no cleanup has run', async () => {
    const store = createMemoryStore()
    const { at: earlier } = auditOf(0)
    await appendEvent({ store, entropy }, { ...auditOf(1), at: earlier - EVENT_RETENTION })
    await appendEvent({ store, entropy }, { ...auditOf(2), at: earlier - EVENT_RETENTION + 1 })
    expect((await read(store)).events.map(({ userId }) => userId)).toEqual(['user-2'])
  })

  test('a detail that is too long is refused', async () => {
    const detail = { text: 'x'.repeat(16_400) }
    await expect(appendEvent({ store: createMemoryStore(), entropy }, { ...auditOf(1), detail }))
      .rejects.toMatchObject({ code: 'INVALID_DATA' })
  })

  test('ids are UUIDs of version 7: unique, and greater if they are later', () => {
    const ids = [0, 1, 999, 2 ** 40, 2 ** 40 + 1].map(at => createEventId(at, entropy))
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(ids.toSorted()).toEqual(ids)
    expect(createEventId(Date.UTC(2026, 10, 30), () => new Uint8Array(10).fill(0xff)))
      .toBe('01a229c0-5400-7fff-bfff-ffffffffffff')
    expect(new Set(Array.from({ length: 1000 }, () => createEventId(5, entropy))).size).toBe(1000)
  })
})

test('EV-04: the newest logins are the active sessions of all users, without hashes', async () => {
  const { core, clock, store } = createTestCore({ idleTimeout: DAY / 1000 })
  await login(core, 'old')
  clock.advance(DAY)
  for (const userId of ['alice', 'bob', 'carol']) {
    await login(core, userId)
    clock.advance(SECOND)
  }
  const policy = createPolicy({ idleTimeout: DAY / 1000 })
  const read = (limit: number, after: string | null, tenantId: string | null = null) => newestLogins(
    { store, policy, now: async () => clock() }, { tenantId, ip: null, userAgent: 'OWN' }, { limit, after })
  const first = await read(2, null)
  expect(first.sessions.map(({ userId }) => userId)).toEqual(['carol', 'bob'])
  expect(Object.keys(first.sessions[0] ?? {}).sort()).toEqual(
    ['client', 'createdAt', 'expiresAt', 'handle', 'rotatedAt', 'tenantId', 'userId'])
  const rest = await read(100, first.next)
  expect([rest.sessions.map(({ userId }) => userId), rest.next]).toEqual([['alice'], null])
  expect((await read(100, null, 'other')).sessions).toEqual([])
})
