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
    ['/v1/users/alice/sessions', {}],
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
})
