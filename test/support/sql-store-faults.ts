import { describe, expect, onTestFinished, test } from 'vitest'
import { GeneralError } from '../../src/base/errors.ts'
import type { Duration } from '../../src/base/duration.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleHandle, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval } from '../../src/testing/samples.ts'
import { Fleet } from './client-fleet.ts'
import type { TestServer } from './servers/server.ts'
import { startTcpProxy } from './tcp-proxy.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import { createTestCore, HOUR, login, refreshed } from './test-core.ts'

/** How the tests of faults reach one kind of server. */
export interface FaultHarness {
  /** A server that all tests of a file share. */
  readonly url: string
  /** Starts a server whose commits wait for the disk. */
  startDurable(): Promise<TestServer>
  /** Opens a store on a URL; tables are made when they are missing. */
  open(
    url: string,
    options?: { readonly requestTimeout?: Duration; readonly migrate?: 'auto' | 'manual' },
  ): SessionStore
  /**
   * Opens a store on a pool of two connections that the test made, and takes both of them once the store has served.
   */
  openExhausted(requestTimeout: Duration): Promise<{ readonly store: SessionStore; release(): Promise<void> }>
  /** Opens a store whose server reports a full disk at every login, and returns how to end that. */
  openFull(): Promise<{ readonly store: SessionStore; makeRoom(): Promise<void> }>
}

/** A proxy in front of a server until the test is over, and the server's URL by way of it. */
export async function proxied(server: string): Promise<{ readonly url: string; readonly proxy: TcpProxy }> {
  const target = new URL(server)
  const proxy = await startTcpProxy(Number(target.port))
  onTestFinished(() => proxy.close())
  target.port = `${proxy.port}`
  return { url: target.href, proxy }
}

/** Expects that calls are served, soon: a short time limit may be over before a busy machine has connected. */
export async function expectService(store: SessionStore): Promise<void> {
  await expect.poll(() => store.find(sampleHandle(7))).toBeNull()
}

/** What every store on a SQL server must survive. */
export function describeFaults(database: string, harness: FaultHarness): void {
  const { url, startDurable, open, openExhausted, openFull } = harness
  const opened = (store: SessionStore): SessionStore => {
    onTestFinished(() => store.close())
    return store
  }

  async function throughProxy(requestTimeout?: Duration): Promise<{ store: SessionStore; proxy: TcpProxy }> {
    const { url: through, proxy } = await proxied(url)
    const store = opened(open(through, requestTimeout === undefined ? {} : { requestTimeout }))
    // Whatever the first use sets up is done.
    await expectService(store)
    return { store, proxy }
  }

  describe(`${database}: faults`, () => {
    test('L-39: killed amid 500 refreshes and logins, and revocations: nothing that was acknowledged is lost', async () => {
      const server = await startDurable()
      onTestFinished(() => server.remove())
      const { url: through, proxy } = await proxied(server.url)
      const { core, clock } = createTestCore({ store: open(through, { requestTimeout: '2s' }) })
      onTestFinished(() => core.close())
      const fleet = new Fleet(core)
      await fleet.logIn(430)
      clock.advance(HOUR)

      const traffic = (): Promise<unknown> => Promise.all([fleet.revoke(15), fleet.refreshAll(), fleet.logIn(50)])
      for (let round = 0; round < 2; round++) {
        await traffic()
        clock.advance(HOUR)
        const { outages } = fleet
        const held = proxy.holdAnswers()
        const broken = traffic()
        await held
        await fleet.during((async () => {
          await server.kill9()
          proxy.cutAll()
          proxy.resume()
          await server.restart()
        })())
        await broken
        expect(fleet.outages, 'calls were under way').toBeGreaterThan(outages)
        clock.advance(HOUR)
        await fleet.refreshAll()
        clock.advance(HOUR)
      }
      expect(fleet.answers.get('unauthorized')).toBeUndefined()
      expect(fleet.answers.get('theft')).toBeUndefined()
      fleet.takeAnswers()
      await fleet.refreshAll(fleet.revoked)
      expect(fleet.takeAnswers()).toEqual({ unauthorized: 60 })
    })

    test('an answer that is lost on its way: the refresh converges, here or when the client asks again', async () => {
      const { store, proxy } = await throughProxy()
      const { core, clock } = createTestCore({ store })
      const first = await login(core)
      // Prepares the statements, which takes a round trip of its own.
      await refreshed(core, (await login(core, 'warm')).refreshToken)
      clock.advance(HOUR)
      proxy.cutBeforeReply()
      const second = await refreshed(core, first.refreshToken)
      expect(proxy.cuts).toBe(1)
      const { sessions } = await store.listByUser('alice', { limit: 9, after: null })
      const records = await Promise.all(sessions.map(({ handle }) => store.find(handle)))
      expect(records.map(record => record?.generation)).toEqual([1])
      clock.advance(1000)
      expect((await refreshed(core, first.refreshToken)).refreshToken).toBe(second.refreshToken)
      clock.advance(HOUR)
      await refreshed(core, second.refreshToken)
      for (const user of ['alice', 'warm']) {
        await store.removeByUser(sampleUserRemoval({ userId: user, from: clock() + HOUR }))
      }
    })

    test('DOS-08: an answer lost on its way: a login fails, is not repeated, and the next one works', async () => {
      const { store, proxy } = await throughProxy()
      const record = sampleRecord({ userId: 'blind' })
      await store.removeByUser(sampleUserRemoval({ userId: 'blind', from: sampleNow }))
      await store.insert(sampleRecord({ handle: sampleHandle(3), userId: 'blind' }))
      proxy.cutBeforeReply()
      await expect(store.insert(record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(proxy.cuts).toBe(1)
      // It was done; to repeat it would have failed in another way.
      expect(await store.find(record.handle)).toEqual(record)
      await store.insert({ ...record, handle: sampleHandle(2) })
      expect((await store.removeByUser(sampleUserRemoval({ userId: 'blind', from: sampleNow }))).handles)
        .toHaveLength(3)
    })

    test('all connections cut: the next calls work again', async () => {
      const { store, proxy } = await throughProxy()
      await Promise.all(Array.from({ length: 8 }, () => store.find(sampleHandle(7))))
      for (let round = 0; round < 3; round++) {
        expect(proxy.cutAll()).toBeGreaterThan(0)
        expect(await store.find(sampleHandle(7))).toBeNull()
      }
    })

    test('answers that come after the time limit: an error, and service when they come in time again', async () => {
      const { store, proxy } = await throughProxy('500ms')
      const answering = proxy.holdAnswers()
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.find(sampleHandle(7)), () => store.rotate(sampleRotation()), () => store.changesSince(null, 10),
        () => store.remove([sampleHandle(7)], sampleNow), () => store.listKeys(), () => store.follow(() => undefined),
      ]
      for (const answer of await Promise.allSettled(calls.map(call => call()))) {
        expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
      }
      await answering
      proxy.resume()
      await expectService(store)
    })

    test('DOS-08: a server that does not answer: an error in time, and service when it answers again', async () => {
      const { store, proxy } = await throughProxy('300ms')
      proxy.stall()
      for (let attempt = 0; attempt < 3; attempt++) {
        await expect(store.find(sampleHandle(7))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      }
      proxy.resume()
      await expectService(store)
    })

    test('DOS-08: every connection lost in a silent network: service as soon as it is back', async () => {
      const { store, proxy } = await throughProxy('2s')
      const all = (): Promise<unknown>[] => Array.from({ length: 10 }, () => store.find(sampleHandle(7)))
      const serves = (): Promise<boolean> => Promise.all(all()).then(() => true, () => false)
      // A busy machine may need longer to connect than a call may wait.
      await expect.poll(serves).toBe(true)
      proxy.stall()
      for (const answer of await Promise.allSettled(all())) expect(answer.status).toBe('rejected')
      // What was under way never comes: neither the answers nor the end of the connections.
      expect(proxy.forget()).toBeGreaterThan(1)
      proxy.resume()
      await expect.poll(serves).toBe(true)
    })

    test('closed while the server does not answer: what was called fails in time, and the store is closed', async () => {
      const { store, proxy } = await throughProxy('300ms')
      proxy.stall()
      // One on the connection that there is, the others on such as have yet to be made.
      const calls = [7, 8, 9].map(number => store.find(sampleHandle(number)))
      const settled = Promise.allSettled(calls)
      await store.close()
      for (const outcome of await settled) expect(outcome.status).toBe('rejected')
    })

    test('pool exhausted: an error in time; what failed so is not written later', async () => {
      const { store, release } = await openExhausted('200ms')
      opened(store)
      const record = sampleRecord({ handle: sampleHandle(77), userId: 'too-late' })
      await expect(store.insert(record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await release()
      await expectService(store)
      const patient = opened(open(url))
      expect(await patient.find(record.handle)).toBeNull()
      await patient.insert(record)
      const removal = await patient.removeByUser(sampleUserRemoval({ userId: 'too-late' }))
      expect(removal.handles).toEqual([record.handle])
    })

    test('a full disk is an outage that says so, until there is free space again', async () => {
      const { store, makeRoom } = await openFull()
      const record = sampleRecord({ handle: sampleHandle(88), userId: 'too-much' })
      await expect(store.insert(record)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE', message: expect.stringContaining('disk'),
      })
      expect(await store.find(record.handle)).toBeNull()
      await makeRoom()
      await store.insert(record)
      const removal = await store.removeByUser(sampleUserRemoval({ userId: 'too-much' }))
      expect(removal.handles).toEqual([record.handle])
    })

    test('ST-07: no error holds the user or the password of the URL', async () => {
      const wrong = new URL(url)
      wrong.username = 'mallory'
      wrong.password = 'hunter2'
      wrong.port = '1'
      const broken = `${wrong.protocol}//mallory:hunter2@127.0.0.1:x/y`
      const urls = [wrong.href, broken, 'ftp://mallory:hunter2@127.0.0.1/', 'hunter2']
      for (const each of urls) {
        const error = await attempt(() => open(each, { requestTimeout: '2s' }).find(sampleHandle(1)))
        expect(error).toBeInstanceOf(GeneralError)
        expect(describeDeeply(error)).not.toMatch(/mallory|hunter2/)
      }
    })

    test('without tables: an error that says how to make them', async () => {
      const store = opened(open(url, { migrate: 'manual' }))
      const error = await attempt(() => store.find(sampleHandle(1)))
      expect(error).toMatchObject({ code: 'MISUSE' })
      expect(String(error)).toContain('npx keyturn migrate')
    })
  })
}

async function attempt(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  return null
}

/** Everything that a careless logger might write of an error. */
export function describeDeeply(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const members = Object.getOwnPropertyNames(error).map(name => `${name}: ${String(Reflect.get(error, name))}`)
  return [...members, error.cause === undefined ? '' : describeDeeply(error.cause)].join('\n')
}
