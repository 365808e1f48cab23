import { createServer } from 'node:http'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import type { ExpressSessions } from '../../src/frameworks/express.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../src/index.ts'
import {
  assertSessionUntouched, assertSignedIn, assertSignedOut, clientOf, inMemory, refreshAs, sessionChangeOf, signIn,
} from '../../src/testing/index.ts'
import { listen } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'

interface Claims {
  role?: string
}
type Info = { note?: string }

let running: RunningApp

afterEach(() => running.close())

/** An application as a user of the package writes it. */
async function startApp(options: Partial<CreateSessionsOptions<Claims, Info>> = {}): Promise<{
  readonly sessions: Sessions<Claims, Info> & ExpressSessions<Claims, Info>
  readonly clock: ReturnType<typeof inMemory>['clock']
  send(method: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
}> {
  const memory = inMemory()
  const sessions = expressSessions(createSessions<Claims, Info>({ origin: 'http://localhost', ...memory, ...options }))
  const app = express()
  app.use(sessions.sessionRoutes())
  app.post('/login', async (request, response) => {
    await sessions.createNewSession(request, response, 'alice')
    response.json({})
  })
  app.all('/me', sessions.requireSession(), async (request, response) => {
    const session = sessions.sessionOf(request)
    const { role } = session.getJwtPayload()
    response.json({ userId: session.getUserId(), role, info: await session.getSessionInfo() })
  })
  app.use(sessions.errorHandler())
  running = await listen(createServer(app))
  return {
    sessions,
    clock: memory.clock,
    send: (method, path, headers = {}) => fetch(`http://127.0.0.1:${running.port}${path}`, { method, headers }),
  }
}

describe('signIn', () => {
  test.each(['cookie', 'header'] as const)('in %s mode returns the headers of a signed-in client', async mode => {
    const { sessions, send } = await startApp()
    const alice = await signIn(sessions, 'alice', { mode, payload: { role: 'admin' }, info: { note: 'n' } })
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await send(method, '/me', alice.headers)
      expect(await response.json()).toEqual({ userId: 'alice', role: 'admin', info: { note: 'n' } })
      assertSessionUntouched(response)
    }
    expect(await sessions.getAllSessionHandlesForUser('alice')).toEqual([alice.handle])
    const refreshed = await send('POST', '/auth/session/refresh', alice.refreshHeaders)
    assertSignedIn(refreshed, 'alice')
    assertSignedOut(await send('POST', '/auth/signout', alice.headers))
    expect((await send('GET', '/me', alice.headers)).status).toBe(401)
  })

  test.each(['custom-header', 'token'] as const)('passes the anti-CSRF check %s', async antiCsrf => {
    const { sessions, send } = await startApp({ antiCsrf })
    const alice = await signIn(sessions, 'alice')
    expect((await send('POST', '/me', alice.headers)).status).toBe(200)
    expect((await send('POST', '/auth/session/refresh', alice.refreshHeaders)).status).toBe(200)
  })

  test('returns the refresh token whatever its path is', async () => {
    const { sessions, send } = await startApp({ cookie: { refreshTokenPath: '/' } })
    const alice = await signIn(sessions, 'alice')
    assertSignedIn(await send('POST', '/auth/session/refresh', alice.refreshHeaders), 'alice')
  })

  test('the clock lets its token expire', async () => {
    const { sessions, clock, send } = await startApp()
    const alice = await signIn(sessions, 'alice')
    clock.advance(3_600_000)
    expect((await send('GET', '/me', alice.headers)).status).toBe(401)
  })
})

describe('refreshAs', () => {
  test.each(['cookie', 'header'] as const)('refreshes the session in %s mode, and leaves the old tokens alone', async mode => {
    const { sessions, clock, send } = await startApp()
    const alice = await signIn(sessions, 'alice', { mode })
    clock.advance(3_600_000)
    const refreshed = await refreshAs(sessions, alice)
    expect([refreshed.handle, refreshed.refreshToken === alice.refreshToken]).toEqual([alice.handle, false])
    expect((await send('GET', '/me', alice.headers)).status).toBe(401)
    expect((await send('GET', '/me', refreshed.headers)).status).toBe(200)
  })

  test('rejects if the session has ended', async () => {
    const { sessions } = await startApp()
    const alice = await signIn(sessions, 'alice')
    await sessions.revokeAllSessionsForUser('alice')
    await expect(refreshAs(sessions, alice)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})

describe('clientOf', () => {
  test.each(['cookie', 'header'] as const)('goes on with the tokens of a login in %s mode', async mode => {
    const { sessions, send } = await startApp()
    const client = clientOf(sessions, await send('POST', '/login', { origin: 'http://localhost', 'st-auth-mode': mode }))
    expect((await send('GET', '/me', client.headers)).status).toBe(200)
    expect((await refreshAs(sessions, client)).handle).toBe(client.handle)
  })

  test('says that a response brings no session', async () => {
    const { sessions, send } = await startApp()
    const refused = await send('GET', '/me')
    expect(() => clientOf(sessions, refused)).toThrow('the response brings a session')
  })
})

describe('assertions', () => {
  test('describe what a response does, and fail with a sentence', async () => {
    const { send } = await startApp()
    const login = await send('POST', '/login', { origin: 'http://localhost' })
    assertSignedIn(login, 'alice')
    expect(sessionChangeOf(login)).toMatchObject({ kind: 'issued', userId: 'alice', hasRefreshToken: true })
    expect(() => assertSignedIn(login, 'bob')).toThrow('the session belongs to the user: expected "bob", got "alice"')
    expect(() => assertSignedOut(login)).toThrow('the response ends the session')
    expect(() => assertSessionUntouched(login)).toThrow('the response leaves the session alone')
    const refused = await send('GET', '/me')
    expect(() => assertSignedIn(refused, 'alice')).toThrow('the response brings a session')
  })

  test('read the headers of any client', async () => {
    const { send } = await startApp()
    const { headers } = await send('POST', '/login', { origin: 'http://localhost' })
    const plain = { ...Object.fromEntries(headers), 'set-cookie': headers.getSetCookie(), 'content-length': 2 }
    expect(sessionChangeOf({ headers: plain })).toEqual(sessionChangeOf({ headers }))
    expect(sessionChangeOf({ headers: {} })).toEqual({ kind: 'untouched' })
  })
})
