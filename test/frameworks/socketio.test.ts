import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { socketIoSessions } from '../../src/frameworks/socketio.ts'
import { ORIGIN } from '../support/session-server.ts'
import { startExampleApp } from './support/example-app.ts'
import { PageBrowser } from './support/page-browser.ts'
import { schedule, startSocketServer } from './support/socket-server.ts'
import type { SocketServer } from './support/socket-server.ts'

let app: SocketServer
let sockets: Server
let clients: Socket[]

async function start(options: Parameters<typeof startSocketServer>[1] = {}, checkInterval = 0.01): Promise<void> {
  app = await startSocketServer((server, bare) => {
    const sessions = socketIoSessions(bare, { checkInterval })
    sockets = new Server(server)
    sockets.use(sessions.requireSession())
    sockets.on('connection', socket => {
      const session = sessions.sessionOf(socket)
      socket.emit('hello', session.getUserId(), session.getJwtPayload().role)
    })
  }, { accessTokenLifetime: 100, ...options })
}

async function stop(): Promise<void> {
  for (const client of clients) client.disconnect()
  await sockets.close()
  await app.close()
}

beforeEach(() => {
  clients = []
  return start()
})

afterEach(stop)

interface Credentials {
  readonly headers?: Record<string, string>
  readonly auth?: Record<string, string>
}

function open({ headers = {}, auth = {} }: Credentials, transport = 'websocket', port = app.port): Socket {
  const client = io(`http://127.0.0.1:${port}`, {
    transports: [transport], extraHeaders: headers, auth, forceNew: true, reconnection: false,
  })
  clients.push(client)
  return client
}

/** The first message of the server, or the data of the connection error. */
function outcomeOf(client: Socket): Promise<unknown> {
  return new Promise(resolve => {
    client.on('hello', (...message: unknown[]) => resolve(message))
    client.on('connect_error', (error: Error & { data?: unknown }) => resolve(error.data ?? error.message))
  })
}

function next(client: Socket, event: string): Promise<unknown> {
  return new Promise(resolve => {
    client.once(event, resolve)
  })
}

describe('the handshake', () => {
  test.each(['websocket', 'polling'])('over %s accepts cookies, a bearer token or a token in auth', async transport => {
    const cookie = (await app.login('cookie')).credentials
    const token = (await app.login('header')).credentials
    app.cut.calls.length = 0
    const outcomes = [
      { headers: { cookie, origin: ORIGIN } },
      { headers: { authorization: `Bearer ${token}` } },
      { auth: { token } },
    ].map(credentials => outcomeOf(open(credentials, transport)))
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill(['alice', 'reader']))
    expect(app.cut.calls).toEqual([])
  })

  test('CSRF-01: is refused with cookies from another site or without an origin', async () => {
    const cookie = (await app.login('cookie')).credentials
    const refused = { status: 403, message: 'cross-site request refused' }
    expect(await outcomeOf(open({ headers: { cookie, origin: 'https://evil.tld' } }))).toEqual(refused)
    expect(await outcomeOf(open({ headers: { cookie } }))).toEqual(refused)
  })

  test('CSRF-13: with a token in auth, cookies are ignored', async () => {
    const cookie = (await app.login('cookie')).credentials
    const { credentials: token, handle } = await app.login('header')
    await app.sessions.revokeSession(handle)
    expect(await outcomeOf(open({ headers: { cookie, origin: ORIGIN }, auth: { token } })))
      .toEqual({ status: 401, message: 'unauthorised' })
  })

  test('is refused without an active session', async () => {
    expect(await outcomeOf(open({}))).toEqual({ status: 401, message: 'unauthorised' })
    const { credentials: token } = await app.login('header')
    app.clock.advance(101_000)
    expect(await outcomeOf(open({ auth: { token } }))).toEqual({ status: 401, message: 'try refresh token' })
  })
})

test('REV-02: when a session is revoked, only its socket gets session-ended and is disconnected', async () => {
  const [ended, other] = [await app.login('header'), await app.login('header')]
  const [first, second] = [open({ auth: { token: ended.credentials } }), open({ auth: { token: other.credentials } })]
  await Promise.all([outcomeOf(first), outcomeOf(second)])
  const [reason, disconnected] = [next(first, 'session-ended'), next(first, 'disconnect')]
  await app.sessions.revokeSession(ended.handle)
  expect(await reason).toBe('unauthorised')
  expect(await disconnected).toBe('io server disconnect')
  expect(sockets.sockets.sockets.get(second.id ?? '')?.connected).toBe(true)
  const expired = next(second, 'session-ended')
  app.clock.advance(101_000)
  expect(await expired).toBe('try refresh token')
})

test('REV-02: a socket is disconnected by the push alone after another process revoked its session', async () => {
  await stop()
  await start({ schedule, pollInterval: 3600 }, 3600)
  const { credentials: token, handle } = await app.login('header')
  const client = open({ auth: { token } })
  await outcomeOf(client)
  const reason = next(client, 'session-ended')
  await app.elsewhere.revokeSession(handle)
  expect(await reason).toBe('unauthorised')
})

test('the example greets a user with a session', async () => {
  const example = await startExampleApp('socketio', ['server.mjs'])
  try {
    const browser = new PageBrowser(example)
    expect((await browser.post('/login')).status).toBe(200)
    const name = defaultCookieNames(new URL(example.origin)).accessToken
    const headers = { cookie: `${name}=${browser.client.cookie(name)}`, origin: example.origin }
    const client = open({ headers }, 'websocket', example.port)
    expect(await next(client, 'hello')).toBe('ada')
    const disconnected = next(client, 'disconnect')
    expect((await browser.post('/auth/signout')).status).toBe(200)
    await disconnected
  } finally {
    await example.stop()
  }
})
