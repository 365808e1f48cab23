import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { SESSION_ENDED, wsSessions } from '../../src/frameworks/ws.ts'
import { createSessions } from '../../src/index.ts'
import { CROSS_SITE, ORIGIN, SAME_ORIGIN } from '../support/session-server.ts'
import type { Claims, Info } from '../support/session-server.ts'
import { startExampleApp } from './support/example-app.ts'
import { PageBrowser } from './support/page-browser.ts'
import { schedule, startSocketServer } from './support/socket-server.ts'
import type { SocketServer } from './support/socket-server.ts'

let app: SocketServer
let failures: unknown[]

function start(options: Parameters<typeof startSocketServer>[1] = {}, checkInterval = 0.01): Promise<SocketServer> {
  return startSocketServer((server, bare) => {
    const sessions = wsSessions(bare, { checkInterval, onError: error => failures.push(error) })
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', sessions.upgrade(sockets))
    sockets.on('connection', (socket, request) => {
      const session = sessions.sessionOf(request)
      socket.send(JSON.stringify([session.getUserId(), session.getJwtPayload().role]))
    })
  }, { accessTokenLifetime: 100, ...options })
}

beforeEach(async () => {
  failures = []
  app = await start()
})

afterEach(() => app.close())

function open(headers: Record<string, string>): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${app.port}/`, { headers })
}

/** The first message, or the status and body of the refusal. */
async function outcomeOf(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.on('message', data => resolve(JSON.parse(String(data))))
    socket.on('error', reject)
    socket.on('unexpected-response', (_, response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece
      }).on('end', () => resolve([response.statusCode, JSON.parse(body)]))
    })
  })
}

describe('the handshake', () => {
  test('is accepted with a session in cookies or in a bearer token, without a store call', async () => {
    const cookie = (await app.login('cookie')).credentials
    const token = (await app.login('header')).credentials
    app.cut.calls.length = 0
    const sockets = [open({ cookie, origin: ORIGIN }), open({ authorization: `Bearer ${token}` })]
    expect(await Promise.all(sockets.map(outcomeOf))).toEqual([['alice', 'reader'], ['alice', 'reader']])
    expect(app.cut.calls).toEqual([])
    for (const socket of sockets) socket.terminate()
  })

  test('CSRF-01: is refused with cookies from another site or without an origin', async () => {
    const cookie = (await app.login('cookie')).credentials
    const refused = [403, { message: 'cross-site request refused' }]
    expect(await outcomeOf(open({ cookie, origin: 'https://evil.tld' }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie, origin: 'null' }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie, ...CROSS_SITE }))).toEqual(refused)
  })

  test('is refused without an active session, with the response that a request would get', async () => {
    expect(await outcomeOf(open({ origin: ORIGIN }))).toEqual([401, { message: 'unauthorised' }])
    const expired = (await app.login('cookie')).credentials
    app.clock.advance(101_000)
    expect(await outcomeOf(open({ cookie: expired, origin: ORIGIN }))).toEqual([401, { message: 'try refresh token' }])
    const { credentials: cookie, handle } = await app.login('cookie')
    await app.sessions.revokeSession(handle)
    expect(await outcomeOf(open({ cookie, origin: ORIGIN }))).toEqual([401, { message: 'unauthorised' }])
    expect(failures).toEqual([])
  })

  test('of a client that disconnects in the middle of it does not crash the server', async () => {
    const { credentials } = await app.login('header')
    const socket = connect(app.port, '127.0.0.1')
    socket.write([
      'GET / HTTP/1.1', 'host: x', 'connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', `authorization: Bearer ${credentials}`, '', '',
    ].join('\r\n'))
    socket.destroy()
    await once(socket, 'close')
    const other = open({ authorization: `Bearer ${credentials}` })
    expect(await outcomeOf(other)).toEqual(['alice', 'reader'])
    other.terminate()
  })
})

test.each([
  ['refuses', '/'], ['has no listener for', '/other'],
])('L-21: a connection whose handshake the server %s ends, also if the client keeps its side open', async (_, path) => {
  await app.close()
  app = await startSocketServer((server, bare) => {
    server.on('upgrade', wsSessions(bare).upgrade(new WebSocketServer({ noServer: true, path: '/' })))
  })
  const client = connect({ port: app.port, host: '127.0.0.1', allowHalfOpen: true })
  client.write([
    `GET ${path} HTTP/1.1`, 'host: x', 'connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', '', '',
  ].join('\r\n'))
  client.resume()
  await once(client, 'end')
  try {
    await expect.poll(() => promisify(app.server.getConnections.bind(app.server))()).toBe(0)
  } finally {
    client.destroy()
  }
})

describe('L-21: an upgrade that is not for the server', () => {
  /** An endpoint of the application on the same server, without sessions. */
  const publicEndpoint = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (request.url !== '/public') return
    new WebSocketServer({ noServer: true }).handleUpgrade(request, socket, head, client => client.send('["public"]'))
  }

  async function startWith(path: string, ...others: (typeof publicEndpoint)[]): Promise<void> {
    await app.close()
    app = await startSocketServer((server, bare) => {
      const sessions = wsSessions(bare)
      const sockets = new WebSocketServer({ noServer: true, path })
      server.on('upgrade', sessions.upgrade(sockets))
      sockets.on('connection',
        (socket, request) => socket.send(JSON.stringify([sessions.sessionOf(request).getUserId()])))
      for (const other of others) server.on('upgrade', other)
    })
  }

  const openPath = (path: string, headers: Record<string, string>): WebSocket => (
    new WebSocket(`ws://127.0.0.1:${app.port}${path}`, { headers })
  )

  test('is left to the other listeners, which need no session', async () => {
    await startWith('/live', publicEndpoint)
    const stranger = openPath('/public', {})
    expect(await outcomeOf(stranger)).toEqual(['public'])
    expect(await outcomeOf(openPath('/live', { origin: ORIGIN }))).toEqual([401, { message: 'unauthorised' }])
    const { credentials } = await app.login('header')
    const own = openPath('/live?a=b', { authorization: `Bearer ${credentials}` })
    expect(await outcomeOf(own)).toEqual(['alice'])
    await expectOpen(stranger)
    for (const socket of [stranger, own]) socket.terminate()
  })

  test('is answered with 404 if there is no other listener', async () => {
    await startWith('/live')
    expect(await outcomeOf(openPath('/public', {}))).toEqual([404, { message: 'not found' }])
  })

  test('is left to them if `shouldHandle` says no', async () => {
    await app.close()
    app = await startSocketServer((server, bare) => {
      const sockets = new WebSocketServer({ noServer: true })
      sockets.shouldHandle = ({ headers }) => headers['x-app'] === 'live'
      server.on('upgrade', wsSessions(bare).upgrade(sockets)).on('upgrade', publicEndpoint)
    })
    const stranger = openPath('/public', {})
    expect(await outcomeOf(stranger)).toEqual(['public'])
    stranger.terminate()
    expect(await outcomeOf(openPath('/other', { 'x-app': 'live' }))).toEqual([401, { message: 'unauthorised' }])
  })
})

describe('an open socket', () => {
  test('REV-02: is closed when its session is revoked; other sockets stay open', async () => {
    const [ended, other] = [await app.login('cookie'), await app.login('cookie')]
    const first = open({ cookie: ended.credentials, origin: ORIGIN })
    const second = open({ cookie: other.credentials, origin: ORIGIN })
    await Promise.all([first, second].map(outcomeOf))
    const closing = once(first, 'close')
    app.cut.calls.length = 0
    await app.sessions.revokeSession(ended.handle)
    const [code, reason] = await closing
    expect([code, String(reason)]).toEqual([SESSION_ENDED, 'unauthorised'])
    await expectOpen(second)
    expect(app.cut.calls).toEqual(['remove'])
    second.terminate()
  })

  test('is closed when its access token expires; sockets with later tokens stay open until theirs expire',
    async () => {
      const first = await openWithSession()
      app.clock.advance(50_000)
      const second = await openWithSession()
      const closing = once(first.socket, 'close')
      app.clock.advance(51_000)
      expect(ending(await closing)).toEqual([SESSION_ENDED, 'try refresh token'])
      await expectOpen(second.socket)
      const later = once(second.socket, 'close')
      app.clock.advance(50_000)
      expect(ending(await later)).toEqual([SESSION_ENDED, 'try refresh token'])
    })

  test('is closed after the configured token lifetime, even if its token was issued for longer, without a store call',
    async () => {
      const { store } = app.cut
      const before = webSessions(createSessions<Claims, Info>({
        origin: ORIGIN, clock: app.clock, schedule, store, accessTokenLifetime: 1000,
      }))
      const headers = new Headers()
      const request = new Request(`${ORIGIN}/login`, { headers: { ...SAME_ORIGIN, 'st-auth-mode': 'header' } })
      await before.createNewSession(request, headers, 'alice', { role: 'reader' })
      await before.close()
      const long = open({ authorization: `Bearer ${headers.get('st-access-token')}` })
      await outcomeOf(long)
      app.clock.advance(50_000)
      const short = await openWithSession()
      await app.sessions.updateJwtPayload(short.handle, { role: 'writer' })
      app.cut.calls.length = 0
      const closing = once(long, 'close')
      app.clock.advance(51_000)
      expect(ending(await closing)).toEqual([SESSION_ENDED, 'try refresh token'])
      await expectOpen(short.socket)
      expect(app.cut.calls).toEqual([])
      short.socket.terminate()
    })

  test('REV-03: is closed when all sessions of all users are revoked', async () => {
    const sockets = [(await openWithSession()).socket, (await openWithSession()).socket]
    const closing = sockets.map(socket => once(socket, 'close'))
    await app.elsewhere.revokeEverySession()
    const endings = (await Promise.all(closing)).map(ending)
    expect(endings).toEqual(Array(2).fill([SESSION_ENDED, 'unauthorised']))
  })
})

describe('without the periodic check of open sockets', () => {
  test('REV-02: a socket is closed by the push alone after another process revoked its session', async () => {
    await restart({ schedule, pollInterval: 3600 }, 3600)
    const { socket, handle } = await openWithSession()
    const closing = once(socket, 'close')
    await app.elsewhere.revokeSession(handle)
    expect(ending(await closing)).toEqual([SESSION_ENDED, 'unauthorised'])
  })

  test('REV-02: a socket whose session was revoked during an outage of the store is closed when the outage ends',
    async () => {
      let notice: () => void = () => undefined
      const noticed = new Promise<void>(resolve => {
        notice = resolve
      })
      await restart({ schedule, pollInterval: 0.01, events: { onBackgroundError: () => notice() } }, 3600)
      const { socket, handle } = await openWithSession()
      const closing = once(socket, 'close')
      app.cut.down = true
      await app.elsewhere.revokeSession(handle)
      await noticed
      await expectOpen(socket)
      app.cut.down = false
      expect(ending(await closing)).toEqual([SESSION_ENDED, 'unauthorised'])
    })
})

test('a socket is closed when its access token expires, even during an outage of the store', async () => {
  const { socket } = await openWithSession()
  const closing = once(socket, 'close')
  app.cut.down = true
  app.clock.advance(101_000)
  expect(ending(await closing)).toEqual([SESSION_ENDED, 'try refresh token'])
})

async function restart(...settings: Parameters<typeof start>): Promise<void> {
  await app.close()
  app = await start(...settings)
}

async function openWithSession(): Promise<{ readonly socket: WebSocket; readonly handle: string }> {
  const { credentials, handle } = await app.login('cookie')
  const socket = open({ cookie: credentials, origin: ORIGIN })
  await outcomeOf(socket)
  return { socket, handle }
}

/** Expects that the server has not begun to close a socket: it would say so before it answers. */
async function expectOpen(socket: WebSocket): Promise<void> {
  socket.ping()
  const answer = await Promise.race([once(socket, 'pong').then(() => 'pong'),
    once(socket, 'close').then(() => 'close')])
  expect([answer, socket.readyState]).toEqual(['pong', WebSocket.OPEN])
}

function ending([code, reason]: unknown[]): readonly [unknown, string] {
  return [code, String(reason)]
}

test('the example greets a user with a session', async () => {
  const example = await startExampleApp('ws', ['server.mjs'])
  try {
    const browser = new PageBrowser(example)
    expect((await browser.post('/login')).status).toBe(200)
    const name = defaultCookieNames(new URL(example.origin)).accessToken
    const cookie = `${name}=${browser.client.cookie(name)}`
    const socket = new WebSocket(`ws://127.0.0.1:${example.port}/`, { headers: { cookie, origin: example.origin } })
    const [hello] = await once(socket, 'message')
    expect(String(hello)).toBe('hello ada')
    const closing = once(socket, 'close')
    expect((await browser.post('/auth/signout')).status).toBe(200)
    expect((await closing)[0]).toBe(SESSION_ENDED)
  } finally {
    await example.stop()
  }
})
