// The published Python SDK of SuperTokens, unchanged, with Django and Django REST framework: a project's views
// behind Django's own server, driven with cookies.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startBusyCore } from '../support/busy-core.ts'
import type { BusyCore } from '../support/busy-core.ts'
import { HttpClient } from '../support/http-client.ts'
import type { Reply } from '../support/http-client.ts'
import { preparePython } from '../support/python.ts'
import { freePort } from '../support/servers/workspace.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const project = join(import.meta.dirname, 'django')
const python = await preparePython(join(project, 'requirements.txt'))

describe.skipIf(python === null)('Django', () => {
  let core: KeyturnServer
  let busyCore: BusyCore
  let django: ChildProcess
  let port: number
  let output = ''

  beforeAll(async () => {
    core = await startServer(
      { port: 0, apiKeys: [API_KEY], logLevel: 'silent', reuseInterval: 0 },
      { openStore: async () => createMemoryStore() },
    )
    busyCore = await startBusyCore(core.url)
    port = await freePort()
    django = spawn(python ?? '', ['-u', 'manage.py', 'runserver', '--noreload', '--skip-checks', `127.0.0.1:${port}`], {
      cwd: project,
      env: {
        ...process.env,
        // Two hosts, so that a request to the other one would be noticed.
        CORE_URL: `${busyCore.url};${busyCore.url}`,
        CORE_API_KEY: API_KEY,
        APP_ORIGIN: `http://localhost:${port}`,
        PYTHONDONTWRITEBYTECODE: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: unknown): void => {
        output += String(chunk)
        if (output.includes('Quit the server')) resolve()
      }
      django.stdout?.on('data', listen)
      django.stderr?.on('data', listen)
      django.on('exit', () => reject(new Error(`Django ended: ${output.slice(-2000)}`)))
    })
  })

  afterAll(async () => {
    django.removeAllListeners('exit')
    const ended = once(django, 'exit')
    django.kill('SIGKILL')
    await ended
    await busyCore.close()
    await core.close()
  })

  /** A browser on the project's pages. */
  class Page {
    readonly client = new HttpClient(port, `http://localhost:${port}`, Date.now)
    antiCsrf: string | undefined

    async send(method: string, path: string, body?: unknown): Promise<Reply> {
      const reply = await this.client.send(method, path, {
        body,
        headers: {
          'st-auth-mode': 'cookie', rid: 'session',
          ...this.antiCsrf === undefined ? {} : { 'anti-csrf': this.antiCsrf },
        },
      })
      this.antiCsrf = reply.headers['anti-csrf'] ?? this.antiCsrf
      return reply
    }

    async json(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
      const reply = await this.send(method, path, body)
      if (reply.status !== 200) {
        throw new Error(`${method} ${path}: ${reply.status} ${reply.body}\n${output.slice(-2000)}`)
      }
      return JSON.parse(reply.body)
    }
  }

  async function loggedIn(userId: string, more: object = {}): Promise<Page & { handle: string }> {
    const page = new Page()
    const { handle } = await page.json('POST', '/login', { user_id: userId, ...more })
    return Object.assign(page, { handle: String(handle) })
  }

  test('a view of Django REST framework reads user and payload', async () => {
    const page = await loggedIn('ada', { payload: { role: 'admin', none: null } })
    expect(await page.json('GET', '/me')).toMatchObject({
      user_id: 'ada', handle: page.handle, payload: { sub: 'ada', role: 'admin', none: null, tId: 'public' },
    })
    expect((await page.send('POST', '/me')).status).toBe(200)
    page.antiCsrf = undefined
    expect((await page.send('GET', '/me')).status).toBe(200)
    expect((await page.send('POST', '/me')).status).toBe(401)
    expect((await new Page().send('GET', '/me')).status).toBe(401)
  })

  test('a view of plain Django gets the session with CSRF protection, reads and updates its data', async () => {
    const page = await loggedIn('ada', { info: { notes: ['ü'] } })
    expect(await page.json('GET', '/notes')).toEqual({ notes: ['ü'] })
    expect(await page.json('PUT', '/notes', { notes: [1, 2] })).toEqual({ notes: [1, 2] })
    page.antiCsrf = 'wrong'
    expect((await page.send('GET', '/notes')).status).toBe(401)
  })

  test('the payload is updated, and the new access token is in the cookie', async () => {
    const page = await loggedIn('ada', { payload: { a: 1 } })
    expect(await page.json('PATCH', '/claims', { a: null, b: { c: [true] } })).toMatchObject({ b: { c: [true] } })
    const later = await page.json('GET', '/claims')
    expect(later).toMatchObject({ b: { c: [true] } })
    expect(later).not.toHaveProperty('a')
  })

  test('the session is refreshed by the SDK\'s own route', async () => {
    const page = await loggedIn('ada', { payload: { a: 1 } })
    const before = page.client.cookie('sRefreshToken')
    for (let round = 0; round < 3; round++) expect((await page.send('POST', '/auth/session/refresh')).status).toBe(200)
    expect(page.client.cookie('sRefreshToken')).not.toBe(before)
    const young = page.client.cookie('sAccessToken')
    expect((await page.json('POST', '/me'))['payload']).toMatchObject({ a: 1, parentRefreshTokenHash1: null })
    // The SDK sent the token to `verify` on its first use, and passed on the new one.
    const kept = page.client.cookie('sAccessToken')
    expect(kept).not.toBe(young)
    expect((await page.send('POST', '/me')).status).toBe(200)
    expect(page.client.cookie('sAccessToken')).toBe(kept)
  })

  test('ROT-15: on a 503, the SDK throws a general error, clears nothing, and refreshes later', async () => {
    const page = await loggedIn('busy')
    const [jar, { antiCsrf }] = [page.client.jar, page]
    const before = busyCore.refreshes()
    busyCore.tellBusy(1)
    const failed = await page.send('POST', '/auth/session/refresh')
    expect(failed.status).toBe(500)
    expect(failed.setCookies).toEqual([])
    expect(['front-token', 'anti-csrf', 'retry-after'].filter(name => name in failed.headers)).toEqual([])
    expect([page.client.jar, page.antiCsrf]).toEqual([jar, antiCsrf])
    // It sends no request to the other host, and does not repeat this one.
    expect(busyCore.refreshes()).toBe(before + 1)

    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(200)
    expect((await page.send('POST', '/me')).status).toBe(200)
    expect(busyCore.refreshes()).toBe(before + 2)
  })

  test('a copied refresh token revokes the session', async () => {
    const page = await loggedIn('victim')
    const thief = new Page()
    thief.client.jar = page.client.jar
    thief.antiCsrf = page.antiCsrf
    await page.send('POST', '/auth/session/refresh')
    await page.send('POST', '/auth/session/refresh')
    const stolen = await thief.send('POST', '/auth/session/refresh')
    expect([stolen.status, JSON.parse(stolen.body)]).toEqual([401, { message: 'token theft detected' }])
    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(401)
  })

  test('the session is revoked, its cookies are cleared, and the old cookies are refused', async () => {
    const page = await loggedIn('ada')
    const kept = page.client.jar
    expect((await page.send('POST', '/logout')).status).toBe(200)
    expect(page.client.cookie('sAccessToken')).toBeUndefined()
    page.client.jar = kept
    expect((await page.send('POST', '/logout')).status).toBe(401)
    page.client.jar = kept
    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(401)
  })

  test('an administrator finds, marks and revokes the sessions of a user', async () => {
    const [one, two] = [await loggedIn('grace'), await loggedIn('grace')]
    const { sessions } = await one.json('GET', '/handles/grace')
    expect(sessions).toHaveLength(2)
    expect(sessions).toContainEqual({ handle: one.handle, user_id: 'grace', tenant_id: 'public', info: { seen: true } })
    const { revoked } = await one.json('DELETE', '/handles/grace')
    expect(new Set(revoked as string[])).toEqual(new Set([one.handle, two.handle]))
    expect((await two.send('POST', '/auth/session/refresh')).status).toBe(401)
  })
})
