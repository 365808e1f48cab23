import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { maxStreamsOf } from '../../src/server/native/revocations.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

let core: CoreServer

afterEach(() => core.server.close())

interface Stream {
  readonly response: IncomingMessage
  text: string
}

async function connect(count: number, path = '/v1/revocations'): Promise<readonly Stream[]> {
  const agent = new Agent({ maxSockets: Infinity })
  return Promise.all(Array.from({ length: count }, () => new Promise<Stream>((resolve, reject) => {
    get(`${core.url}${path}`, { agent }, response => {
      const stream = { response, text: '' }
      response.setEncoding('utf8').on('data', (chunk: string) => {
        stream.text += chunk
      })
      response.on('error', () => undefined)
      resolve(stream)
    }).on('error', reject)
  })))
}

/** A store, the changes that each read of its log found, and the number of times that it was followed. */
function countReads(): { readonly store: SessionStore; readonly found: number[]; follows: number } {
  const inner = createMemoryStore()
  const counts = { found: [] as number[], follows: 0 }
  const store = wrapStore((name, call) => async (...input) => {
    if (name === 'follow') counts.follows += 1
    return call(inner, ...input)
  })
  const changesSince: SessionStore['changesSince'] = async (cursor, limit) => {
    const page = await inner.changesSince(cursor, limit)
    counts.found.push(page.changes.length)
    return page
  }
  return Object.assign(counts, { store: { ...store, changesSince } })
}

test('P-09: one revocation is read from the log once for 1,000 streams, and reaches each of them', async () => {
  const counts = countReads()
  core = await startCoreServer({}, counts.store)
  const streams = await connect(1000)
  await expect.poll(() => streams.every(({ text }) => text.includes('event: synced'))).toBe(true)
  const { session } = await core.create()
  counts.found.length = 0
  await core.call('/recipe/session/remove', { body: { sessionHandles: [session.handle] } })
  await expect.poll(() => streams.every(({ text }) => text.includes(session.handle))).toBe(true)
  // One for the server's own verifications, one for all streams. Polls that found nothing do not depend on it.
  expect(counts.found.filter(changes => changes > 0)).toEqual([1, 1])
  expect(counts.follows).toBe(2)
})

test('P-09: beyond the bound, a stream gets 503 and Retry-After, and requests still find connections', async () => {
  core = await startCoreServer({}, createMemoryStore(), { maxConnections: 24 })
  const streams = await connect(19)
  const statuses = streams.map(({ response }) => response.statusCode)
  expect(statuses.filter(status => status === 200)).toHaveLength(18)
  const refused = streams.find(({ response }) => response.statusCode === 503)?.response
  expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(24)
  expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(30)
  expect((await core.call('/health/ready')).status).toBe(200)
  for (const { response } of streams) response.destroy()
  await expect.poll(async () => (await connect(1))[0]?.response.statusCode).toBe(200)
})

test('P-09: a server has thousands of streams, and a quarter of its connections for requests', () => {
  expect([1, 4, 4096, 16_384, 1_000_000].map(maxStreamsOf)).toEqual([1, 3, 3072, 10_000, 10_000])
})

test('P-09: the clients of a server that stops get different times to come back', async () => {
  core = await startCoreServer()
  const streams = await connect(50)
  await expect.poll(() => streams.every(({ text }) => text.includes('event: synced'))).toBe(true)
  const delays = streams.map(({ text }) => Number(/^retry: (\d+)\n\n/.exec(text)?.[1]))
  expect(new Set(delays).size).toBeGreaterThan(25)
  expect(delays.every(delay => delay >= 1000 && delay <= 3000)).toBe(true)
})

test('P-09: the streams of an application that is removed end', async () => {
  core = await startCoreServer()
  await core.call('/recipe/multitenancy/app/v2', { method: 'PUT', body: { appId: 'a1' } })
  const [ofApp, other] = [...await connect(1, '/appid-a1/v1/revocations'), ...await connect(1)]
  await expect.poll(() => ofApp?.text).toContain('event: synced')
  await core.call('/recipe/multitenancy/app/remove', { body: { appId: 'a1' } })
  await expect.poll(() => ofApp?.response.complete).toBe(true)
  expect(other?.response.complete).toBe(false)
  expect(core.log.join('')).not.toContain('"level":50')
})

test('P-04: readiness checks that come while a store is silent wait for the same calls', async () => {
  const inner = createMemoryStore()
  let isSilent = false
  let finds = 0
  let answer = (): void => undefined
  const silence = new Promise<void>(resolve => {
    answer = resolve
  })
  core = await startCoreServer({}, wrapStore((name, call) => async (...input) => {
    if (name === 'find') finds += 1
    if (isSilent && name === 'find') await silence
    return call(inner, ...input)
  }))
  isSilent = true
  const checks = Array.from({ length: 20 }, () => core.call('/health/ready'))
  expect((await Promise.all(checks)).map(({ status }) => status)).toEqual(checks.map(() => 503))
  expect((await core.call('/health/ready')).status).toBe(503)
  expect(finds).toBe(1)
  isSilent = false
  answer()
  await expect.poll(async () => (await core.call('/health/ready')).status).toBe(200)
})

test('P-09: a form with many parameters is read in one pass', async () => {
  core = await startCoreServer()
  const ask = async (body: string): Promise<number> => (await fetch(`${core.url}/v1/introspect`, {
    method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })).status
  expect(await ask('token=a')).toBe(200)
  expect(await ask('token=a&token=b')).toBe(400)
  expect(await ask('token=a&token=b&token=c')).toBe(400)
  // Each call would go through all parameters again.
  const searches = vi.spyOn(URLSearchParams.prototype, 'getAll')
  expect(await ask(`token=a${'&b=1'.repeat(300)}`)).toBe(200)
  expect(searches).not.toHaveBeenCalled()
  searches.mockRestore()
})
