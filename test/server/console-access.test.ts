// Who may use the console of a server, and what its responses allow a browser to do.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEvent, SessionRows } from '../../src/console/api-types.ts'
import { consoleOperations } from '../../src/console/operations.ts'
import type { ConsoleOperation } from '../../src/console/operations.ts'
import { consoleProblems } from '../../src/server/console/problems.ts'
import { readOptions } from '../../src/server/settings.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { ConsoleAnswer, ConsoleCallOptions, ConsoleClient } from '../support/console-client.ts'
import { MANAGER_KEY, READER_KEY, startConsoleServer } from '../support/console-server.ts'
import type { ConsoleServer } from '../support/console-server.ts'

let world: ConsoleServer
let manager: ConsoleClient
let reader: ConsoleClient
let handle: string

beforeAll(async () => {
  world = await startConsoleServer()
  manager = await world.operator()
  reader = await world.operator(READER_KEY)
  handle = (await world.login('alice')).handle
})
afterAll(() => world.server.close())

const MINUTE = 60_000
const bodies: Readonly<Partial<Record<ConsoleOperation['id'], object>>> = {
  logIn: { apiKey: MANAGER_KEY }, replacePayload: { value: { a: 1 }, version: 99 }, replaceInfo: { value: {}, version: 99 },
  endSessionsOfUser: { userId: 'alice', except: 'hAAAAAAAAAAAAAAAAAAAAAA', tenantId: 'none' }, inspectToken: { token: 'x' },
}
const send = (client: ConsoleClient, { id, method, path }: ConsoleOperation, options: ConsoleCallOptions = {}): Promise<ConsoleAnswer> => {
  const target = path.replace('{handle}', id === 'endSession' ? 'hAAAAAAAAAAAAAAAAAAAAAA' : handle)
  const body = bodies[id]
  return client.call(method, `/api${target}`, { ...body === undefined ? {} : { body }, ...options })
}
const outcome = ({ status, json }: ConsoleAnswer): readonly [number, unknown] => [status, json['code']]
const closed = consoleOperations.filter(({ needs }) => needs !== null)
const changes = consoleOperations.filter(({ isGuarded }) => isGuarded)
const each = (operations: readonly ConsoleOperation[]): readonly (readonly [string, ConsoleOperation])[] => (
  operations.map(operation => [operation.id, operation] as const)
)

describe('CON-10: without a login', () => {
  test.each(each(closed))('%s is refused', async (_, operation) => {
    const stranger = world.browser()
    stranger.token = manager.token
    expect(outcome(await send(stranger, operation))).toEqual([401, 'unauthenticated'])
  })

  test('an API key of the server, as a header, opens nothing', async () => {
    const headers = { 'api-key': MANAGER_KEY, authorization: `Bearer ${MANAGER_KEY}` }
    expect(outcome(await world.browser().get('/me', { headers }))).toEqual([401, 'unauthenticated'])
  })

  test('an access token of a user opens nothing, in any cookie or header', async () => {
    const { accessToken } = await world.login('mallory', { transferMode: 'cookie' })
    const stranger = world.browser()
    for (const name of manager.cookies.keys()) stranger.cookies.set(name, accessToken)
    const headers = { authorization: `Bearer ${accessToken}` }
    expect(outcome(await stranger.get('/me', { headers }))).toEqual([401, 'unauthenticated'])
  })

  test('the way to log in is public, and says nothing else', async () => {
    expect((await world.browser().get('/login')).json).toEqual({
      login: 'key', product: { name: 'Keyturn', version: expect.any(String) },
    })
  })
})

describe('CON-11: a change', () => {
  test.each(each(changes))('%s is refused for a page of another origin', async (_, operation) => {
    for (const headers of [
      { origin: 'https://evil.example' }, { 'origin': 'null', 'sec-fetch-site': null },
      { 'origin': 'null', 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', 'origin': null },
      { 'origin': null, 'sec-fetch-site': null }, { origin: `${new URL(manager.url).origin}.evil.example` },
    ]) {
      expect([headers, outcome(await send(manager, operation, { headers }))])
        .toEqual([headers, [403, 'foreign_origin']])
    }
  })

  test.each(each(changes.filter(({ needs }) => needs !== null)))('%s is refused without the change token of its login',
    async (_, operation) => {
      for (const token of [null, '', 'wrong', reader.token]) {
        expect(outcome(await send(manager, operation, { headers: { 'x-console-token': token } })))
          .toEqual([403, 'invalid_change_token'])
      }
    })

  test.each(each(changes.filter(({ needs }) => needs === 'manage')))('%s is refused for the role read',
    async (_, operation) => {
      expect(outcome(await send(reader, operation))).toEqual([403, 'read_only'])
  })

  test.each(each(consoleOperations.filter(({ needs, isGuarded }) => needs === 'read' && !isGuarded)))(
    '%s is allowed for the role read',
    async (_, operation) => {
      expect((await send(reader, operation)).status).toBe(200)
  })

  test('a token of another login of the same operator is refused', async () => {
    const other = await world.operator()
    const answer = await manager.call('POST', '/api/keys/rotation', { headers: { 'x-console-token': other.token } })
    expect(outcome(answer)).toEqual([403, 'invalid_change_token'])
  })

  test('reading from a page of another site is refused', async () => {
    expect(outcome(await manager.get('/overview', { headers: { 'sec-fetch-site': 'cross-site' } })))
      .toEqual([403, 'foreign_origin'])
    expect(outcome(await manager.get('/overview', { headers: { origin: 'https://evil.example' } })))
      .toEqual([403, 'foreign_origin'])
  })
})

describe('CON-12: a console session', () => {
  test('is in cookies that scripts and other sites cannot use, with names of its own', async () => {
    const client = world.browser()
    const answer = await client.logIn(MANAGER_KEY)
    expect(answer.status).toBe(204)
    const login = await client.call('POST', '/api/login', { body: { apiKey: MANAGER_KEY } })
    expect(login.status).toBe(204)
    expect(client.setCookies.length).toBeGreaterThanOrEqual(2)
    for (const line of client.setCookies) {
      expect(line).toMatch(/^keyturnConsole(?:Refresh)?-\d+(?:Mac)?=/)
      expect(line).toMatch(/; HttpOnly/)
      expect(line).toMatch(/; SameSite=Strict/)
      expect(line).toMatch(/; Path=\//)
    }
    for (const name of ['st-access-token', 'st-refresh-token', 'front-token']) {
      expect(login.headers.get(name)).toBeNull()
    }
  })

  test('gives no tokens in headers, whatever the client asks for', async () => {
    const client = world.browser()
    const answer = await client.call('POST', '/api/login', {
      body: { apiKey: MANAGER_KEY },
      headers: { 'st-auth-mode': 'header' },
    })
    expect([answer.status, answer.headers.get('st-access-token'), client.setCookies.length > 0])
      .toEqual([204, null, true])
  })

  test('ends after 15 minutes without a request, and with requests after 12 hours', async () => {
    const own = await startConsoleServer()
    const idle = await own.operator()
    const busy = await own.operator()
    own.clock.advance(14 * MINUTE)
    expect((await busy.get('/me')).status).toBe(200)
    own.clock.advance(MINUTE + 1000)
    expect(outcome(await idle.get('/me'))).toEqual([401, 'unauthenticated'])
    const { json: { session } } = await busy.get('/me')
    expect(session).toEqual({ idleTimeout: 15 * MINUTE, endsAt: Date.UTC(2026, 0, 1) + 12 * 60 * MINUTE })
    let last = 200
    for (let minutes = 16; minutes < 12 * 60 + 20 && last === 200; minutes += 10) {
      own.clock.advance(10 * MINUTE)
      last = (await busy.get('/me')).status
    }
    expect(last).toBe(401)
    expect(own.clock() - Date.UTC(2026, 0, 1)).toBeGreaterThan(11.7 * 60 * MINUTE)
    expect(own.clock() - Date.UTC(2026, 0, 1)).toBeLessThan(12.3 * 60 * MINUTE)
    await own.server.close()
  })

  test('is prolonged by requests at once, and by changes', async () => {
    const own = await startConsoleServer()
    const client = await own.operator()
    own.clock.advance(2 * MINUTE)
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.get('/me')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    own.clock.advance(2 * MINUTE)
    expect((await client.call('POST', '/api/keys/rotation')).status).toBe(204)
    expect((await client.get('/me')).status).toBe(200)
    await own.server.close()
  })

  test('ends with a logout, and cannot be used again with the same cookies', async () => {
    const client = await world.operator()
    const stolen = world.browser()
    for (const [name, value] of client.cookies) stolen.cookies.set(name, value)
    expect((await client.call('POST', '/api/logout')).status).toBe(204)
    expect(client.cookies.size).toBe(0)
    expect(outcome(await stolen.get('/me'))).toEqual([401, 'unauthenticated'])
  })

  test('is not among the sessions of the users, and a user named as an operator does not matter', async () => {
    await world.login('ada')
    const { sessions }: SessionRows = JSON.parse((await manager.get('/sessions')).text)
    expect(sessions.filter(({ userId }) => userId === 'ada')).toHaveLength(1)
    expect((await world.ownStore.listByUser('ada', { limit: 10, after: null })).sessions.length).toBeGreaterThan(0)
  })

  test('ends when its key is taken from the settings, and its role is that of the settings', async () => {
    const store = createMemoryStore()
    const own = await startConsoleServer({}, store)
    const client = await own.operator()
    const others = await startConsoleServer({ consoleKeys: [`ada:read:${MANAGER_KEY}`] }, store)
    const moved = others.browser()
    for (const [name, value] of client.cookies) {
      moved.cookies.set(name.replace(/\d+$/, new URL(others.server.url).port), value)
    }
    expect(outcome(await moved.get('/me'))).toEqual([401, 'unauthenticated'])
    await Promise.all([own.server.close(), others.server.close()])
  })
})

describe('CON-13: a login', () => {
  test('with another text than an API key is refused, and is limited', async () => {
    const own = await startConsoleServer()
    const client = own.browser()
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(outcome(await client.logIn(`guess-${attempt}`))).toEqual([401, 'invalid_api_key'])
    }
    const limited = await client.logIn(MANAGER_KEY)
    expect([...outcome(limited), limited.headers.get('retry-after')]).toEqual([429, 'too_many_attempts', '60'])
    own.clock.advance(60_000)
    expect((await client.logIn(MANAGER_KEY)).status).toBe(204)
    const { events }: { events: readonly AuditEvent[] } = JSON.parse((await client.get('/events?kind=audit')).text)
    expect(events.map(({ action }) => action)).toEqual(['login', ...Array.from({ length: 5 }, () => 'login-refused')])
    expect(JSON.stringify(events)).not.toContain('guess')
    expect(own.log.join('')).not.toMatch(/guess-|manager-key/)
    await own.server.close()
  })

  test('by API key of the server, if there are no keys of the console: with the role manage', async () => {
    const own = await startConsoleServer({ consoleKeys: [] })
    const client = own.browser()
    expect((await client.logIn('server-key-00123456789abcdef')).status).toBe(204)
    expect((await client.get('/me')).json)
      .toMatchObject({ name: 'API key 1', role: 'manage', login: 'key', application: 'public' })
    await own.server.close()
  })
})

describe('CON-14: every response', () => {
  const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

  test.each(['', '/', '/index.html', '/assets/none.js', '/assets/../package.json', '/api/me', '/api/none', '/api/login', '/nowhere'])(
    'of %s forbids frames, scripts of others, caching and guessing of types', async path => {
      const { headers, status } = await world.browser().call('GET', path)
      expect(status).not.toBe(500)
      expect(headers.get('content-security-policy')).toBe(policy)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    })

  test('hostile texts come back as JSON texts, and no response is HTML but the page', async () => {
    const hostile = '</script><img src=x onerror=alert(1)>"\'&\u2028\u0000'.replace('\0', '')
    await world.login(hostile, { userAgent: hostile, ip: '"><svg onload=alert(1)>', jwtPayload: { note: hostile } })
    for (const path of ['/sessions', `/sessions?userId=${encodeURIComponent(hostile)}`, '/events?kind=audit', `/sessions?userId=${encodeURIComponent('<b>')}`]) {
      const { headers, json, status } = await manager.get(path)
      expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
      expect(json).toBeTypeOf('object')
    }
    const { sessions }: SessionRows = JSON.parse((await manager.get(`/sessions?userId=${encodeURIComponent(hostile)}`)).text)
    expect(sessions[0]?.userId).toBe(hostile)
    const detail = (await manager.get(`/sessions/${sessions[0]?.handle}`)).json
    expect(detail).toMatchObject({ jwtPayload: { value: { note: hostile } }, client: { deviceName: null } })
  })

  test('of the address without a slash leads to the one with it, relative to what the browser sees', async () => {
    const { status, headers } = await world.browser().call('GET', '')
    expect([status, headers.get('location')]).toEqual([308, 'console/'])
  })

  test('of a path that leads out of the folder of the build is none of a file', async () => {
    for (const path of [
      '/assets/%2e%2e%2fpackage.json', '/assets/..%2f..%2fpackage.json', '/assets/a%00.js', '/../package.json',
    ]) {
      expect((await world.browser().call('GET', path)).text).not.toContain('"keyturn"')
    }
  })
})

describe('CON-19: the console is off unless it is asked for', () => {
  test('a server without the setting has no such path', async () => {
    const own = await startConsoleServer({ console: false, consoleKeys: [] })
    for (const path of ['', '/', '/api/login', '/api/me']) {
      const { status, headers } = await own.browser().call('GET', path)
      expect([path, status, headers.get('content-security-policy')]).toEqual([path, 401, null])
    }
    await own.server.close()
  })

  const key = `ada:manage:${MANAGER_KEY}`
  test.each<readonly [title: string, settings: Readonly<Record<string, unknown>>, words: RegExp | null]>([
    ['this machine', { console: true, consoleKeys: [key] }, null],
    ['this machine, with an API key', { console: true, apiKeys: [MANAGER_KEY] }, null],
    ['this machine, by flag texts', { console: 'true', consoleKeys: [key] }, null],
    ['no key', { console: true }, /--console needs a key to log in with/],
    ['a proxy with TLS', {
      console: true,
      consoleKeys: [key],
      apiKeys: [MANAGER_KEY],
      host: '0.0.0.0',
      publicOrigin: 'https://a.example',
    }, null],
    ['an address that others reach, without an origin', {
      console: true,
      consoleKeys: [key],
      apiKeys: [MANAGER_KEY],
      host: '0.0.0.0',
    }, /--console needs --public-origin/],
    ['http for others', {
      console: true,
      consoleKeys: [key],
      apiKeys: [MANAGER_KEY],
      host: '0.0.0.0',
      publicOrigin: 'http://a.example',
    }, /--console needs an https --public-origin/],
    ['http for others behind a proxy on this machine', {
      console: true,
      consoleKeys: [key],
      apiKeys: [MANAGER_KEY],
      publicOrigin: 'http://a.example',
    }, /--console needs an https --public-origin/],
    ['http for others, accepted', {
      console: true,
      consoleKeys: [key],
      apiKeys: [MANAGER_KEY],
      publicOrigin: 'http://a.example',
      consoleWithoutTls: true,
    }, null],
    ['keys without the console', { consoleKeys: [key] }, /need --console/],
    ['two keys of one name', { console: true, consoleKeys: [key, `ada:read:${READER_KEY}`] }, /name of its own/],
    ['an application of the name', { console: true, consoleKeys: [key], apps: ['console'] },
      /--app console must have another id/],
    ['a key of another form', { console: true, consoleKeys: ['ada:owner:x'] }, /NAME:ROLE:KEY.*received an array of 1/],
  ])('%s', (_, settings, words) => {
    const read = (): unknown => readOptions(settings)
    if (words === null) expect(read).not.toThrow()
    else expect(read).toThrow(words)
  })

  test('the rule is about these settings alone', () => {
    expect(consoleProblems(readOptions({ console: true, consoleKeys: [key] }))).toEqual([])
  })
})
