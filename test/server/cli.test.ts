import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { diagnose } from '../../src/cli/diagnosis.ts'
import type { Symptoms } from '../../src/cli/diagnosis.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { keyturn } from '../support/command-line.ts'
import { decodeJwt } from '../support/core-server.ts'
import type { CoreBody } from '../support/core-server.ts'
import { serveProcess } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-serve-'))
const store = `sqlite:${join(folder, 'keyturn.db')}`
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('serve', () => {
  let server: ServeProcess
  beforeAll(async () => {
    server = await serveProcess(folder, ['--port', '0', '--api-key', API_KEY, '--access-token-validity', '15m'])
  })
  afterAll(() => server.end('SIGKILL'))

  const call = async (path: string, body?: object): Promise<CoreBody> => {
    const response = await fetch(`${server.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST', headers: { 'api-key': API_KEY, 'cdi-version': '5.4' },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    return await response.json() as CoreBody
  }
  const create = (userId: string): Promise<CoreBody> => call('/recipe/session', {
    userId, userDataInJWT: { role: 'x' }, userDataInDatabase: { secret: 1 }, enableAntiCsrf: false,
  })

  test('keeps sessions in SQLite in the working directory', async () => {
    expect(existsSync(join(folder, 'keyturn.db'))).toBe(true)
    expect((await create('alice')).status).toBe('OK')
  })

  test('shares the store with the commands: sessions are listed, shown and revoked', async () => {
    const { session: { handle }, refreshToken } = await create('bob')
    const listed = await keyturn('sessions', 'list', 'bob', store)
    expect(listed).toMatchObject({ code: 0, out: expect.stringContaining(handle) })
    const { sessions } = JSON.parse((await keyturn('sessions', 'list', 'bob', store, '--json')).out)
    expect(sessions).toEqual([expect.objectContaining({ handle, userId: 'bob', tenantId: 'public' })])
    const shown = JSON.parse((await keyturn('sessions', 'show', handle, store, '--json')).out)
    expect(shown).toMatchObject({ handle, generation: 0, jwtPayload: { role: 'x' }, sessionInfo: { secret: 1 } })
    expect(shown).not.toHaveProperty('refreshHash')
    expect((await keyturn('sessions', 'show', handle, store)).out).toMatch(/createdAt +20\d\d-/)
    expect(await keyturn('sessions', 'revoke', handle, store)).toMatchObject({ code: 0, out: 'Revoked 1 session.' })
    expect(await keyturn('sessions', 'revoke', handle, store)).toMatchObject({ code: 1 })
    expect(await keyturn('sessions', 'show', handle, store)).toMatchObject({ code: 1 })
    const refreshed = await call('/recipe/session/refresh', {
      refreshToken: refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true,
    })
    expect(refreshed.status).toBe('UNAUTHORISED')
    await create('carol')
    expect(JSON.parse((await keyturn('sessions', 'revoke', '--user', 'carol', store, '--json')).out).revoked)
      .toHaveLength(1)
  })

  test('L-15: sessions of a user in one tenant are listed and revoked alone', async () => {
    const { session: { handle } } = await create('erin')
    const list = async (tenant: string): Promise<unknown> => (
      JSON.parse((await keyturn('sessions', 'list', 'erin', store, '--json', '--tenant', tenant)).out).sessions
    )
    expect([await list('acme'), await list('public')]).toEqual([[], [expect.objectContaining({ handle })]])
    const revoke = ['sessions', 'revoke', '--user', 'erin', store, '--tenant'] as const
    expect(await keyturn(...revoke, 'acme')).toMatchObject({ code: 1, out: 'Revoked 0 sessions.' })
    expect(await keyturn(...revoke, 'public')).toMatchObject({ code: 0, out: 'Revoked 1 session.' })
    expect(await keyturn(...revoke, 'Acme'))
      .toMatchObject({ code: 2, error: expect.stringContaining('--tenant must be') })
    expect(await keyturn('sessions', 'revoke', handle, store, '--tenant', 'acme'))
      .toMatchObject({ code: 2, error: expect.stringContaining('--tenant needs --user') })
  })

  test('shares the store with the commands: keys are listed, rotated and retired', async () => {
    const { out } = await keyturn('keys', 'list', store, '--json')
    const listed = JSON.parse(out) as { kid: string; purpose: string; publishedAs: string; state: string }[]
    expect(listed.map(({ purpose }) => purpose).sort()).toEqual(['access', 'core-dynamic', 'core-static', 'refresh'])
    expect(out).not.toMatch(/"(d|k|material|privateKey)":/)
    const { accessToken } = await create('dave')
    expect(listed.map(({ publishedAs }) => publishedAs)).toContain(decodeJwt(accessToken.token).header['kid'])

    expect(await keyturn('keys', 'rotate', '--purpose', 'core-dynamic', store)).toMatchObject({ code: 0 })
    const after = JSON.parse((await keyturn('keys', 'list', store, '--json')).out) as typeof listed
    expect(after.filter(({ purpose }) => purpose === 'core-dynamic').map(({ state }) => state))
      .toEqual(['active', 'pending'])
    const pending = after.find(({ state }) => state === 'pending')?.publishedAs ?? ''
    expect(await keyturn('keys', 'retire', pending, store)).toMatchObject({ code: 0 })
    expect(await keyturn('keys', 'retire', pending, store)).toMatchObject({ code: 1 })
    expect((await keyturn('keys', 'list', store)).out).toContain('core-static')
  })

  test('shuts down gracefully on SIGTERM, and logs it', async () => {
    const other = await serveProcess(mkdtempSync(join(folder, 'x')), ['--port', '0'])
    expect(await other.end('SIGTERM')).toBe(0)
    expect(other.output()).toContain('"msg":"closed"')
  })

  test('reads a configuration file and the environment', async () => {
    const file = join(folder, 'keyturn.json')
    writeFileSync(file, JSON.stringify({ port: 0, basePath: '/core', store: 'sqlite::memory:' }))
    const other = await serveProcess(folder, ['--config', file], { KEYTURN_LOG_LEVEL: 'silent' })
    expect(other.url).toMatch(/\/core$/)
    expect(await (await fetch(`${other.url}/hello`)).text()).toBe('Hello\n')
    expect(other.output()).not.toContain('"level"')
    await other.end('SIGTERM')
  })
})

describe('S-15: an unknown variable that begins with KEYTURN_', () => {
  test('keeps serve from starting; the message suggests the right name', async () => {
    const variables = { KEYTURN_SECRETS: 'the secret of the application, long', KEYTURN_API_KEYS: API_KEY }
    const started = serveProcess(folder, ['--port', '0', 'sqlite::memory:'], variables)
    await expect(started).rejects.toThrow(
      /keyturn serve: there is no variable "KEYTURN_SECRETS"; did you mean KEYTURN_SECRET\?\nthere is no variable "KEYTURN_API_KEYS"; did you mean KEYTURN_API_KEY\?/,
    )
  })

  test.each([
    ['keys', 'list'], ['sessions', 'list', 'ada'], ['keys', 'rotate'], ['cleanup'], ['migrate'],
  ])('keeps %s %s from running', async (...args) => {
    vi.stubEnv('KEYTURN_STORES', 'sqlite:elsewhere.db')
    try {
      const { code, error } = await keyturn(...args)
      expect([code, error])
        .toEqual([2, expect.stringContaining('there is no variable "KEYTURN_STORES"; did you mean KEYTURN_STORE?')])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

test('S-15: an invalid position or application is an invalid argument, and changes nothing in the store', async () => {
  const file = join(folder, 'positions.db')
  await openSqliteStore(file).close()
  const before = readFileSync(file)
  const named = [`sqlite:${file}`]
  expect(await keyturn('sessions', 'list', 'ada', '--after', 'nowhere', ...named))
    .toMatchObject({ code: 2, error: expect.stringContaining('after must be the `next` of a page of sessions') })
  for (const app of ['Shop', 'a/b', 'x'.repeat(21), '']) {
    expect(await keyturn('sessions', 'list', 'ada', '--app', app, ...named))
      .toMatchObject({ code: 2, error: expect.stringContaining('--app must be an id of 1 to 20 characters') })
  }
  expect(readFileSync(file)).toEqual(before)
})

describe('help, version and first steps', () => {
  test('prints the version, and the help of a command in three spellings', async () => {
    expect((await keyturn('--version')).out).toMatch(/^\d+\.\d+\.\d+$/)
    expect(await keyturn('help', 'keys')).toEqual(await keyturn('keys', '--help'))
    expect(await keyturn('keys', 'list', '-h')).toEqual(await keyturn('keys', '--help'))
    expect(await keyturn('help', 'conquer'))
      .toMatchObject({ code: 2, error: expect.stringContaining('no command "conquer"') })
  })

  test.each([['sessions', 'list', 'ada'], ['keys', 'list']])('%s does not create a missing SQLite file',
    async (...args) => {
      const file = join(folder, 'not-there.db')
      const { code, error } = await keyturn(...args, `sqlite:${file}`)
      expect([code, error]).toEqual([1, expect.stringContaining(`there is no SQLite file ${file}`)])
      expect(existsSync(file)).toBe(false)
  })

  test('serve says that another program uses the port', async () => {
    const holder = await serveProcess(mkdtempSync(join(folder, 'p')), ['--port', '0'])
    const quiet = ['sqlite::memory:', '--log-level', 'silent']
    const { code, error } = await keyturn('serve', '--port', new URL(holder.url).port, ...quiet)
    expect([code, error]).toEqual([1, expect.stringContaining('another program uses this port')])
    await holder.end('SIGTERM')
  })

  test('migrate uses the store of KEYTURN_STORE, as a server does', async () => {
    const file = join(folder, 'of-the-environment.db')
    vi.stubEnv('KEYTURN_STORE', `sqlite:${file}`)
    expect(await keyturn('migrate')).toMatchObject({ code: 0 })
    expect(await keyturn('cleanup')).toMatchObject({ code: 0, out: 'Removed 0 expired sessions.' })
    vi.unstubAllEnvs()
    expect(existsSync(file)).toBe(true)
    expect((await keyturn('sessions', 'list', 'nobody', `sqlite:${file}`)).out).toBe('This user has no active session.')
  })
})

describe('a command that is called with invalid arguments exits with 2 and says what to fix', () => {
  test.each([
    [['serve', 'now'], 'serve takes one argument, the store'],
    [['serve', '--colour'], '--colour'],
    [['serve', '--port', 'x'], '--port must be a whole number from 0 to 65535'],
    [['serve', '--config', '/nowhere.json'], 'cannot read the configuration file /nowhere.json'],
    [['keys'], 'keys takes one of'],
    [['keys', 'rotate', '--purpose', 'x', 'sqlite::memory:'], 'core-static; received "x"'],
    [['sessions', 'list'], 'sessions takes one of'],
    [['doctor', '--page', 'https://app.example.com'], 'doctor takes one of'],
    [['doctor', 'ftp://x'], 'must be an http or https URL'],
  ])('%j', async (args, words) => {
    const { code, error } = await keyturn(...args)
    expect([code, error]).toEqual([2, expect.stringContaining(words)])
  })

  test.each(['serve', 'keys', 'sessions', 'doctor', 'migrate', 'cleanup'])('%s --help prints its help', async name => {
    const { code, out } = await keyturn(name, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`keyturn ${name}`)
  })
})

describe('doctor', () => {
  const jwt = (claims: object): string => `a.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c`
  const now = Date.UTC(2026, 0, 1)
  const valid = jwt({ iat: now / 1000, exp: now / 1000 + 100 })
  const look = (symptoms: Partial<Omit<Symptoms, 'request' | 'response' | 'url' | 'page'>> & {
    url?: string; page?: string; request?: Record<string, string>; response?: Record<string, string>
  }): string => diagnose({
    url: new URL(symptoms.url ?? 'https://api.example.com/me'),
    method: symptoms.method ?? 'GET',
    request: new Map(Object.entries(symptoms.request ?? { cookie: `sAccessToken=${valid}` })),
    response: symptoms.response === undefined ? null : new Map(Object.entries(symptoms.response)),
    page: symptoms.page === undefined ? null : new URL(symptoms.page),
    now,
  }).filter(({ kind }) => kind !== 'fine').map(({ kind, about, words }) => `${kind} ${about}: ${words}`).join('\n')

  test('finds nothing wrong with a valid request', () => {
    expect(look({})).toBe('')
    expect(look({ request: { authorization: `Bearer ${valid}` } })).toBe('')
    const both = `sAccessToken-3001=x; sAccessToken-3000=${valid}`
    expect(look({ url: 'http://localhost:3000/me', request: { cookie: both } }), 'L-14').toBe('')
  })

  test.each([
    ['no cookie', { request: {} }, 'wrong no access token: The request has neither a session cookie nor'],
    ['other cookies', { request: { cookie: 'a=b' } }, 'Domain or Path does not match'],
    ['http', { url: 'http://example.com/me', request: {} }, 'plain http'],
    ['another origin', { page: 'https://other.example', request: {} }, 'SameSite=None'],
    ['duplicate', { request: { cookie: `sAccessToken=${valid}; sAccessToken=${valid}` } },
      'the cookie sAccessToken 2 times'],
    ['expired', { request: { cookie: `sAccessToken=${jwt({ iat: 1, exp: now / 1000 - 5 })}` } }, 'expired 5 s ago'],
    ['from the future', { request: { cookie: `sAccessToken=${jwt({ iat: now / 1000 + 99, exp: now / 1000 + 999 })}` } },
      'wrong clock'],
    ['no JWT', { request: { cookie: 'sAccessToken=xyz' } }, 'It is not a JWT'],
    ['cross-site', { method: 'POST', request: { cookie: `sAccessToken=${valid}`, 'sec-fetch-site': 'cross-site' } },
      'another site'],
    ['proxy', { request: { cookie: `sAccessToken=${valid}`, host: 'internal:80' } }, 'there is a proxy between'],
    ['domain', { response: { 'set-cookie': 'sAccessToken=x; Domain=other.com; Secure' } },
      'does not belong to that domain'],
    ['secure', { url: 'http://example.com/', response: { 'set-cookie': 'sAccessToken=x; Secure' } },
      'is Secure, but the URL is http'],
    ['SameSite', { response: { 'set-cookie': 'sAccessToken=x; SameSite=None' } }, 'without Secure'],
    ['L-14: another port', {
      url: 'http://localhost:3000/me', request: { cookie: `sAccessToken-3001=${valid}` },
    }, 'has the cookie sAccessToken-3001, of an application whose origin has the port 3001'],
    ['CORS', { page: 'https://app.example.com', response: {} }, 'no Access-Control-Allow-Origin'],
    ['any origin', { page: 'https://app.example.com', response: { 'access-control-allow-origin': '*' } },
      'Allow-Origin: *'],
    ['server clock', { response: { date: new Date(now + 3_600_000).toUTCString() } }, '3600 s off'],
  ])('%s', (_, symptoms, words) => {
    expect(look(symptoms)).toContain(words)
  })

  test('reads a request from a file, and never prints a token', async () => {
    const file = join(folder, 'request.txt')
    const token = jwt({ iat: 1, exp: 2 })
    writeFileSync(file, `GET /me HTTP/1.1\r\nHost: api.example.com\r\nCookie: sAccessToken=${token}\r\n\r\n`)
    const { code, out } = await keyturn('doctor', '--request', file, '--origin', 'https://api.example.com')
    expect(code).toBe(1)
    expect(out).toContain('WRONG  access token: It expired')
    expect(out).not.toContain(token)
  })

  let server: ServeProcess | null = null
  afterEach(() => server?.end('SIGKILL'))
  test('says why there was no response', async () => {
    const { code, error } = await keyturn('doctor', 'http://127.0.0.1:1/me')
    expect([code, error]).toEqual([1, 'keyturn doctor: there was no response from http://127.0.0.1:1: bad port'])
  })

  test('sends a request to a URL', async () => {
    server = await serveProcess(mkdtempSync(join(folder, 'd')), ['--port', '0'])
    const { code, out } = await keyturn('doctor', `${server.url}/hello`, '--page', 'https://app.example.com', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out).findings).toContainEqual(expect.objectContaining({ kind: 'wrong', about: 'CORS' }))
  })
})
