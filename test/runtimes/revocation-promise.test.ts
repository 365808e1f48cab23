// Two isolates on one D1: the promise about revocations where nothing can push (docs/serverless.md).
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasEdgePackages } from '../support/edge-packages.ts'
import { serveWorkers } from '../support/runtimes/miniflare.ts'
import type { RunningWorkers } from '../support/runtimes/miniflare.ts'
import { SAME_ORIGIN } from '../support/session-server.ts'

/** The default of `maxStaleness`. */
const MAX_STALENESS = 5_000

interface Reply {
  readonly status: number
  /** The worker's time when it answered. */
  readonly at: number
}

describe.skipIf(!hasEdgePackages())('two isolates on one D1', () => {
  let workers: RunningWorkers

  beforeAll(async () => {
    workers = await serveWorkers('test/runtimes/apps/d1-worker.ts', ['here', 'there', 'cold'], {
      d1Databases: { DB: 'promise' },
    })
    await call('here', '/migrate')
  })

  afterAll(() => workers.close())

  async function call(worker: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${workers.urls.get(worker)}${path}`, init)
  }

  async function login(): Promise<string> {
    const reply = await call('here', '/login', { method: 'POST', headers: SAME_ORIGIN })
    expect(reply.status).toBe(200)
    return reply.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  }

  async function get(worker: string, path: string, cookie: string): Promise<Reply> {
    const reply = await call(worker, path, {
      method: path === '/logout' ? 'POST' : 'GET',
      headers: { cookie, ...SAME_ORIGIN },
    })
    const { at = 0 }: { at?: number } = reply.ok ? await reply.json() : {}
    return { status: reply.status, at }
  }

  async function setAhead(ahead: number): Promise<void> {
    for (const worker of ['here', 'there']) {
      await call(worker, '/set', { method: 'POST', body: JSON.stringify({ ahead }) })
    }
  }

  async function take(worker: string): Promise<unknown> {
    return (await call(worker, '/take')).json()
  }

  test('EDGE-05: a cold isolate makes two calls at the same time before its first answer, and none for the next ones', async () => {
    const cookie = await login()
    expect((await get('cold', '/me', cookie)).status).toBe(200)
    expect(await take('cold')).toEqual({ trips: 2, most: 2 })
    for (let count = 0; count < 10; count++) expect((await get('cold', '/me', cookie)).status).toBe(200)
    expect(await take('cold')).toEqual({ trips: 0, most: 0 })
  })

  test('EDGE-04: a session is refused at once in the isolate that revoked it, and on strict routes', async () => {
    const cookie = await login()
    expect((await get('there', '/me', cookie)).status).toBe(200)
    expect((await get('here', '/logout', cookie)).status).toBe(200)
    expect((await get('here', '/me', cookie)).status).toBe(401)
    expect((await get('there', '/strict', cookie)).status).toBe(401)
  })

  test('EDGE-04: an isolate that was idle for longer than maxStaleness refuses at its first request', async () => {
    const cookie = await login()
    expect((await get('there', '/me', cookie)).status).toBe(200)
    await get('here', '/logout', cookie)
    await setAhead(MAX_STALENESS + 1_000)
    expect((await get('there', '/me', cookie)).status).toBe(401)
    await setAhead(0)
  })

  test('EDGE-04: a busy isolate accepts a revoked session for no longer than maxStaleness', async () => {
    const cookie = await login()
    expect((await get('there', '/me', cookie)).status).toBe(200)
    const { at: revokedAt } = await get('here', '/logout', cookie)
    let lastAccepted = revokedAt
    for (;;) {
      const { status, at } = await get('there', '/me', cookie)
      if (status === 401) break
      lastAccepted = at
    }
    expect(lastAccepted - revokedAt).toBeLessThanOrEqual(MAX_STALENESS)
  })
})
