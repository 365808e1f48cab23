// The console inside an application, in each kind of framework, below a path of several segments.
import { describe, expect, onTestFinished, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { CreateSessionsOptions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { present } from '../support/present.ts'
import { ConsoleClient } from '../support/console-client.ts'
import { applications, PATH } from './support/console-applications.ts'
import type { Bare, Start } from './support/console-applications.ts'

const ORIGIN = 'https://app.example.com'

/** Those of which the test can put a body parser before the console. */
const takesParser: ReadonlySet<string> = new Set(['Express', 'Express, on a router below a path', 'Koa', 'Hono'])

interface World {
  readonly sessions: Bare
  readonly client: ConsoleClient
  readonly port: number
  send(path: string): Promise<Response>
}

async function start(
  make: Start, parsed = false, options: Partial<CreateSessionsOptions> = {},
): Promise<World> {
  const sessions = createSessions({ origin: ORIGIN, ...inMemory(), ...options })
  const app = await make(sessions, parsed)
  onTestFinished(async () => {
    await app.close()
    await sessions.close()
  })
  const send = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${app.port}${path}`)
  // The browser sees the origin of the application.
  const client = new ConsoleClient(`${ORIGIN}${PATH}`, (url, init) => (
    fetch(url.replace(ORIGIN, `http://127.0.0.1:${app.port}`), init)
  ))
  return { sessions, client, port: app.port, send }
}

const manager = { 'x-operator': 'manager' }
const reader = { 'x-operator': 'reader' }

describe.each(Object.entries(applications))('CON-21: the console in %s', (name, make) => {
  test('is below its path, and leaves all other paths to the application', async () => {
    const { client, send } = await start(make)
    for (const path of ['/', '/admin', '/admin/sessionsx', '/other/api/me', '/admin/sessions-old/api/me']) {
      expect([path, await (await send(path)).text()]).toEqual([path, 'the application'])
    }
    const { status, headers } = await client.call('GET', '')
    expect([status, headers.get('location')]).toEqual([308, 'sessions/'])
    const asset = await client.call('GET', '/assets/none.js')
    expect([asset.status, asset.headers.get('content-security-policy')])
      .toEqual([404, expect.stringContaining("default-src 'none'")])
  })

  test('is for whom authorize accepts, with the role that it gives', async () => {
    const { client } = await start(make)
    expect((await client.get('/me')).status).toBe(401)
    const me = await client.get('/me', { headers: reader })
    expect(me.json)
      .toMatchObject({ name: 'rae', role: 'read', login: 'embedded', session: null, application: 'default' })
    client.token = String(me.json['changeToken'])
    expect((await client.call('POST', '/api/keys/rotation', { headers: reader })).json['code']).toBe('read_only')
    expect((await client.call('POST', '/api/keys/rotation', { headers: manager })).json['code'])
      .toBe('invalid_change_token')
    expect((await client.call('POST', '/api/login', { body: { apiKey: 'x' } })).status).toBe(404)
  })

  test('may be for a user whom the application has logged in', async () => {
    const { client, sessions } = await start(make)
    const headers = new Headers()
    const web = webSessions(sessions)
    web.sessionRoutes()
    const login = new Request(`${ORIGIN}/login`, { method: 'POST', headers: { origin: ORIGIN, 'user-agent': 'curl/8' } })
    await web.createNewSession(login, headers, 'alice', {})
    const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
    const { status, json } = await client.get('/me', { headers: { cookie } })
    expect([status, json['name'], json['role']]).toEqual([200, 'alice', 'read'])
  })

  test.each(takesParser.has(name) ? [false, true] : [false])(
    'reads bodies, answers changes and streams exports; after a body parser: %s', async parsed => {
      const { client, sessions } = await start(make, parsed)
      const headers = new Headers()
      const web = webSessions(sessions)
      web.sessionRoutes()
      const login = new Request(`${ORIGIN}/login`, {
        method: 'POST',
        headers: { origin: ORIGIN, 'user-agent': 'curl/8' },
      })
      const handle = (await web.createNewSession(login, headers, 'alice', { role: 'a' })).getHandle()
      client.token = String((await client.get('/me', { headers: manager })).json['changeToken'])
      const detail = (await client.get(`/sessions/${handle}`, { headers: manager })).json as {
        sessionInfo: { version: number }
      }
      const { version } = detail.sessionInfo
      const put = await client.call('PUT', `/api/sessions/${handle}/info`, {
        headers: manager,
        body: { value: { ü: 1 }, version },
      })
      expect([put.status, put.text]).toEqual([204, ''])
      expect(await sessions.getSessionInfo(handle)).toEqual({ ü: 1 })
      const late = await client.call('PUT', `/api/sessions/${handle}/info`, {
        headers: manager,
        body: { value: {}, version },
      })
      expect(late.status).toBe(409)
      const evil = await client.call('DELETE', `/api/sessions/${handle}`, {
        headers: { ...manager, origin: 'https://evil.example' },
      })
      expect(evil.json['code']).toBe('foreign_origin')
      const csv = await client.get('/events/export?kind=audit&format=csv', { headers: manager })
      expect([csv.status, csv.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/csv')])
      expect(csv.text.trimEnd().split('\r\n')).toHaveLength(3)
      const inspected = await client.call('POST', '/api/inspections', {
        headers: { ...reader, 'x-console-token': null },
        body: { token: 'x' },
      })
      expect(inspected.json['code']).toBe('invalid_change_token')
      const long = await client.call('PUT', `/api/sessions/${handle}/info`, {
        headers: manager,
        body: { value: { x: 'x'.repeat(300_000) }, version },
      })
      expect(long.status).toBe(413)
      expect((await client.call('DELETE', `/api/sessions/${handle}`, { headers: manager })).status).toBe(204)
      expect((await client.get(`/sessions/${handle}`, { headers: manager })).status).toBe(404)
    })
})

describe('CON-21: the console of an application', () => {
  test('refuses wrong options, and says which', () => {
    const sessions = expressSessions(createSessions({ origin: ORIGIN, ...inMemory() }))
    const open = (options: object) => () => Reflect.apply(sessions.console, null, [options])
    expect(open({})).toThrow('authorize must be')
    expect(open({ authorize: true })).toThrow('authorize must be')
    expect(open({ authorize: () => null, path: 'a b' })).toThrow('path must be')
    expect(open({ authorize: () => null, prefix: '/x' })).toThrow('console has no option prefix')
    expect(open({ authorize: () => null, origin: 'x' })).toThrow('origin must be')
  })

  test('fails a request whose operator is none, and lets nobody in', async () => {
    const errors: unknown[] = []
    const sessions = createSessions({
      origin: ORIGIN, store: createMemoryStore(), events: { onBackgroundError: ({ error }) => errors.push(error) },
    })
    const web = webSessions(sessions)
    // @ts-expect-error: a promise of true is no operator
    const handle = web.console({ authorize: async () => true })
    const response = await handle(new Request(`${ORIGIN}/console/api/me`))
    expect(response?.status).toBe(500)
    await expect.poll(() => errors.length).toBe(1)
    expect(errors)
      .toEqual([expect.objectContaining({ code: 'MISUSE', message: expect.stringContaining('authorize of console') })])
    await sessions.close()
  })

  test('may be used by pages of another origin, if that is its own', async () => {
    const sessions = webSessions(createSessions({ origin: ORIGIN, ...inMemory() }))
    const handle = sessions.console({
      authorize: () => ({ name: 'ada', role: 'manage' }),
      origin: 'https://admin.example.com',
    })
    const send = (origin: string, token: string): Promise<Response | null> =>
      handle(new Request(`${ORIGIN}/console/api/keys/rotation`, {
        method: 'POST',
        headers: { origin, 'x-console-token': token },
    }))
    const me = await (await handle(new Request(`${ORIGIN}/console/api/me`)))?.json() as { changeToken: string }
    expect((await send(ORIGIN, me.changeToken))?.status).toBe(403)
    expect((await send('https://admin.example.com', me.changeToken))?.status).toBe(204)
    await sessions.close()
  })

  test('shows the options in effect, and no secret', async () => {
    const secret = 'a secret of at least 32 characters!!'
    const sessions = webSessions(createSessions({ origin: ORIGIN, ...inMemory(), secret, idleTimeout: '3d' }))
    const handle = sessions.console({ authorize: () => ({ name: 'rae', role: 'read' }) })
    const text = await (await handle(new Request(`${ORIGIN}/console/api/health`)))?.text() ?? ''
    const { configuration } = JSON.parse(text) as {
      configuration: readonly { name: string; value: string; isDefault: boolean }[]
    }
    const entry = (name: string): unknown => configuration.find(each => each.name === name)
    expect(entry('idleTimeout')).toEqual({ name: 'idleTimeout', value: '3d', isDefault: false })
    expect(entry('accessTokenLifetime')).toEqual({ name: 'accessTokenLifetime', value: '1 hour', isDefault: true })
    expect(entry('secret')).toEqual({ name: 'secret', value: 'set', isDefault: false })
    expect(entry('reuseInterval')).toEqual({ name: 'reuseInterval', value: '30 seconds', isDefault: true })
    expect(entry('cookie.sameSite')).toEqual({ name: 'cookie.sameSite', value: 'lax', isDefault: true })
    expect(text).not.toContain('a secret of')
    await sessions.close()
  })

  test('checks what the schemas of the application say of its data', async () => {
    const sessions = webSessions(createSessions({
      origin: ORIGIN, ...inMemory(),
      info: {
        '~standard': {
          version: 1, vendor: 'test',
          validate: value => typeof value === 'object' && value !== null && 'n' in value
            ? { value: { n: Number(value.n) } } : { issues: [{ message: 'n is missing', path: ['n'] }] },
        },
      },
    }))
    sessions.sessionRoutes()
    const handle = sessions.console({ authorize: () => ({ name: 'ada', role: 'manage' }) })
    const login = new Request(`${ORIGIN}/login`, { method: 'POST', headers: { origin: ORIGIN } })
    const session = (await sessions.createNewSession(login, new Headers(), 'alice', {}, { n: 1 })).getHandle()
    const me = present(await handle(new Request(`${ORIGIN}/console/api/me`)))
    const { changeToken }: { changeToken: string } = await me.json()
    const response = await handle(new Request(`${ORIGIN}/console/api/sessions/${session}/info`, {
      method: 'PUT', headers: { 'origin': ORIGIN, 'x-console-token': changeToken, 'content-type': 'application/json' },
      body: JSON.stringify({ value: { m: 1 }, version: 0 }),
    }))
    expect([response?.status, await response?.json()]).toEqual([400, {
      code: 'invalid_request', field: 'value', message: 'The session info does not match its schema: n: n is missing.',
    }])
    await sessions.close()
  })
})

test('CON-20: timers run only where there is a console, outside of requests, until the sessions are closed', async () => {
  const tasks: { readonly delay: number; isCancelled: boolean }[] = []
  const schedule = (_: () => void, delay: number): (() => void) => {
    const task = { delay, isCancelled: false }
    tasks.push(task)
    return () => {
      task.isCancelled = true
    }
  }
  const sampling = (): readonly { isCancelled: boolean }[] =>
    tasks.filter(({ delay }) => delay > 5000 && delay <= 22_500)
  const sessions = webSessions(createSessions({ origin: ORIGIN, store: createMemoryStore(), schedule }))
  sessions.sessionRoutes()
  await sessions.getJwks()
  expect(sampling()).toEqual([])
  const handle = sessions.console({ authorize: () => null })
  await handle(new Request(`${ORIGIN}/console/api/login`))
  expect(sampling().map(({ isCancelled }) => isCancelled)).toEqual([false])
  await sessions.close()
  expect(sampling().map(({ isCancelled }) => isCancelled)).toEqual([true])
})
