import { describe, expect, test } from 'vitest'
import { GeneralError } from '../../../src/base/errors.ts'
import { createCore } from '../../support/create-core.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { FeedWorld, HOUR, MINUTE, SECOND, settle } from './world.ts'

const kindOf = async (world: FeedWorld, token: string): Promise<string> => (await world.here.verify(token)).kind

describe('the feed', () => {
  test('a process reads the log before its first verification, and then makes no store calls', async () => {
    const world = new FeedWorld(createCore)
    const [dead, live] = [await world.login(), await world.login()]
    await world.revoke([dead], 'one')
    world.restart()
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(0)
  })

  test('a notification takes effect at once, without one it takes a poll interval; neither reads a session', async () => {
    const world = new FeedWorld(createCore)
    const [first, second] = [await world.login(), await world.login()]
    await world.here.verify(first.accessToken)
    await world.here.verify(second.accessToken)
    await world.revoke([first], 'one')
    expect(await kindOf(world, first.accessToken)).toBe('revoked')
    world.faults.losesNotifications = true
    await world.revoke([second], 'one')
    expect(await kindOf(world, second.accessToken)).toBe('active')
    await world.poll()
    expect(await kindOf(world, second.accessToken)).toBe('revoked')
    expect(world.finds).toBe(0)
  })

  test('REV-04: all sessions of a user are revoked with few entries of the log', async () => {
    const world = new FeedWorld(createCore)
    const before = await world.store.changesSince(null, 1000)
    const sessions = []
    for (let count = 0; count < 500; count++) sessions.push(await world.login())
    await world.revoke(sessions, 'user')
    const { changes } = await world.store.changesSince(before.cursor, 1000)
    expect(changes).toHaveLength(5)
    await Promise.all(sessions.map(async ({ accessToken }) => expect(await kindOf(world, accessToken)).toBe('revoked')))
  })

  test('the next request of a session whose payload was updated gets a new access token with the same expiry', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    await world.changeRole(session, 'admin')
    const outcome = await world.here.verify(session.accessToken)
    if (outcome.kind !== 'active' || outcome.reissued === null) throw new Error('no new token')
    expect(outcome.payload).toEqual({ role: 'admin' })
    expect(outcome.claims).toMatchObject({ exp: session.issued.claims.exp, gen: 0, pv: 1 })
    world.finds = 0
    expect(await world.here.verify(outcome.reissued.accessToken))
      .toMatchObject({ payload: { role: 'admin' }, reissued: null })
    expect(world.finds).toBe(0)
  })
})

test('REV-03: keys that were removed before the first read of the log are not used for the first verification', async () => {
  const world = new FeedWorld(createCore)
  const session = await world.login()
  await world.here.getJwks()
  await world.removeKeys()
  expect(await kindOf(world, session.accessToken)).toBe('refresh-required')
})

describe('a stale feed', () => {
  test('is not trusted after maxStaleness: each request reads the session from the store', async () => {
    const world = new FeedWorld(createCore, { maxStaleness: 5 })
    const [dead, live] = [await world.login(), await world.login()]
    await world.here.verify(live.accessToken)
    world.faults.losesNotifications = true
    await world.revoke([dead], 'one')
    world.now += 5 * SECOND
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(0)
    world.now += 1
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(2)
  })

  test('failOpen: if the store is also down, a valid token is accepted, and each such request is reported', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    world.faults.down = true
    world.now += 6 * SECOND
    expect(await kindOf(world, session.accessToken)).toBe('active')
    await settle()
    expect(world.unchecked).toBe(1)
    world.now += HOUR
    expect(await kindOf(world, session.accessToken)).toBe('refresh-required')
  })

  test('failClosed: no token is accepted, and the error is STORE_UNAVAILABLE', async () => {
    const world = new FeedWorld(createCore, { onStoreFailure: 'failClosed' })
    const session = await world.login()
    await world.here.verify(session.accessToken)
    world.faults.down = true
    world.now += 6 * SECOND
    await expect(world.here.verify(session.accessToken)).rejects.toThrow(GeneralError)
    world.faults.down = false
    await world.poll()
    world.finds = 0
    expect(await kindOf(world, session.accessToken)).toBe('active')
    expect(world.finds).toBe(0)
  })

  test('a process that starts while the store is down reads each session from the store once it is up', async () => {
    const world = new FeedWorld(createCore)
    const [dead, live] = [await world.login(), await world.login()]
    await world.here.verify(live.accessToken)
    await world.revoke([dead], 'one')
    world.restart()
    world.faults.down = true
    await expect(world.here.verify(live.accessToken)).rejects.toThrow(GeneralError)
    world.faults.down = false
    // The keys can be read, but the log was not read yet.
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
  })
})

describe('a clock that is changed', () => {
  test('ahead and back: the pruned entries are read again before the feed is trusted', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    await world.revoke([session], 'one')
    world.step(3 * HOUR)
    await world.poll(130)
    expect(await kindOf(world, session.accessToken)).toBe('refresh-required')
    world.step(0)
    expect(await kindOf(world, session.accessToken)).toBe('revoked')
    await world.poll()
    world.finds = 0
    expect(await kindOf(world, session.accessToken)).toBe('revoked')
    expect(world.finds).toBe(0)
  })

  test('back: the feed is stale until it was read again', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    world.step(-MINUTE)
    expect(await kindOf(world, session.accessToken)).toBe('active')
    expect(world.finds).toBe(1)
  })
})

describe('a clock that the store\'s corrects', () => {
  test.each([5 * MINUTE, -5 * MINUTE])(
    'is right at the first verification if it was %d ms off, and the feed is trusted',
    async offset => {
      const world = new FeedWorld(createCore, { storeHasClock: true })
      const [dead, live] = [await world.login(), await world.login()]
      await world.revoke([dead], 'one')
      world.step(offset)
      world.restart()
      expect(await kindOf(world, live.accessToken)).toBe('active')
      expect(await kindOf(world, dead.accessToken)).toBe('revoked')
      expect([world.here.clock(), world.finds]).toEqual([world.now, 0])
    },
  )

  test('that is changed is corrected again within a second, once the feed has noticed', async () => {
    const world = new FeedWorld(createCore, { storeHasClock: true })
    const session = await world.login()
    await world.here.verify(session.accessToken)
    for (const offset of [5 * MINUTE, -5 * MINUTE, 0]) {
      world.now += 10 * SECOND
      await world.poll()
      world.step(offset)
      await world.poll()
      expect(world.here.clock()).toBe(world.now)
      await world.poll()
      world.finds = 0
      expect(await kindOf(world, session.accessToken)).toBe('active')
      expect(world.finds).toBe(0)
    }
  })

  test('back: what was read with the wrong clock does not count as fresh with the right one', async () => {
    const world = new FeedWorld(createCore, { storeHasClock: true })
    const session = await world.login()
    world.step(5 * MINUTE)
    world.restart()
    world.faults.clockUnavailable = true
    expect(await kindOf(world, session.accessToken)).toBe('active')
    expect(world.here.clock()).toBe(world.now + 5 * MINUTE)
    Object.assign(world.faults, { logUnavailable: true, losesNotifications: true })
    await world.revoke([session], 'one')
    world.now += 5 * MINUTE
    // The keys are read again, and with them the clock.
    world.faults.clockUnavailable = false
    await world.here.getJwks()
    await settle()
    expect(world.here.clock()).toBe(world.now)
    expect(await kindOf(world, session.accessToken)).toBe('revoked')
    expect(world.finds).toBe(1)
  })
})

describe('a listener for the end of a session', () => {
  test('is called once, whichever process revokes the session, and not for its expiry', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    const heard: string[] = []
    world.here.onRevoked(session.issued.claims.sid, () => heard.push('end'))
    world.here.onRevoked(session.issued.claims.sid, () => heard.push('taken back'))()
    await settle()
    world.now += 2 * HOUR
    await world.poll(130)
    expect(heard).toEqual([])
    await world.revoke([session], 'user')
    await world.poll(2)
    expect(heard).toEqual(['end'])
  })

  test('REV-03: is called when all sessions are revoked, here or elsewhere, and not for a rotation of keys', async () => {
    for (const where of ['here', 'elsewhere'] as const) {
      const world = new FeedWorld(createCore)
      const session = await world.login()
      expect(await kindOf(world, session.accessToken)).toBe('active')
      let ended = false
      world.here.onRevoked(session.issued.claims.sid, () => {
        ended = true
      })
      await world[where].rotateKeys()
      await world.poll(2)
      expect(ended).toBe(false)
      await world[where].revokeEverySession()
      await world.poll(2)
      expect(ended).toBe(true)
    }
  })

  test('REV-03: is also called if the keys are read between the removal of one and the next', async () => {
    const memory = createMemoryStore()
    const world: FeedWorld = new FeedWorld(createCore, {}, {
      ...memory,
      async removeKey(kid, until) {
        const removed = await memory.removeKey(kid, until)
        await world.poll(2)
        return removed
      },
    })
    const session = await world.login()
    expect(await kindOf(world, session.accessToken)).toBe('active')
    const ended = new Promise<void>(resolve => world.here.onRevoked(session.issued.claims.sid, resolve))
    await world.elsewhere.revokeEverySession()
    await world.poll(2)
    await ended
  })

  test('is called soon if the session was revoked before', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.revoke([session], 'one')
    world.restart()
    await new Promise<void>(resolve => world.here.onRevoked(session.issued.claims.sid, resolve))
  })

  test('that throws affects neither other listeners nor the process', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    world.here.onRevoked(session.issued.claims.sid, () => {
      throw new Error('a listener\'s own')
    })
    const heard = new Promise<void>(resolve => world.here.onRevoked(session.issued.claims.sid, resolve))
    await world.here.revokeSession(session.issued.claims.sid)
    await heard
  })
})
