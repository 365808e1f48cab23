// What every response must have or must not have: HSTS, redirects, tokens, files. And which requests are refused.
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

const API_KEY = 'a-key-that-no-one-guesses'
let core: CoreServer
afterEach(() => core.server.close())

const paths = ['/hello', '/recipe/session', '/v1/keys', '/v1/openapi.json', '/health/live', '/metrics', '/nothing',
  '/.well-known/jwks.json', '/apiversion']

describe('HDR-07: HSTS', () => {
  test('is in every response, streams too, if clients reach the server by https', async () => {
    core = await startCoreServer({ publicOrigin: 'https://sessions.example.com', apiKeys: [API_KEY] })
    for (const path of paths) {
      expect((await core.call(path)).headers.get('strict-transport-security')).toBe('max-age=31536000')
    }
    const stream = await fetch(`${core.url}/v1/revocations`, { headers: { 'api-key': API_KEY } })
    expect(stream.headers.get('strict-transport-security')).toBe('max-age=31536000')
    await stream.body?.cancel()
  })

  test.each([null, 'http://sessions.example.com'])('is not in a response if clients use http: %s',
    async publicOrigin => {
      core = await startCoreServer({ publicOrigin, apiKeys: [API_KEY] })
      expect((await core.call('/hello')).headers.has('strict-transport-security')).toBe(false)
  })

  test('no response is a redirect, to https or elsewhere', async () => {
    core = await startCoreServer({ publicOrigin: 'https://sessions.example.com', apiKeys: [API_KEY] })
    const baits = ['/hello?next=//evil.example', '//evil.example', '/recipe/session?rid=//evil.example']
    for (const path of [...paths, ...baits]) {
      const answer = await fetch(`${core.url}${path}`, {
        redirect: 'manual', headers: { 'x-forwarded-proto': 'http', 'api-key': API_KEY },
      })
      await answer.body?.cancel()
      expect(answer.status < 300 || answer.status >= 400).toBe(true)
      expect(answer.headers.has('location')).toBe(false)
    }
  })
})

test('HDR-06: tokens are only in response bodies, and no error repeats one', async () => {
  core = await startCoreServer()
  const { accessToken, refreshToken, session } = await core.create()
  const secrets = [accessToken.token, refreshToken.token]
  const checks = { doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false, useDynamicSigningKey: true }
  for (const [path, body] of [
    ['/recipe/session/verify', { accessToken: accessToken.token, ...checks }],
    ['/recipe/session/regenerate', { accessToken: accessToken.token }],
    ['/recipe/session/refresh', { refreshToken: refreshToken.token, ...checks }],
    ['/recipe/session/refresh', { refreshToken: `${refreshToken.token}x`, ...checks }],
    [`/recipe/session/refresh?refreshToken=${refreshToken.token}`, {}],
    [`/${accessToken.token}`, {}],
  ] as const) {
    const { headers, status, text } = await core.call(path, { body })
    for (const secret of secrets) expect(JSON.stringify([...headers])).not.toContain(secret)
    if (status >= 400) for (const secret of secrets) expect(text).not.toContain(secret)
  }
  for (const path of [`/recipe/session?sessionHandle=${session.handle}`, '/recipe/session/user?userId=alice']) {
    for (const secret of secrets) expect((await core.call(path)).text).not.toContain(secret)
  }
})

describe('ADM-07: a server without API keys serves only programs on its machine', () => {
  const pages: readonly Readonly<Record<string, string>>[] = [
    { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    { 'sec-fetch-site': 'none', origin: 'null' },
  ]

  test('requests of web pages get 403 and change nothing', async () => {
    core = await startCoreServer()
    for (const headers of pages) {
      for (const path of [...paths, '/recipe/session/user?userId=alice', '/v1/sessions?userId=alice']) {
        expect((await core.call(path, { headers })).status).toBe(403)
      }
      const { status } = await core.call('/recipe/session/remove', { body: { userId: 'alice' }, headers })
      expect(status).toBe(403)
    }
    expect((await core.call('/hello', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200)
  })

  test.each([
    ['localhost', 200], ['127.0.0.1:3567', 200], ['[::1]:3567', 200], ['keyturn.localhost', 200],
    ['evil.example', 403], ['127.0.0.1.evil.example', 403], ['sessions.example.com', 403], ['127.999.0.1', 403],
    ['', 403],
  ])('a host name that is not local gets 403: %s', async (host, status) => {
    core = await startCoreServer({ publicOrigin: 'http://localhost:8080' })
    expect(await statusOf(host)).toBe(status)
  })

  test('with API keys, only the key is checked', async () => {
    core = await startCoreServer({ apiKeys: [API_KEY] })
    const headers = { origin: 'https://a.example', 'api-key': API_KEY }
    expect((await core.call('/apiversion', { headers })).status).toBe(200)
    expect(await statusOf('keyturn.internal')).toBe(200)
  })

  /** The status of `/hello` for a `Host` that `fetch` would not send. */
  async function statusOf(host: string): Promise<number> {
    const socket = connect(Number(new URL(core.url).port), '127.0.0.1')
    socket.end(`GET /hello HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
    return Number(answer.split(' ')[1])
  }
})

test('ADM-08: no files are served', async () => {
  core = await startCoreServer()
  for (const path of [
    '/.git/config', '/.env', '/keyturn.db', '/index.html', '/dashboard', '/dist/main.js.map',
    '/..%2f..%2fetc%2fpasswd', '/v1/..%2f..%2fetc%2fpasswd', '/v1/sessions/..%2f..%2fetc%2fpasswd',
  ]) {
    expect((await core.call(path)).status).toBe(404)
  }
})

test('ADM-01: startServer also refuses a server that other machines can reach without an API key', async () => {
  core = await startCoreServer()
  for (const opening of [{ host: '0.0.0.0' }, { publicOrigin: 'https://sessions.example.com' }]) {
    await expect(startServer({ ...opening, port: 0 })).rejects.toThrow('--api-key is needed')
  }
})
