import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RunningProgram } from '../support/runtimes/start-program.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { SAME_ORIGIN } from '../support/session-server.ts'

const workerd = runtimeProgram('workerd')
const MINUTE = 60_000

/** What the worker has counted since it was last asked. */
interface Taken {
  readonly calls: Readonly<Record<string, number>>
  readonly answers: Readonly<Record<string, number>>
  readonly heard: readonly string[]
}

const builds: readonly (readonly [name: string, runtime: readonly string[], date: string])[] = [
  ['with the condition `workerd`', ['workerd', 'worker'], '2026-06-01'],
  // As on a platform of the same kind whose `waitUntil` Keyturn does not know. This one says of a promise that it will
  // never settle; the one of 2024 does not.
  ['without `waitUntil`', [], '2026-06-01'],
  // As bundlers that choose the files for Node.js build a Worker with `nodejs_compat`.
  ['with the condition `node`', ['node'], '2026-06-01'],
  ['without `waitUntil`, as workerd was in 2024', [], '2024-09-01'],
]

for (const [name, runtime, date] of builds) {
  const keepsAlive = runtime.includes('workerd')

  describe.skipIf(workerd === null)(`an isolate, ${name}`, () => {
    let worker: RunningProgram
    let origin: string

    beforeEach(async () => {
      worker = await serveWorker(
        workerd ?? '', 'test/runtimes/apps/isolate-worker.ts', { worker: {} }, ['keyturn-source'],
        runtime.includes('node') ? ['nodejs_compat'] : [], runtime, date)
      origin = `http://127.0.0.1:${worker.ports.get('worker')}`
    })

    afterEach(() => worker.close())

    async function login(): Promise<{ cookie: string; handle: string }> {
      const reply = await fetch(`${origin}/login`, { method: 'POST', headers: SAME_ORIGIN })
      const { handle }: { handle: string } = await reply.json()
      return { cookie: reply.headers.getSetCookie().map(line => line.split(';')[0]).join('; '), handle }
    }

    async function get(path: string, cookie: string): Promise<number> {
      // An isolate that waits for what never ends would wait for ever.
      const reply = await fetch(`${origin}${path}`, { headers: { cookie }, signal: AbortSignal.timeout(20_000) })
      await reply.text()
      return reply.status
    }

    async function tell(path: string, given: object): Promise<void> {
      await fetch(`${origin}${path}`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(given),
      })
    }

    async function take(): Promise<Taken> {
      return (await fetch(`${origin}/take`)).json()
    }

    /** Asks until the worker has counted so much. */
    async function takeUntil(isEnough: (taken: Taken) => boolean): Promise<void> {
      await expect.poll(async () => isEnough(await take())).toBe(true)
    }

    test('EDGE-01: a re-read of the keys that the platform cut off with its request does not hang the isolate', async () => {
      const { cookie } = await login()
      expect(await get('/me', cookie)).toBe(200)
      // The re-read begins beside this request, and takes longer than it.
      await take()
      await tell('/set', { delays: { listKeys: 60 }, ahead: MINUTE + 10_000 })
      expect(await get('/me', cookie)).toBe(200)
      if (keepsAlive) await takeUntil(({ answers }) => answers['listKeys'] === 1)
      await take()
      await tell('/set', { ahead: 62 * MINUTE })
      const { cookie: later } = await login()
      expect(await get('/me', later)).toBe(200)
      expect(await get('/me', later)).toBe(200)
      expect((await take()).answers['listKeys'], 'the keys were read').toBe(1)
    })

    test('EDGE-02: the log is read when it is asked for: no verification reads a session, however long nobody asked', async () => {
      const [{ cookie }, other] = [await login(), await login()]
      expect(await get('/me', cookie)).toBe(200)
      await tell('/set', { ahead: 60_000 })
      await tell('/revoke-elsewhere', { handle: other.handle })
      await take()
      for (let count = 0; count < 5; count++) expect(await get('/me', cookie)).toBe(200)
      expect(await get('/me', other.cookie)).toBe(401)
      const { calls } = await take()
      expect(calls['find']).toBeUndefined()
      expect(calls['changesSince']).toBe(1)
    })

    test('EDGE-02: half of maxStaleness after a reading the next one begins beside a request', async () => {
      const [{ cookie }, other] = [await login(), await login()]
      expect(await get('/me', cookie)).toBe(200)
      await tell('/set', { ahead: 4_000 })
      await tell('/revoke-elsewhere', { handle: other.handle })
      await take()
      // This one does not wait for it. Without `waitUntil` the reading may end with the request; the next one reads
      // again.
      expect(await get('/me', other.cookie)).toBe(200)
      if (keepsAlive) await takeUntil(({ answers }) => answers['changesSince'] === 1)
      else await tell('/set', { ahead: 6_000 })
      expect(await get('/me', other.cookie)).toBe(401)
      // A request that has waited for the reading of one that has ended asks for its session by itself.
      if (keepsAlive) expect((await take()).calls['find']).toBeUndefined()
    })

    test('EDGE-03: after an outage strict routes ask the store again, without a timer', async () => {
      const { cookie } = await login()
      expect(await get('/strict', cookie)).toBe(200)
      await tell('/set', { delays: { find: -1 } })
      for (let count = 0; count < 4; count++) expect(await get('/strict', cookie)).toBe(503)
      expect((await take()).calls['find']).toBe(4)
      await tell('/set', { delays: {}, ahead: 3_001 })
      expect(await get('/strict', cookie)).toBe(200)
    })

    // Without `waitUntil`, work beside a request may end with it.
    if (keepsAlive) {
      test('EDGE-03: a listener goes on after the response', async () => {
        await login()
        const heard: string[] = []
        await expect.poll(async () => {
          heard.push(...(await take()).heard)
          return heard
        }).toEqual(['created'])
      })

      test('EDGE-03: a login removes what has expired, beside its request, at most once a minute', async () => {
        await login()
        await takeUntil(({ answers }) => answers['removeExpired'] === 1)
        await login()
        await tell('/set', { ahead: 2 * MINUTE })
        await login()
        await takeUntil(({ answers }) => answers['removeExpired'] === 1)
      })
    }
  })
}
