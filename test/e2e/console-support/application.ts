import { createServer } from 'node:http'
import express from 'express'
import type { Scheduler } from '../../../src/base/scheduler.ts'
import { expressSessions } from '../../../src/frameworks/express.ts'
import { createSessions } from '../../../src/index.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { createFakeClock } from '../../../src/testing/fake-clock.ts'
import type { FakeClock } from '../../../src/testing/fake-clock.ts'
import { freePort } from '../../support/servers/workspace.ts'

/** An application with a console, which knows its operators by a cookie. */
export interface ConsoleApplication {
  readonly origin: string
  /** The address of the console. */
  readonly url: string
  readonly clock: FakeClock
  /** A login of a user, whose tokens are the result. */
  logIn(userId: string, userAgent: string): Promise<Tokens>
  /** A refresh with this token; the tokens, or null if it was refused. */
  refresh(refreshToken: string, userAgent: string): Promise<Tokens | null>
  /** The status of a request with this access token. */
  call(accessToken: string): Promise<number>
  close(): Promise<void>
}

/** The tokens of a session, as headers transfer them. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/** The cookie of an operator. */
export const OPERATOR = 'operator'

/** How the application is set up. */
export interface ConsoleSettings {
  /** The path of the console. Default: `/console`. */
  readonly path?: string
  /** When its clock starts. Default: now. */
  readonly start?: number
  /** Runs its background work. Default: the timers of Node. */
  readonly schedule?: Scheduler
}

/** Starts it on Express. Its clock stands still until the test moves it. */
export async function startConsoleApplication(
  store: SessionStore, { path = '/console', start = Date.now(), schedule }: ConsoleSettings = {},
): Promise<ConsoleApplication> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const clock = createFakeClock(start)
  const sessions = expressSessions(createSessions({
    origin, store, clock, secret: 'the secret of the tests of the console', reuseInterval: '1s',
    ...schedule === undefined ? {} : { schedule },
  }))
  const app = express()
  app.use(sessions.console({
    path,
    authorize: ({ headers: { cookie = '' } }) => {
      const [, role, name = ''] = new RegExp(`\\b${OPERATOR}=(read|manage)-([^;]+)`).exec(cookie) ?? []
      return role === 'read' || role === 'manage' ? { role, name: decodeURIComponent(name) } : null
    },
  }))
  app.use(sessions.sessionRoutes())
  app.post('/login/:userId', async (request, response) => {
    await sessions.createNewSession(request, response, request.params.userId, {}, { cart: [] })
    response.end()
  })
  app.get('/me', sessions.requireSession(), (_, response) => void response.end())
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const send = async (method: string, route: string, headers: Readonly<Record<string, string>>): Promise<Response> => (
    fetch(`http://127.0.0.1:${port}${route}`, { method, headers })
  )
  return {
    origin,
    url: `${origin}${path}/`,
    clock,
    async logIn(userId, userAgent) {
      const response = await send('POST', `/login/${encodeURIComponent(userId)}`, {
        'user-agent': userAgent, 'st-auth-mode': 'header',
      })
      const tokens = tokensOf(response)
      if (tokens === null) throw new Error(`the login was answered with ${response.status}`)
      return tokens
    },
    refresh: async (refreshToken, userAgent) => tokensOf(await send('POST', '/auth/session/refresh', {
      'user-agent': userAgent, authorization: `Bearer ${refreshToken}`, 'st-auth-mode': 'header',
    })),
    call: async accessToken => (await send('GET', '/me', { authorization: `Bearer ${accessToken}` })).status,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await sessions.close()
    },
  }
}

function tokensOf({ headers }: Response): Tokens | null {
  const [accessToken, refreshToken] = [headers.get('st-access-token'), headers.get('st-refresh-token')]
  // Empty: the client shall forget its tokens.
  return accessToken === null || refreshToken === null || refreshToken === '' ? null : { accessToken, refreshToken }
}
