import { describe, expect, test } from 'vitest'
import { GeneralError } from '../../../src/base/errors.ts'
import { createCore } from '../../support/create-core.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { FeedWorld, HOUR, MINUTE, SECOND, settle } from './world.ts'

const kindOf = async (world: FeedWorld, token: string): Promise<string> => (await world.here.verify(token)).kind

describe('the feed', () => {
  test('a process reads the log before its first answer, and asks the store no more', async () => {
    const world = new FeedWorld(createCore)
    const [dead, live] = [await world.login(), await world.login()]
    await world.revoke([dead], 'one')
    world.restart()
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(0)
  })

  test('a push is heard at once, a lost one costs a poll interval; neither costs a reading of a session', async () => {
    const world = new FeedWorld(createCore)
    const [first, second] = [await world.login(), await world.login()]
    await world.here.verify(first.accessToken)
    await world.here.verify(second.accessToken)
    await world.revoke([first], 'one')
    expect(await kindOf(world, first.accessToken)).toBe('revoked')
    world.faults.deaf = true
    await world.revoke([second], 'one')
    expect(await kindOf(world, second.accessToken)).toBe('active')
    await world.poll()
    expect(await kindOf(world, second.accessToken)).toBe('revoked')
    expect(world.finds).toBe(0)
  })

  test('REV-04: all sessions of a user are one entry of the log, however many they are', async () => {
    const world = new FeedWorld(createCore)
    const before = await world.store.changesSince(null, 1000)
    const sessions = []
    for (let count = 0; count < 500; count++) sessions.push(await world.login())
    await world.revoke(sessions, 'user')
    const { changes } = await world.store.changesSince(before.cursor, 1000)
    expect(changes).toHaveLength(1)
    await Promise.all(sessions.map(async ({ accessToken }) => expect(await kindOf(world, accessToken)).toBe('revoked')))
  })

  test('a changed payload reaches the live session with its next request, with a token of the same end', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    await world.changeRole(session, 'admin')
    const outcome = await world.here.verify(session.accessToken)
    if (outcome.kind !== 'active' || outcome.reissued === null) throw new Error('no new token')
    expect(outcome.payload).toEqual({ role: 'admin' })
    expect(outcome.claims).toMatchObject({ exp: session.issued.claims.exp, gen: 0, pv: 1 })
    world.finds = 0
    expect(await world.here.verify(outcome.reissued.accessToken)).toMatchObject({ payload: { role: 'admin' }, reissued: null })
    expect(world.finds).toBe(0)
  })
})

test('REV-03: keys that were removed before the log was first read are not used for that first answer', async () => {
  const world = new FeedWorld(createCore)
  const session = await world.login()
  await world.here.getJwks()
  await world.removeKeys()
  expect(await kindOf(world, session.accessToken)).toBe('refresh-required')
})

describe('a feed that is out of date', () => {
  test('is no longer trusted after maxStaleness: the store is asked, for each request', async () => {
    const world = new FeedWorld(createCore, { maxStaleness: 5 })
    const [dead, live] = [await world.login(), await world.login()]
    await world.here.verify(live.accessToken)
    world.faults.deaf = true
    await world.revoke([dead], 'one')
    world.now += 5 * SECOND
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(0)
    world.now += 1
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(world.finds).toBe(2)
  })

  test('failOpen: with the store down, too, a signature is enough, and every such request is told of', async () => {
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

  test('failClosed: nothing is accepted, and it is no word about the session', async () => {
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

  test('a process that starts while the store is down knows nothing, and asks for each request once it is up', async () => {
    const world = new FeedWorld(createCore)
    const [dead, live] = [await world.login(), await world.login()]
    await world.here.verify(live.accessToken)
    await world.revoke([dead], 'one')
    world.restart()
    world.faults.down = true
    await expect(world.here.verify(live.accessToken)).rejects.toThrow(GeneralError)
    world.faults.down = false
    // Keys can be read, the log was not yet.
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect(await kindOf(world, live.accessToken)).toBe('active')
  })
})

describe('a clock that steps', () => {
  test('ahead and back again: what was forgotten meanwhile is read anew before anything is trusted', async () => {
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

  test('back: the feed counts as out of date until it was read by the new time', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.here.verify(session.accessToken)
    world.step(-MINUTE)
    expect(await kindOf(world, session.accessToken)).toBe('active')
    expect(world.finds).toBe(1)
  })
})

describe('a clock that is corrected by the store\'s', () => {
  test.each([5 * MINUTE, -5 * MINUTE])('is right at the first answer, if it is %d ms off, and the feed is trusted', async offset => {
    const world = new FeedWorld(createCore, { storeTells: true })
    const [dead, live] = [await world.login(), await world.login()]
    await world.revoke([dead], 'one')
    world.step(offset)
    world.restart()
    expect(await kindOf(world, live.accessToken)).toBe('active')
    expect(await kindOf(world, dead.accessToken)).toBe('revoked')
    expect([world.here.clock(), world.finds]).toEqual([world.now, 0])
  })

  test('that steps is corrected again within a second, once the feed has noticed', async () => {
    const world = new FeedWorld(createCore, { storeTells: true })
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

  test('back: what was read by the wrong time does not look fresh by the right one', async () => {
    const world = new FeedWorld(createCore, { storeTells: true })
    const session = await world.login()
    world.step(5 * MINUTE)
    world.restart()
    world.faults.timeless = true
    expect(await kindOf(world, session.accessToken)).toBe('active')
    expect(world.here.clock()).toBe(world.now + 5 * MINUTE)
    Object.assign(world.faults, { mute: true, deaf: true })
    await world.revoke([session], 'one')
    world.now += 5 * MINUTE
    // The keys are read again, and the time with them.
    world.faults.timeless = false
    await world.here.getJwks()
    await settle()
    expect(world.here.clock()).toBe(world.now)
    expect(await kindOf(world, session.accessToken)).toBe('revoked')
    expect(world.finds).toBe(1)
  })
})

describe('what waits for the end of a session', () => {
  test('hears of it once, whichever process ends it, and not of the expiry', async () => {
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

  test('REV-03: hears of it when everybody is logged out, here or elsewhere, and not of a mere rotation of keys', async () => {
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

  test('REV-03: hears of it also where it reads the keys between the removal of one and the next', async () => {
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

  test('hears of it soon if it had come before', async () => {
    const world = new FeedWorld(createCore)
    const session = await world.login()
    await world.revoke([session], 'one')
    world.restart()
    await new Promise<void>(resolve => world.here.onRevoked(session.issued.claims.sid, resolve))
  })

  test('a listener that throws harms neither the others nor the process', async () => {
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
