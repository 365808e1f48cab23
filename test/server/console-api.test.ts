// What operators see and change with the console of a server.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/base/json.ts'
import type {
  AuditEvent, ConsoleEvents, HealthReport, Inspection, Keys, Overview, SessionDetail, SessionRows, SignedInOperator,
  TokenEvent,
} from '../../src/console/api-types.ts'
import { POINTS, STEP } from '../../src/console/series.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { ConsoleAnswer, ConsoleClient } from '../support/console-client.ts'
import { MANAGER_KEY, READER_KEY, startConsoleServer } from '../support/console-server.ts'
import type { ConsoleServer } from '../support/console-server.ts'
import { createCutStore } from '../support/session-server.ts'
import { present } from '../support/present.ts'

let world: ConsoleServer
let ada: ConsoleClient
let rae: ConsoleClient

beforeAll(async () => {
  world = await startConsoleServer()
  ada = await world.operator()
  rae = await world.operator(READER_KEY)
})
afterAll(() => world.server.close())

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const read = async <Body>(client: ConsoleClient, path: string): Promise<Body> => {
  const { status, text } = await client.get(path)
  expect([path, status, status === 200 ? '' : text]).toEqual([path, 200, ''])
  return JSON.parse(text)
}
const outcome = ({ status, json }: ConsoleAnswer): readonly [number, unknown] => [status, json['code'] ?? null]
const audit = async (client: ConsoleClient, query = ''): Promise<readonly AuditEvent[]> => (
  (await read<ConsoleEvents>(client, `/events?kind=audit${query}`)).events.filter(event => event.kind === 'audit')
)

test('CON-10: me says who is logged in', async () => {
  const me = await read<SignedInOperator>(rae, '/me')
  expect(me).toMatchObject({ name: 'rae', role: 'read', login: 'key', application: 'public', now: world.clock() })
})

describe('CON-22: finding sessions', () => {
  test('of a user, by tenant, address and device, in pages', async () => {
    const made: string[] = []
    for (let index = 0; index < 5; index++) {
      world.clock.advance(1000)
      made.unshift((await world.login('finder', {
        tenantId: index % 2 === 0 ? 'public' : 'shop', ip: `192.0.2.${index}`,
        userAgent: index === 3 ? 'curl/8' : 'Mozilla Firefox/140',
      })).handle)
    }
    const handles = async (query: string): Promise<readonly string[]> => (
      (await read<SessionRows>(ada, `/sessions?userId=finder${query}`)).sessions.map(({ handle }) => handle)
    )
    expect(await handles('')).toEqual(made)
    expect(await handles('&tenantId=shop')).toEqual([made[1], made[3]])
    expect(await handles('&ip=192.0.2.2')).toEqual([made[2]])
    expect(await handles('&device=CURL')).toEqual([made[1]])
    expect(await handles('&device=CURL&tenantId=public')).toEqual([])
    const first = await read<SessionRows>(ada, '/sessions?userId=finder&limit=2')
    expect(first.sessions).toHaveLength(2)
    const second = await read<SessionRows>(ada, `/sessions?userId=finder&limit=2&after=${encodeURIComponent(first.next ?? '')}`)
    expect(second.sessions.map(({ handle }) => handle)).toEqual(made.slice(2, 4))
    const newest = await read<SessionRows>(rae, '/sessions?limit=2&device=firefox')
    expect(newest.sessions[0]).toMatchObject({ handle: made[0], client: { deviceName: 'Firefox' } })
    expect((await read<SessionRows>(rae, '/sessions?ip=192.0.2.4')).sessions.map(({ handle }) => handle)).toEqual([made[0]])
  })

  test.each([
    '/sessions?limit=0', '/sessions?limit=201', '/sessions?limit=x', '/sessions?what=1', '/sessions?limit=1&limit=2', '/sessions?tenantId=A',
    '/sessions?after=nonsense', '/sessions?userId=finder&after=nonsense', '/events?kind=all', '/events?after=nonsense', '/me?x=1',
  ])('%s is refused with a sentence', async path => {
    const answer = await ada.get(path)
    expect(outcome(answer)).toEqual([400, 'invalid_request'])
    expect(answer.json['message']).toMatch(/^[A-Z].*\.$/s)
  })

  test.each(['.', '..', '%2e', '%2E%2e', '../keys', 'a/b', '/', '?', '#', 'a&b=c', '+', ' ', '\u{1f511}'.repeat(255), ''])(
    'CON-24: a user is found and logged out, whatever the id is: %j', async userId => {
      // Only CDI allows the empty id.
      await world.native('POST', '/recipe/session', { userId, userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false })
      const path = `/sessions?userId=${encodeURIComponent(userId)}`
      expect((await read<SessionRows>(rae, path)).sessions).toEqual([expect.objectContaining({ userId })])
      expect((await ada.call('POST', '/api/revocations', { body: { userId } })).json).toEqual({ revoked: 1 })
      expect((await read<SessionRows>(rae, path)).sessions).toEqual([])
      const events = await audit(ada, `&userId=${encodeURIComponent(userId)}`)
      expect(events.map(event => [event.userId, event.stage])).toEqual([[userId, 'done'], [userId, 'intended']])
    })

  test('CON-24: a revocation without a user id is refused', async () => {
    const { status, json } = await ada.call('POST', '/api/revocations', { body: {} })
    expect([status, json['message']]).toEqual([400, 'The body must have userId.'])
  })

  test('what does not exist is not found, and other methods are not allowed', async () => {
    expect(outcome(await ada.get('/sessions/hAAAAAAAAAAAAAAAAAAAAAA'))).toEqual([404, 'not_found'])
    expect(outcome(await ada.get('/sessions/nonsense'))).toEqual([404, 'not_found'])
    expect(outcome(await ada.get('/nothing'))).toEqual([404, 'not_found'])
    const wrong = await ada.call('PATCH', '/api/me')
    expect([...outcome(wrong), wrong.headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET'])
    expect((await read<SessionRows>(ada, '/sessions?userId=nobody')).sessions).toEqual([])
  })
})

describe('CON-16: a session', () => {
  test('is shown with its times, lifetimes, lineage and data, and no digest of a secret', async () => {
    const { handle } = await world.login('shown', {
      jwtPayload: { role: 'a' },
      sessionInfo: { cart: [1] },
      idleTimeout: 3600,
    })
    const detail = await read<SessionDetail>(rae, `/sessions/${handle}`)
    expect(detail).toMatchObject({
      handle, userId: 'shown', tenantId: 'public', createdAt: world.clock(), refreshedAt: world.clock(),
      lifetimes: { idleTimeout: 60 * MINUTE, absoluteExpiry: null },
      lineage: { generation: 0, branch: 0, isConfirmed: true },
      jwtPayload: { value: { role: 'a' } }, sessionInfo: { value: { cart: [1] } },
    })
    const { text } = await rae.get(`/sessions/${handle}`)
    for (const name of ['refreshHash', 'anchorHash', 'format', 'servedAt']) expect(text).not.toContain(name)
  })

  test('its data is replaced if it still has the version that the operator saw', async () => {
    const { handle } = await world.login('edited', { jwtPayload: { n: 0 }, sessionInfo: { n: 0 } })
    const version = async (what: 'jwtPayload' | 'sessionInfo'): Promise<number> => (
      (await read<SessionDetail>(ada, `/sessions/${handle}`))[what].version
    )
    for (const [path, what] of [['payload', 'jwtPayload'], ['info', 'sessionInfo']] as const) {
      const seen = await version(what)
      const put = (value: JsonObject, of = seen): Promise<ConsoleAnswer> => (
        ada.call('PUT', `/api/sessions/${handle}/${path}`, { body: { value, version: of } })
      )
      expect((await put({ n: 1 })).status).toBe(204)
      const late = await put({ n: 2 })
      expect([...outcome(late), late.json['current']])
        .toEqual([409, 'conflict', { value: { n: 1 }, version: seen + 1 }])
      expect((await put({ n: 3 }, seen + 1)).status).toBe(204)
      expect((await read<SessionDetail>(rae, `/sessions/${handle}`))[what].value).toEqual({ n: 3 })
    }
  })

  test('of two operators at once, one changes it and the other sees what they changed', async () => {
    const { handle } = await world.login('contested')
    const bea = await world.operator()
    const { version } = (await read<SessionDetail>(ada, `/sessions/${handle}`)).sessionInfo
    const answers = await Promise.all([ada, bea].map((client, index) => (
      client.call('PUT', `/api/sessions/${handle}/info`, { body: { value: { by: index }, version } })
    )))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409])
    const winner = answers.findIndex(({ status }) => status === 204)
    expect(answers.find(({ status }) => status === 409)?.json['current'])
      .toEqual({ value: { by: winner }, version: version + 1 })
  })

  test.each<readonly [what: string, body: unknown, status: number, field: string | undefined]>([
    ['payload', { value: { sub: 'root' }, version: 0 }, 400, 'value'],
    ['payload', { value: { long: 'x'.repeat(3000) }, version: 0 }, 400, 'value'],
    ['payload', { value: [], version: 0 }, 400, 'value'],
    ['payload', { value: {}, version: '0' }, 400, 'version'],
    ['info', { value: {}, version: -1 }, 400, 'version'],
    ['info', { value: {} }, 400, 'version'],
    ['info', { value: {}, version: 0, more: 1 }, 400, undefined],
    ['info', '{"value":{"__proto__":1},"version":0}', 400, undefined],
    ['info', '{"value":{"n":1e999},"version":0}', 400, undefined],
    ['info', 'nonsense', 400, undefined],
    ['info', `{"value":${'{"a":'.repeat(70)}1${'}'.repeat(70)},"version":0}`, 400, undefined],
    ['info', { value: { long: 'x'.repeat(1_300_000) }, version: 0 }, 413, undefined],
  ])('another %s is refused with the field: %j', async (what, body, status, field) => {
    const { handle } = await world.login('invalid')
    const answer = await ada.call('PUT', `/api/sessions/${handle}/${what}`, { body })
    expect([answer.status, answer.json['field']]).toEqual([status, field])
    expect(answer.json['message']).toMatch(/^[A-Z].*\.$/s)
  })

  test('a body of another type is refused', async () => {
    const { handle } = await world.login('typed')
    const headers = { 'content-type': 'text/plain' }
    expect(outcome(await ada.call('PUT', `/api/sessions/${handle}/info`, { body: '{}', headers })))
      .toEqual([415, 'unsupported_type'])
  })
})

describe('CON-16: revocations', () => {
  test('of one session, of the others and of all, which this process learns at once', async () => {
    const sessions = [await world.login('ended'), await world.login('ended'), await world.login('ended'),
      await world.login('ended', { tenantId: 'shop' })]
    const [first, second] = sessions
    expect((await ada.call('DELETE', `/api/sessions/${first?.handle}`)).status).toBe(204)
    world.clock.advance(1000)
    expect(outcome(await ada.call('DELETE', `/api/sessions/${first?.handle}`))).toEqual([404, 'not_found'])
    const inspected = await ada.call('POST', '/api/inspections', { body: { token: first?.accessToken } })
    expect(inspected.json).toMatchObject({ verdict: 'bad', parts: { revocation: { verdict: 'bad' } } })
    const others = await ada.call('POST', '/api/revocations', { body: { userId: 'ended', except: second?.handle, tenantId: 'public' } })
    expect([others.status, others.json]).toEqual([200, { revoked: 1 }])
    world.clock.advance(1000)
    expect(outcome(await ada.call('POST', '/api/revocations', { body: { userId: 'ended', except: 'nonsense' } }))).toEqual([400, 'invalid_request'])
    expect((await ada.call('POST', '/api/revocations', { body: { userId: 'ended' } })).json).toEqual({ revoked: 2 })
    const events = await audit(ada, '&userId=ended')
    expect(events.map(({ action, stage }) => `${action} ${stage}`)).toEqual([
      'revoke-user done', 'revoke-user intended', 'revoke-user done', 'revoke-user intended',
      'revoke-session done', 'revoke-session intended',
    ])
    expect(events[0]).toMatchObject({ operator: 'ada', role: 'manage', sentence: '2 sessions were revoked.' })
    expect(events[0]?.changeId).toBe(events[1]?.changeId)
    expect(new Set(events.map(({ changeId }) => changeId)).size).toBe(3)
  })
})

describe('CON-15: the audit log', () => {
  test('has a change before it is made: if it cannot be written, nothing is changed', async () => {
    const inner = createMemoryStore()
    let isFull = false
    const store = new Proxy(inner, {
      get(target, name) {
        if (name === 'appendEvent' && isFull) return async () => { throw new Error('the disk is full') }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const own = await startConsoleServer({}, store)
    const client = await own.operator()
    const { handle } = await own.login('kept')
    isFull = true
    expect(outcome(await client.call('DELETE', `/api/sessions/${handle}`))).toEqual([503, 'unavailable'])
    expect(outcome(await client.get('/events/export?kind=audit'))).toEqual([503, 'unavailable'])
    isFull = false
    expect((await client.get(`/sessions/${handle}`)).status).toBe(200)
    await own.server.close()
  })

  test('names logins, logouts, changes and exports, by whom, and is kept for 30 days', async () => {
    const own = await startConsoleServer()
    const client = await own.operator()
    const { handle } = await own.login('listed', { sessionInfo: { secret: 'do not log' } })
    const { version } = (await read<SessionDetail>(client, `/sessions/${handle}`)).sessionInfo
    own.clock.advance(1000)
    await client.call('PUT', `/api/sessions/${handle}/info`, { body: { value: { secret: 'nor this' }, version } })
    own.clock.advance(1000)
    await client.call('POST', '/api/keys/rotation')
    own.clock.advance(1000)
    await client.get('/events/export?kind=audit&format=csv')
    own.clock.advance(1000)
    await client.call('POST', '/api/logout')
    own.clock.advance(1000)
    const next = await own.operator(READER_KEY)
    const events = await audit(next)
    expect(events.map(({ action, operator, stage }) => `${action} ${operator} ${stage}`)).toEqual([
      'login rae done', 'logout ada done', 'export ada done', 'rotate-keys ada done', 'rotate-keys ada intended',
      'update-info ada done', 'update-info ada intended', 'login ada done',
    ])
    expect(JSON.stringify(events)).not.toMatch(/do not log|nor this/)
    expect(events[0]?.until).toBe(own.clock() + 30 * DAY)
    expect((await audit(next, `&handle=${handle}`)).length).toBe(2)
    own.clock.advance(30 * DAY + MINUTE)
    const later = await own.operator(READER_KEY)
    expect((await audit(later)).map(({ action }) => action)).toEqual(['login'])
    await own.server.close()
  })
})

describe('CON-17: the theft log', () => {
  let own: ConsoleServer
  let client: ConsoleClient
  let handle: string

  beforeAll(async () => {
    own = await startConsoleServer()
    client = await own.operator()
    const victim = await own.login('victim', { ip: '192.0.2.1', userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140' })
    handle = victim.handle
    const refresh = (refreshToken: string, ip: string, userAgent: string): Promise<JsonObject> => (
      own.native('POST', '/v1/sessions/refresh', { refreshToken, ip, userAgent })
    )
    own.clock.advance(10 * MINUTE)
    const next = await refresh(victim.refreshToken, '198.51.100.1', '=HYPERLINK("evil")')
    own.clock.advance(10 * MINUTE)
    await refresh(String(next['refreshToken']), '198.51.100.1', '=HYPERLINK("evil")')
    own.clock.advance(10 * MINUTE)
    expect(await refresh(victim.refreshToken, '192.0.2.1', 'Mozilla/5.0 (X11; Linux) Firefox/140'))
      .toMatchObject({ error: 'token_theft_detected' })
    client = await own.operator()
    await vi.waitUntil(
      async () => (await read<ConsoleEvents>(client, '/events?kind=theft')).events.length === 1,
      20_000,
    )
  })
  afterAll(() => own.server.close())

  test('has the evidence of an alarm: which token was used when, from where', async () => {
    const { events } = await read<{ events: readonly TokenEvent[] }>(client, '/events')
    expect(events).toMatchObject([{
      kind: 'theft', userId: 'victim', handle, isRevoked: true,
      presented: { generation: 0, at: own.clock(), by: { ip: '192.0.2.1', deviceName: 'Firefox on Linux' } },
      current: { generation: 2, by: { ip: '198.51.100.1', userAgent: '=HYPERLINK("evil")', deviceName: null } },
    }])
    expect(events[0]?.sentence).toContain('Two parties')
    expect((await read<ConsoleEvents>(client, `/events?handle=${handle}&userId=victim`)).events).toHaveLength(1)
    expect((await read<ConsoleEvents>(client, '/events?userId=other')).events).toEqual([])
  })

  test('is exported whole, as JSON and as CSV, as a download', async () => {
    const json = await client.get('/events/export?format=json')
    expect(JSON.parse(json.text)).toMatchObject([{ kind: 'theft', userId: 'victim' }])
    expect(json.headers.get('content-disposition')).toBe('attachment; filename="keyturn-theft-2026-01-01.json"')
    const csv = await client.get('/events/export?kind=theft&format=csv')
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.text.split('\r\n')).toHaveLength(3)
    expect(csv.text).toContain('"\'=HYPERLINK(""evil"")"')
    const all = await client.get('/events/export?kind=audit&format=csv')
    expect(all.text.split('\r\n').length).toBeGreaterThan(3)
  })

  test('of more events than a page is exported whole', async () => {
    for (let index = 0; index < 1201; index++) {
      await own.store.appendEvent({
        id: `many-${String(index).padStart(5, '0')}`, kind: 'audit', at: own.clock(), until: own.clock() + DAY,
        userId: null, handle: null,
        detail: JSON.stringify({ action: 'unheard-of', operator: `o${index}` }),
      })
    }
    const events: readonly AuditEvent[] = JSON.parse((await client.get('/events/export?kind=audit')).text)
    const many = events.filter(({ id }) => id.startsWith('many-'))
    expect(many).toHaveLength(1201)
    expect(many[0]).toMatchObject({ action: 'other', operator: 'o1200', stage: 'intended', sentence: '' })
  })
})

describe('CON-23: keys, health and configuration', () => {
  test('keys are listed without their material, and the next ones are added on request', async () => {
    const own = await startConsoleServer()
    const client = await own.operator()
    const before = await read<Keys>(client, '/keys')
    expect(before.keys.map(({ state }) => state)).toEqual(before.keys.map(() => 'current'))
    expect(before.findings[0])
      .toMatchObject({ severity: 'warning', sentence: expect.stringContaining('not encrypted') })
    expect(before.jwks.keys.length).toBeGreaterThan(0)
    expect((await client.get('/keys')).text).not.toMatch(/material|"d":/)
    expect((await client.call('POST', '/api/keys/rotation')).status).toBe(204)
    const after = await read<Keys>(client, '/keys')
    expect(after.keys.filter(({ state }) => state === 'next').map(({ purpose }) => purpose)).toContain('access')
    expect(after.nextRotation).toBe(own.clock() + 60 * MINUTE)
    await own.server.close()
    const safe = await startConsoleServer({ secrets: ['a secret of at least 32 characters!!'] })
    const second = await safe.operator()
    expect((await read<Keys>(second, '/keys')).findings).toEqual([])
    await safe.server.close()
  })

  test('the configuration in effect says what differs from the default, and shows no secret', async () => {
    const { configuration, health, findings } = await read<HealthReport>(rae, '/health')
    const entry = (name: string): unknown => configuration.find(each => each.name === name)
    expect(entry('accessTokenValidity')).toEqual({ name: 'accessTokenValidity', value: '1 hour', isDefault: true })
    expect(entry('consoleKeys')).toEqual({ name: 'consoleKeys', value: 'set (2)', isDefault: false })
    expect(entry('apiKeys')).toEqual({ name: 'apiKeys', value: 'set (1)', isDefault: false })
    expect(entry('store')).toEqual({ name: 'store', value: 'SQLite', isDefault: true })
    expect((await rae.get('/health')).text).not.toMatch(new RegExp(`${MANAGER_KEY}|${READER_KEY}|server-key`))
    expect(health.status).toBe('ok')
    expect(findings.map(({ severity }) => severity)).toEqual(['warning'])
  })

  test('a clock that differs from the store\'s is reported, as by the doctor', async () => {
    const memory = createMemoryStore()
    const own = await startConsoleServer({}, { ...memory, time: async () => Date.UTC(2026, 0, 1) - 60 * MINUTE })
    const { findings } = await read<HealthReport>(await own.operator(), '/health')
    expect(findings[0]).toMatchObject({ severity: 'error', sentence: expect.stringContaining('60 minutes ahead of the store\'s') })
    await own.server.close()
  })

  test('a store that does not answer is reported, and the console works again with it', async () => {
    const cut = createCutStore()
    const own = await startConsoleServer({}, cut.store)
    const client = await own.operator()
    const { handle } = await own.login('cut')
    cut.down = true
    expect(outcome(await client.get(`/sessions/${handle}`))).toEqual([503, 'unavailable'])
    expect(outcome(await client.call('DELETE', `/api/sessions/${handle}`))).toEqual([503, 'unavailable'])
    const { health, findings } = await read<HealthReport>(client, '/health')
    expect([health.status, findings[0]?.severity, findings[0]?.cure])
      .toEqual(['degraded', 'error', expect.stringContaining('database')])
    expect((await read<Overview>(client, '/overview')).health.store.isReachable).toBe(false)
    cut.down = false
    expect((await client.get(`/sessions/${handle}`)).status).toBe(200)
    await own.server.close()
  })
})

describe('CON-18: the token inspector', () => {
  const inspect = async (token: string, client = rae): Promise<Inspection> => {
    const { status, text } = await client.call('POST', '/api/inspections', { body: { token } })
    expect(status).toBe(200)
    return JSON.parse(text)
  }

  test('says what each part of a token is, for a reader too', async () => {
    const { accessToken, handle, refreshToken } = await world.login('inspected')
    const found = await inspect(`Bearer ${accessToken}\n`)
    expect(found).toMatchObject({
      verdict: 'good',
      handle,
      userId: 'inspected',
      header: { typ: 'at+jwt' },
      claims: { sub: 'inspected' },
    })
    const [head = '', body = '', signature = ''] = accessToken.split('.')
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    expect(await inspect(forged)).toMatchObject({
      verdict: 'bad',
      parts: { signature: { verdict: 'bad' }, claims: { verdict: 'unknown' } },
      userId: null,
    })
    expect(await inspect(refreshToken))
      .toMatchObject({ verdict: 'bad', parts: { header: { sentence: expect.stringContaining('refresh token') } } })
    for (const text of ['', '.', '..', 'a.b.c', 'x'.repeat(16_384), '\u0000', '{"alg":"none"}']) {
      expect((await inspect(text)).verdict).toBe('bad')
    }
    expect(outcome(await rae.call('POST', '/api/inspections', { body: { token: 'x'.repeat(16_385) } })))
      .toEqual([400, 'invalid_request'])
  })

  test('reads tokens of CDI as well', async () => {
    const response = await fetch(`${world.server.url}/recipe/session`, {
      method: 'POST',
      headers: { 'api-key': 'server-key-00123456789abcdef', 'cdi-version': '5.4', 'content-type': 'application/json' },
      body: JSON.stringify({
        userId: 'cdi',
        userDataInJWT: {},
        userDataInDatabase: {},
        enableAntiCsrf: false,
        useDynamicSigningKey: true,
      }),
    })
    const { accessToken } = await response.json() as { accessToken: { token: string } }
    expect(await inspect(accessToken.token)).toMatchObject({ verdict: 'good', userId: 'cdi', header: { typ: 'JWT' } })
  })

  test('keeps nothing: no log line, no event, no metric, no confirmation, no entry of the cache', async () => {
    const own = await startConsoleServer()
    const client = await own.operator()
    const { accessToken, refreshToken, handle } = await own.login('traceless')
    own.clock.advance(5 * MINUTE)
    const next = await own.native('POST', '/v1/sessions/refresh', { refreshToken })
    own.clock.advance(5 * MINUTE)
    const state = async (): Promise<unknown> => ({
      events: await own.store.pageEvents({
        kinds: ['theft', 'shared', 'rejected', 'audit'],
        userId: null,
        handle: null,
      }, { limit: 100, after: null }),
      record: await own.store.find(
        present((await own.store.listByUser('traceless', { limit: 1, after: null })).sessions[0]).handle,
      ),
      counters: (await read<Overview>(client, '/overview')).counters,
      cache: (await read<Overview>(client, '/overview')).health.cache,
    })
    await client.get('/me')
    const before = await state()
    own.log.length = 0
    expect((await inspect(accessToken, client)).handle).toBe(handle)
    expect((await inspect(String(next['accessToken']), client)).verdict).toBe('good')
    expect(await state()).toEqual(before)
    expect(own.log).toEqual([])
    await own.server.close()
  })
})

describe('CON-20: the overview', () => {
  test('has the numbers of the process, the series of an hour, and what each means', async () => {
    const overview = await read<Overview>(rae, '/overview')
    expect(overview.counters.logins).toBeGreaterThan(0)
    const { from, step, ...series } = overview.series
    expect([step, world.clock() - from]).toEqual([STEP, expect.any(Number)])
    for (const [name, values] of Object.entries(series)) {
      expect([name, values.length, overview.meanings[name as keyof typeof series]])
        .toEqual([name, POINTS, expect.stringMatching(/\.$/)])
    }
    expect(overview.health).toMatchObject({ status: 'ok', store: { isReachable: true } })
  })

  test('counts each session in use once, as long as its token is valid and it is not revoked', async () => {
    const own = await startConsoleServer({ accessTokenValidity: 600, reuseInterval: 1 })
    const client = await own.operator()
    const inUse = async (): Promise<number | undefined> => (await read<Overview>(client, '/overview')).sessionsInUse?.count
    const verify = (accessToken: unknown): Promise<Response> => fetch(`${own.server.url}/v1/introspect`, {
      method: 'POST', headers: { 'api-key': 'server-key-00123456789abcdef', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: String(accessToken) }),
    })
    const [first, second] = [await own.login('first'), await own.login('second')]
    expect(await inUse()).toBe(0)
    await verify(first.accessToken)
    await verify(second.accessToken)
    own.clock.advance(5000)
    await verify((await own.native('POST', '/v1/sessions/refresh', { refreshToken: first.refreshToken }))['accessToken'])
    expect(await inUse()).toBe(2)
    await own.native('DELETE', `/v1/sessions/${second.handle}`)
    expect(await inUse()).toBe(1)
    own.clock.advance(10 * MINUTE)
    expect(await inUse()).toBe(0)
    // What the cache holds says nothing about sessions.
    expect((await read<Overview>(client, '/overview')).health.cache.entries).toBe(3)
    await own.server.close()
  })
})

test('CON-21: the API is described by a document of its own', async () => {
  const document = JSON.parse((await world.browser().get('/openapi.json')).text) as {
    servers: readonly { url: string }[]; paths: Readonly<Record<string, object>>
  }
  expect(document.servers[0]?.url).toBe('/console/api')
  expect(Object.keys(document.paths)).toContain('/sessions/{handle}/payload')
})

test('CON-21: another application of the server has a console of its own, below its path, with the same login', async () => {
  const own = await startConsoleServer({ apps: ['shop'] })
  const client = await own.operator()
  await own.native('POST', '/appid-shop/v1/sessions', { userId: 'shopper' })
  const shop = own.browser('/appid-shop/console')
  for (const [name, value] of client.cookies) shop.cookies.set(name, value)
  expect((await read<SignedInOperator>(shop, '/me')).application).toBe('shop')
  expect((await read<SessionRows>(shop, '/sessions')).sessions.map(({ userId }) => userId)).toEqual(['shopper'])
  expect((await read<SessionRows>(client, '/sessions')).sessions).toEqual([])
  expect((await own.browser('/appid-none/console').get('/me')).status).toBe(404)
  await own.server.close()
})
