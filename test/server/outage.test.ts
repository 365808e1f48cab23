// What the server answers and logs while its store is away.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CallOptions, CoreServer } from '../support/core-server.ts'

let isAway = false
let core: CoreServer

function storeThatGoesAway(): SessionStore {
  const inner = createMemoryStore()
  return wrapStore((_, call) => async (...input) => {
    if (isAway) throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.9:5432'), { code: 'ECONNREFUSED' })
    return call(inner, ...input)
  })
}

beforeEach(async () => {
  isAway = false
  core = await startCoreServer({}, storeThatGoesAway())
})
afterEach(async () => {
  isAway = false
  await core.server.close()
})

const json = { 'content-type': 'application/json' }

describe('V-09: while the store is away', () => {
  const calls: readonly (readonly [path: string, options: CallOptions])[] = [
    ['/v1/sessions', { headers: json, body: { userId: 'alice' } }],
    ['/v1/sessions?userId=alice', {}],
    ['/v1/sessions/hAAAAAAAAAAAAAAAAAAAAAA', {}],
    ['/recipe/session/user?userId=alice', {}],
    ['/recipe/session/remove', { body: { userId: 'alice' } }],
    ['/hello', {}], ['/', {}], ['/appid-public/hello', {}],
  ]

  test.each(calls)('%s is answered with 503 and Retry-After, and again when it is back', async (path, options) => {
    isAway = true
    const { status, headers, text } = await core.call(path, options)
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    expect(text).not.toContain('10.0.0.9')
    if (path.startsWith('/v1/')) expect(JSON.parse(text)).toMatchObject({ error: 'unavailable' })
    isAway = false
    expect((await core.call(path, options)).status).toBeLessThan(500)
  })

  test('a hundred failed requests are one line, with the reason, and at the end their count', async () => {
    await core.server.close()
    core = await startCoreServer({}, storeThatGoesAway())
    isAway = true
    const failures = (): readonly Readonly<Record<string, unknown>>[] => core.log
      .map(line => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ msg }) => String(msg).startsWith('a request failed'))
    for (let request = 0; request < 100; request++) await core.call('/v1/sessions/hAAAAAAAAAAAAAAAAAAAAAA')
    expect(failures()).toEqual([expect.objectContaining({
      level: 50, msg: 'a request failed',
      error: 'the session store failed to find a session: connect ECONNREFUSED 10.0.0.9:5432',
    })])
    isAway = false
    await core.server.close()
    expect(failures().slice(1)).toEqual([expect.objectContaining({ msg: 'a request failed, again', count: 99 })])
  })
})

test('V-09: the revocation of many sessions is one line, with their number', async () => {
  for (let login = 0; login < 5; login++) await core.create()
  core.log.splice(0)
  await core.call('/v1/sessions/revoke-by-user', { headers: { 'content-type': 'application/json' }, body: { userId: 'alice' } })
  await new Promise(resolve => setImmediate(resolve))
  expect(core.log.map(line => JSON.parse(line) as object))
    .toEqual([expect.objectContaining({ count: 5, reason: 'revoked', msg: 'sessions revoked' })])
})
