// The published Go SDK of SuperTokens, unchanged, with net/http. It announces CDI 3.1 and gets older tokens.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { buildGo, go, goFolder } from '../support/go.ts'
import { HttpClient } from '../support/http-client.ts'
import type { Reply } from '../support/http-client.ts'
import { present } from '../support/present.ts'

const API_KEY = 'a-key-that-no-one-guesses'

// `npm test` does not install a Go toolchain. If there is none, it says so before this step.
if (go === null) test('this machine has no Go toolchain: the Go SDK is not tested', () => expect(go).toBeNull())
else {
  describe('net/http', () => {
    let core: KeyturnServer
    let app: ChildProcess
    let port: number

    beforeAll(async () => {
      const program = join(goFolder, 'app')
      await buildGo(join(import.meta.dirname, 'go'), program)
      core = await startServer(
        { port: 0, apiKeys: [API_KEY], logLevel: 'silent', reuseInterval: 0 },
        { openStore: async () => createMemoryStore() },
      )
      app = spawn(program, [], {
        env: { ...process.env, CORE_URL: core.url, CORE_API_KEY: API_KEY }, stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line]: unknown[] = await once(present(app.stdout), 'data')
      port = Number(/:(\d+)/.exec(String(line).split('//')[1] ?? '')?.[1])
    })

    afterAll(async () => {
      const ended = once(app, 'exit')
      app.kill('SIGKILL')
      await ended
      await core.close()
    })

    class Page {
      readonly client = new HttpClient(port, `http://localhost:${port}`, Date.now)
      antiCsrf: string | undefined

      async send(method: string, path: string, body?: unknown): Promise<Reply> {
        const antiCsrf = this.antiCsrf === undefined ? {} : { 'anti-csrf': this.antiCsrf }
        const reply = await this.client.send(method, path, {
          body, headers: { 'st-auth-mode': 'cookie', rid: 'session', ...antiCsrf },
        })
        this.antiCsrf = reply.headers['anti-csrf'] ?? this.antiCsrf
        return reply
      }
    }

    async function loggedIn(userId: string): Promise<Page> {
      const page = new Page()
      const reply = await page.send('POST', '/login', { userId, payload: { role: 'x' }, data: { a: 1 } })
      expect(reply.status).toBe(200)
      return page
    }

    test('a session is created, read, updated, refreshed and revoked', async () => {
      const page = await loggedIn('ada')
      const me = await page.send('GET', '/me')
      expect(JSON.parse(me.body)).toMatchObject({
        userId: 'ada', tenantId: 'public', payload: { role: 'x', tId: 'public', parentRefreshTokenHash1: null },
        data: { a: 1 },
      })
      expect(JSON.parse((await page.send('POST', '/update', { b: [2], role: null })).body)).toMatchObject({ b: [2] })
      for (let round = 0; round < 3; round++) {
        expect((await page.send('POST', '/auth/session/refresh')).status).toBe(200)
      }
      const young = page.client.cookie('sAccessToken')
      const later = JSON.parse((await page.send('GET', '/me')).body) as { payload: object; data: object }
      // The SDK sent the token to `verify` on its first use, and passed on the new one.
      expect(page.client.cookie('sAccessToken')).not.toBe(young)
      expect(later).toMatchObject({ payload: { b: [2], parentRefreshTokenHash1: null }, data: { b: [2], role: null } })
      expect(later.payload).not.toHaveProperty('role')
      const kept = page.client.jar
      expect((await page.send('POST', '/logout')).status).toBe(200)
      expect(page.client.cookie('sAccessToken')).toBeUndefined()
      page.client.jar = kept
      expect((await page.send('POST', '/logout')).status).toBe(401)
    })

    test('an unsafe request needs the anti-CSRF token', async () => {
      const page = await loggedIn('ada')
      expect((await page.send('POST', '/me')).status).toBe(200)
      page.antiCsrf = undefined
      expect((await page.send('POST', '/me')).status).toBe(401)
    })

    test('a copied refresh token ends the session', async () => {
      const page = await loggedIn('victim')
      const thief = new Page()
      thief.client.jar = page.client.jar
      thief.antiCsrf = page.antiCsrf
      await page.send('POST', '/auth/session/refresh')
      await page.send('POST', '/auth/session/refresh')
      const stolen = await thief.send('POST', '/auth/session/refresh')
      expect([stolen.status, stolen.body]).toEqual([401, expect.stringContaining('token theft detected')])
      expect((await page.send('POST', '/auth/session/refresh')).status).toBe(401)
    })

    test('an administrator finds and revokes the sessions of a user', async () => {
      await loggedIn('grace')
      await loggedIn('grace')
      const found = JSON.parse((await new Page().send('GET',
        '/admin?user=grace')).body) as { handles: string[]; revoked: string[] }
      expect(found).toMatchObject({ userId: 'grace', tenantId: 'public' })
      expect(found.revoked.toSorted()).toEqual(found.handles.toSorted())
      expect(found.revoked).toHaveLength(2)
    })
  })
}
