import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { growth, LINEAR } from '../support/growth.ts'
import { R } from '../support/lose-answers.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const running: CoreServer[] = []

async function start(...args: Parameters<typeof startCoreServer>): Promise<CoreServer> {
  const core = await startCoreServer(...args)
  running.push(core)
  return core
}

afterEach(async () => {
  for (const core of running.splice(0)) await core.server.close()
})

/** Sends bytes unchanged, and reads until the server closes the connection. */
async function raw(core: CoreServer, bytes: string, options: { end?: boolean } = {}): Promise<string> {
  const { port } = new URL(core.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(bytes)
  if (options.end !== false) socket.end()
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
  return answer
}

const paths = [
  '/recipe/session', '/recipe/session/verify', '/recipe/session/refresh', '/recipe/session/regenerate',
  '/recipe/session/remove', '/recipe/session/user', '/recipe/session/data', '/recipe/jwt/data', '/recipe/jwt',
  '/user/id',
]

describe('API keys', () => {
  test('ADM-02: without the key, every path, tenant and version is refused', async () => {
    const core = await start({ apiKeys: [API_KEY, 'another-key-of-twenty-letters'] })
    for (const prefix of ['', '/public', '/nope', '/appid-nope', '/appid-nope/t1']) {
      for (const version of [null, '5.4', '2.7', 'banana']) {
        for (const path of paths) {
          const answer = await core.call(`${prefix}${path}`, { version })
          expect([answer.status, answer.text]).toEqual([401, 'Invalid API key\n'])
        }
      }
    }
    expect((await core.call('/apiversion')).status).toBe(401)
    expect((await core.call('/metrics')).status).toBe(401)
    expect((await core.call('/.well-known/jwks.json')).status).toBe(200)
    expect((await core.call('/hello')).status).toBe(200)
  })

  test('HDR-03: a 401 names the scheme Bearer, for which no browser shows a login dialog', async () => {
    const core = await start({ apiKeys: [API_KEY] })
    for (const path of ['/recipe/session', '/v1/keys', '/metrics']) {
      const { status, headers } = await core.call(path)
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="keyturn"'])
    }
  })

  test.each([
    ['api-key', API_KEY, 200], ['authorization', API_KEY, 200], ['authorization', `Bearer ${API_KEY}`, 200],
    ['api-key', 'another-key-of-twenty-letters', 200],
    ['api-key', `${API_KEY}x`, 401], ['api-key', API_KEY.slice(1), 401], ['api-key', '', 401],
    ['authorization', `Basic ${API_KEY}`, 401],
  ])('are sent as %s: %s', async (name, value, status) => {
    const core = await start({ apiKeys: [API_KEY, 'another-key-of-twenty-letters'] })
    expect((await core.call('/apiversion', { headers: { [name]: value } })).status).toBe(status)
  })

  test('ADM-03: no spelling of a path bypasses the key', async () => {
    const core = await start({ apiKeys: [API_KEY] })
    const spellings = [
      '//recipe/session/user?userId=a', '/./recipe/session/user?userId=a', '/hello/../recipe/session/user?userId=a',
      '/hello;/recipe/session/user?userId=a', '/%72ecipe/session/user?userId=a', '/recipe%2fsession%2fuser?userId=a',
      '/RECIPE/SESSION/USER?userId=a', '/recipe/session/user/?userId=a', '/recipe\\session\\user?userId=a',
      '/.well-known/jwks.json/../../recipe/session/user?userId=a', '/hello?/recipe/session/user?userId=a',
      '/hello#/recipe/session/user?userId=a', '/public/public/recipe/session/user?userId=a',
      `http://127.0.0.1/recipe/session/user?userId=a`, '*',
    ]
    for (const target of spellings) {
      const answer = await raw(core, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      expect(answer).not.toContain('sessionHandles')
      expect(answer).toMatch(/^HTTP\/1\.1 (40[014]|200)/)
    }
  })
})

describe('limits', () => {
  test('DOS-03: long bodies, deep nesting and other shapes are refused', async () => {
    const core = await start({ maxBodyBytes: 2048 })
    const long = await core.call('/recipe/session', { method: 'POST', body: `{"a":"${'x'.repeat(3000)}"}` })
    expect(long.status).toBe(413)
    const deep = `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`
    expect((await core.call('/recipe/session', { method: 'POST', body: deep })).status).toBe(400)
    for (const body of [{ refreshToken: { $gt: '' } }, { refreshToken: ['a'] }, { refreshToken: 1 }]) {
      expect((await core.call('/recipe/session/refresh', { body })).status).toBe(400)
    }
    const chunked = await raw(core,
      'POST /recipe/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
        + `fff\r\n${'x'.repeat(0xfff)}\r\n`, { end: false })
    expect(chunked).toMatch(/^HTTP\/1\.1 413/)
  })

  test('DOS-03, DOS-09: a client that sends slowly gets 408', async () => {
    const core = await start({}, createMemoryStore(), { headersTimeout: 200, requestTimeout: 300 })
    expect(await raw(core, 'GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ', { end: false })).toMatch(/^HTTP\/1\.1 408/)
    const body = 'POST /recipe/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"userId":'
    expect(await raw(core, body, { end: false })).toMatch(/^HTTP\/1\.1 408/)
  })

  test.each([
    ['TE and CL together',
      'POST /recipe/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths',
      'POST /recipe/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}..'],
    ['an unknown method', 'CONQUER / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['TRACE', 'TRACE /recipe/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['large headers', `GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
  ])('DOS-09: %s', async (_, bytes) => {
    expect(await raw(await start(), bytes)).toMatch(/^HTTP\/1\.1 4(00|05|31)/)
  })

  test('DOS-01, DOS-02: very long tokens are refused, in time linear in their length', async () => {
    const core = await start()
    const textsOf = (length: number): string[] => ['x', '.', 'a.'].map(piece => piece.repeat(length / piece.length))
    expect(await growth(12_500, textsOf, async texts => {
      for (const text of texts) {
        const fields = { accessToken: text, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true }
        expect((await core.call('/recipe/session/verify', { body: fields })).json.status).toBe('TRY_REFRESH_TOKEN')
        expect((await core.refresh(text)).status).toBe('UNAUTHORISED')
      }
    })).toBeLessThan(LINEAR)
  })

  test('DOS-07: random inputs on every path give no 5xx, and the server keeps running', async () => {
    const core = await start({ logLevel: 'silent' })
    const value = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.double(),
      fc.constant(null),
      fc.array(fc.string()),
      fc.object(),
    )
    const names = ['userId', 'userDataInJWT', 'userDataInDatabase', 'enableAntiCsrf', 'refreshToken', 'accessToken',
      'sessionHandle', 'sessionHandles', 'payload', 'validity', 'algorithm', 'jwksDomain', 'useDynamicSigningKey']
    const body = fc.oneof(fc.string(), fc.dictionary(fc.constantFrom(...names), value))
    const version = fc.constantFrom('2.21', '3.1', '5.4', '5.6')
    await fc.assert(fc.asyncProperty(fc.constantFrom(...paths), fc.constantFrom('POST', 'PUT'), body, version,
      async (path, method, sent, cdi) => {
        expect((await core.call(path, { method, body: sent, version: cdi })).status).toBeLessThan(500)
      }), { numRuns: 300 })
    await fc.assert(fc.asyncProperty(fc.constantFrom(...paths), fc.webQueryParameters(), async (path, query) => {
      expect((await core.call(`${path}?${query}`)).status).toBeLessThan(500)
      expect(
        (await core.call(`${path}?userId=${encodeURIComponent(query)}&sessionHandle=${encodeURIComponent(query)}`))
          .status,
      )
        .toBeLessThan(500)
    }), { numRuns: 100 })
    expect((await core.call('/hello')).status).toBe(200)
  })
})

describe('answers', () => {
  test('HDR-01, HDR-05: responses are not cached, and browsers do not guess their type', async () => {
    const core = await start()
    const { accessToken, refreshToken } = await core.create()
    for (const answer of [
      await core.call('/hello'), await core.call('/nope'), await core.call('/recipe/session'),
      await core.call('/recipe/session/refresh', { body: { refreshToken: refreshToken.token, enableAntiCsrf: false } }),
      await core.call('/recipe/session/regenerate', { body: { accessToken: accessToken.token } }),
    ]) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('x-powered-by')).toBeNull()
      expect(answer.headers.get('server')).toBeNull()
    }
  })

  test('HDR-04: errors are words of our own: no stack, no path, no input', async () => {
    const inner = createMemoryStore()
    const broken = new Proxy(inner, {
      get: (target, name) => name === 'find' || name === 'insert'
        ? async (): Promise<never> => {
          throw new Error('connect ECONNREFUSED /home/app/db.ts postgres://ada:hunter2@db')
        }
        : Reflect.get(target, name) as unknown,
    })
    const core = await start({}, broken)
    const answer = await core.call('/recipe/session?sessionHandle=h0123456789012345678901')
    expect([answer.status, answer.text])
      .toEqual([200, '{"status":"UNAUTHORISED","message":"Session does not exist."}\n'])
    const failed = await core.call('/recipe/session', {
      body: { userId: '<script>', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false },
    })
    expect([failed.status, failed.text]).toEqual([503, 'The store does not answer: repeat the request later\n'])
    expect(core.log.join('')).toContain('the session store failed to add a session')
    expect(core.log.join('')).not.toContain('hunter2')
    for (const path of ['/<script>', '/recipe/session?<script>=1', '/recipe/session/user?x=<script>']) {
      expect((await core.call(path, { version: '<script>' })).text).not.toContain('script')
    }
  })
})

describe('the log', () => {
  test('LOG-01: never contains a token, a key or a handle', async () => {
    const core = await start({ apiKeys: [API_KEY], secrets: ['the secret of the application, long'] })
    const options = { headers: { 'api-key': API_KEY } }
    const first = await core.create({ enableAntiCsrf: true }, options)
    const { antiCsrfToken } = first
    const second = await core.refresh(first.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken }, options)
    core.clock.advance(2 * R + 1)
    const third = await core.refresh(second.refreshToken.token, {}, options)
    await core.refresh(first.refreshToken.token, {}, options)
    await core.call('/recipe/session/verify', { body: { accessToken: first.accessToken.token } })
    await core.server.close()
    const log = core.log.join('')
    expect(log).toContain('session created')
    expect(log).toContain('used by two parties')
    const secrets = [first, second, third].flatMap(pair => [pair.accessToken.token, pair.refreshToken.token])
    for (const secret of [...secrets, antiCsrfToken, API_KEY, 'the secret of', first.session.handle]) {
      expect(log).not.toContain(secret)
      for (const part of secret.split('.').filter(text => text.length > 20)) expect(log).not.toContain(part)
    }
  })

  test('LOG-02: has one JSON object per line, without characters that terminals interpret', async () => {
    const core = await start()
    const userId = 'a\r\n{"level":"info"}\u001b[31m\u2028\u202e\u0085'.slice(0, 128)
    await core.create({ userId })
    await new Promise(resolve => setImmediate(resolve))
    const line = core.log.find(each => each.includes('session created')) ?? ''
    expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/)
    expect(JSON.parse(line)).toMatchObject({ level: 30, msg: 'session created', user: userId })
    for (const each of core.log) expect(JSON.parse(each)).toMatchObject({ time: core.clock() })
  })

  test('LOG-04: counts many refused requests in few lines', async () => {
    const core = await start({ apiKeys: [API_KEY] })
    const before = core.log.length
    for (let index = 0; index < 300; index++) await core.call('/recipe/session/user?userId=a')
    await core.server.close()
    const refusals = core.log.slice(before).filter(line => line.includes('requests refused'))
    const summaries = refusals.map((line): { count: number } => JSON.parse(line))
    for (const line of summaries) expect(line).toMatchObject({ status: 401, from: '127.0.0.1' })
    expect(summaries.reduce((sum, { count }) => sum + count, 0)).toBe(300)
    // One line per 10 seconds, and a test takes at most 180 seconds.
    expect(summaries.length).toBeLessThan(20)
  })
})

describe('operation', () => {
  test('metrics count sessions and requests', async () => {
    const core = await start()
    const { refreshToken } = await core.create()
    await core.refresh(refreshToken.token)
    const { text, headers } = await core.call('/metrics')
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toContain('keyturn_sessions_created_total 1')
    expect(text).toContain('keyturn_sessions_refreshed_total{how="rotate"} 1')
    expect(text).toMatch(/keyturn_http_requests_total\{status="200"\} \d+/)
    expect(text).toMatch(/keyturn_http_request_duration_seconds_bucket\{le="\+Inf"\} \d+/)
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/)
    }
  })

  test('is live at once, and ready while the store answers', async () => {
    const inner = createMemoryStore()
    let isDown = false
    const store: SessionStore = {
      ...inner,
      find: handle => isDown ? Promise.reject(new Error('down')) : inner.find(handle),
    }
    const core = await start({}, store)
    expect((await core.call('/health/ready')).text).toBe('ready\n')
    isDown = true
    expect((await core.call('/health/ready')).status).toBe(503)
    expect((await core.call('/health/live')).status).toBe(200)
  })

  test('close answers the requests in progress and takes no new connections', async () => {
    const inner = createMemoryStore()
    let release = (): void => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let begun = (): void => undefined
    const inStore = new Promise<void>(resolve => {
      begun = resolve
    })
    const store: SessionStore = {
      ...inner,
      async insert(record) {
        begun()
        await held
        return inner.insert(record)
      },
    }
    const core = await startCoreServer({}, store)
    const inProgress = core.create()
    await inStore
    const closed = core.server.close()
    await expect(core.call('/hello')).rejects.toThrow()
    release()
    expect((await inProgress).status).toBe('OK')
    await closed
    expect(core.log.at(-1)).toContain('closed')
  })
})
