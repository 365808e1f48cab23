// What the server tells of itself: its own lines, and any logger that a program passes in.
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

let core: CoreServer
afterEach(() => core.server.close())

interface Line { readonly level: number; readonly msg: string; readonly [field: string]: unknown }

/** The lines since the last call. Events are told just after the answer. */
async function lines(): Promise<readonly Line[]> {
  await new Promise(resolve => setImmediate(resolve))
  return core.log.splice(0).map(line => JSON.parse(line) as Line)
}

test('LOG-03: each thing that happens to a session is one line, with its time, user, session and reason', async () => {
  core = await startCoreServer()
  expect((await lines()).filter(({ msg }) => msg === 'key made').map(({ purpose }) => purpose).toSorted())
    .toEqual(['core-dynamic', 'core-static', 'refresh'])
  const time = core.clock()
  const first = await core.create()
  const created = await lines()
  expect(created).toEqual([{ level: 30, time, session: expect.any(String), user: 'alice', msg: 'session created' }])
  const session = created[0]?.['session']

  const second = await core.refresh(first.refreshToken.token)
  expect(await lines()).toEqual([{ level: 20, time, session, user: 'alice', how: 'rotate', msg: 'session refreshed' }])

  core.clock.advance(60_000)
  await core.refresh(second.refreshToken.token)
  await lines()
  core.clock.advance(60_000)
  await core.refresh(first.refreshToken.token)
  expect(await lines()).toMatchObject([
    { level: 30, session, reason: 'theft', msg: 'session revoked' },
    { level: 40, session, user: 'alice', revoked: true, msg: 'a refresh token was used by two parties' },
  ])

  const other = await core.create()
  await lines()
  await core.call('/recipe/session/remove', { body: { sessionHandles: [other.session.handle] } })
  expect(await lines()).toMatchObject([{ level: 30, reason: 'revoked', msg: 'session revoked' }])
  await core.call('/recipe/session/remove', { body: { sessionHandles: [other.session.handle] } })
  expect(await lines()).toEqual([])
})

test('DOS-05: a forwarded address is a caller\'s word: the log tells the peer\'s', async () => {
  core = await startCoreServer({ apiKeys: ['a-key-that-no-one-guesses'] })
  await core.call('/recipe/session', {
    headers: {
      'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9',
      'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https',
    },
  })
  await core.server.close()
  const told = await lines()
  expect(told.find(({ msg }) => msg === 'requests refused')).toMatchObject({ from: '127.0.0.1', status: 401 })
  expect(JSON.stringify(told)).not.toMatch(/203\.0\.113\.9|evil\.example/)
})

describe('LOG-02: fields are never long', () => {
  test('in the server\'s own lines, which are pino\'s format', async () => {
    const written: string[] = []
    createLogger('info', () => 1000, line => written.push(line)).info({ user: 'x'.repeat(1000) }, 'hello')
    expect(written).toEqual([`{"level":30,"time":1000,"user":"${'x'.repeat(256)}","msg":"hello"}\n`])
    core = await startCoreServer()
  })

  test('and in those of a pino logger that is passed in', async () => {
    core = await startCoreServer()
    const written: string[] = []
    const logger = pino({ level: 'debug', base: { service: 'sessions' } }, { write: line => void written.push(line) })
    const server = await startServer({ port: 0, logLevel: 'silent' }, {
      logger, openStore: async () => createMemoryStore(),
    })
    const body = JSON.stringify({ userId: 'ada', sessionInfo: {} })
    await fetch(`${server.url}/v1/sessions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    await server.close()
    const told = written.map(line => JSON.parse(line) as Line)
    expect(told).toContainEqual(expect.objectContaining({
      level: 30, service: 'sessions', user: 'ada', msg: 'session created',
    }))
    expect(told.at(-1)).toMatchObject({ level: 30, msg: 'closed' })
  })
})
