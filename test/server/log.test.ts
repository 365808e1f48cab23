// The log of the server: its own lines, and those of a logger that a program passes in.
import { readFileSync } from 'node:fs'
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { parseRefreshToken } from '../../src/tokens/refresh-token.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { refreshKeyIn } from '../support/key-ring.ts'
import { R } from '../support/lose-answers.ts'
import { present } from '../support/present.ts'

let core: CoreServer
afterEach(() => core.server.close())

interface Line { readonly level: number; readonly msg: string; readonly [field: string]: unknown }

/** The lines since the last call. Events are logged just after the response. */
async function lines(): Promise<readonly Line[]> {
  await new Promise(resolve => setImmediate(resolve))
  return core.log.splice(0).map(line => JSON.parse(line) as Line)
}

test('LOG-03: each event of a session is one line, with its time, user, session and reason', async () => {
  core = await startCoreServer()
  expect((await lines()).filter(({ msg }) => msg === 'key made').map(({ purpose }) => purpose).toSorted())
    .toEqual(['access', 'core-dynamic', 'core-static', 'refresh'])
  const time = core.clock()
  const first = await core.create()
  const created = await lines()
  expect(created).toEqual([{ level: 30, time, session: expect.any(String), user: 'alice', msg: 'session created' }])
  const session = created[0]?.['session']

  const second = await core.refresh(first.refreshToken.token)
  expect(await lines()).toEqual([{ level: 20, time, session, user: 'alice', how: 'rotate', msg: 'session refreshed' }])

  core.clock.advance(2 * R + 1)
  await core.refresh(second.refreshToken.token)
  await lines()
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

describe('LOG-03: a possible theft is counted and logged with the addresses and clients of both tokens', () => {
  const owner = { ip: '192.0.2.1', userAgent: 'owner' }
  const thief = { ip: '198.51.100.2', userAgent: `thief\u202e${'x'.repeat(1000)}` }

  /** Calls the native API. */
  async function call(path: string, body: object): Promise<Readonly<Record<string, string>>> {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${core.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return await response.json() as Record<string, string>
  }
  const refresh = (refreshToken: unknown, client: object): ReturnType<typeof call> =>
    call('/v1/sessions/refresh', { refreshToken, ...client })
  const warnings = async (): Promise<readonly Line[]> => (await lines()).filter(({ level }) => level === 40)
  const metrics = async (): Promise<string> => (await core.call('/metrics')).text

  test('a refresh token that two networks get, and the parent of a token in use', async () => {
    core = await startCoreServer()
    const first = await call('/v1/sessions', { userId: 'alice', ...owner })
    const at = core.clock()
    const second = await refresh(first['refreshToken'], owner)
    await refresh(first['refreshToken'], thief)
    const evidence = {
      time: at, session: expect.stringMatching(/^[\w-]{16}$/), user: 'alice', generation: 0, branch: 0,
      ip: thief.ip, userAgent: expect.stringMatching(/^thief\?x{250}$/),
      currentGeneration: 1, currentBranch: 0, currentAt: at, currentIp: owner.ip, currentUserAgent: 'owner',
    }
    expect(await warnings()).toEqual([{
      level: 40, revoked: false, ...evidence, msg: 'a refresh token was given to two networks or user agents',
    }])

    core.clock.advance(2 * R + 1)
    await refresh(second['refreshToken'], owner)
    await refresh(first['refreshToken'], thief)
    expect(await warnings()).toEqual([{
      level: 40, revoked: true, ...evidence, time: core.clock(), currentGeneration: 2, currentAt: core.clock(),
      msg: 'a refresh token was used by two parties',
    }])
    expect(await metrics()).toMatch(/^keyturn_refreshes_shared_total 1$/m)
    expect(await metrics()).toMatch(/^keyturn_token_thefts_total 1$/m)
  })

  test('a token that was forged with a leaked key, and one from before a re-authentication', async () => {
    const store = createMemoryStore()
    core = await startCoreServer({}, store)
    const { refreshToken = '', handle = '' } = await call('/v1/sessions', { userId: 'alice', ...owner })
    const key = await refreshKeyIn(store)
    const issued = present(parseRefreshToken(refreshToken))
    await lines()
    // The handle is public; the anchor is not.
    const forged = await key.write({ ...issued, generation: 9, anchor: issued.secret })
    expect(await refresh(forged, thief)).toMatchObject({ error: 'unauthorized' })
    expect(await warnings()).toMatchObject([{
      reason: 'forged', user: 'alice', generation: 9, ip: thief.ip, currentGeneration: 0, currentIp: owner.ip,
      msg: 'a refresh key has leaked: a refresh token was made with it',
    }])

    core.clock.advance(R + 1)
    const old = await key.write({ ...issued, anchor: issued.secret })
    expect(await refresh(old, thief)).toMatchObject({ error: 'unauthorized' })
    expect(await warnings()).toMatchObject([{
      reason: 'superseded', generation: 0, ip: thief.ip,
      msg: 'a refresh token from before a re-authentication was refused',
    }])
    expect(await metrics()).toMatch(/^keyturn_refreshes_rejected_total\{reason="forged"\} 1$/m)
    expect(await metrics()).toMatch(/^keyturn_refreshes_rejected_total\{reason="superseded"\} 1$/m)
    expect(await refresh(refreshToken, owner)).toMatchObject({ handle })
  })
})

test('DOS-05: the log has the address of the connection, not one that a client sends in a header', async () => {
  core = await startCoreServer({ apiKeys: ['a-key-that-no-one-guesses'] })
  await core.call('/recipe/session', {
    headers: {
      'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9',
      'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https',
    },
  })
  await core.server.close()
  const logged = await lines()
  expect(logged.find(({ msg }) => msg === 'requests refused')).toMatchObject({ from: '127.0.0.1', status: 401 })
  expect(JSON.stringify(logged)).not.toMatch(/203\.0\.113\.9|evil\.example/)
})

describe('LOG-02: the length of fields is limited', () => {
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
    const logged = written.map(line => JSON.parse(line) as Line)
    expect(logged).toContainEqual(expect.objectContaining({
      level: 30, service: 'sessions', user: 'ada', msg: 'session created',
    }))
    expect(logged.at(-1)).toMatchObject({ level: 30, msg: 'closed' })
  })
})

test('V-15: /metrics has the version, the start, the CPU time and the memory of the process', async () => {
  core = await startCoreServer()
  const { text } = await core.call('/metrics')
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(text).toContain(
    `# TYPE keyturn_build_info gauge\nkeyturn_build_info{version="${version}",node="${process.versions.node}"} 1\n`,
  )
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect(value('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000)
  expect(Math.abs(Date.now() / 1000 - process.uptime() - value('process_start_time_seconds'))).toBeLessThan(5)
  for (const [, name = ''] of text.matchAll(/^([a-z_]+)[ {]/gm)) {
    expect(text).toContain(`# TYPE ${name.replace(/_(?:bucket|sum|count)$/, '')} `)
  }
})
