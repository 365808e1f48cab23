import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { SESSION_ENDED, wsSessions } from '../../src/frameworks/ws.ts'
import { CROSS_SITE, ORIGIN } from '../support/session-server.ts'
import { buildPackage, startExampleApp } from './support/example-app.ts'
import { PageBrowser } from './support/page-browser.ts'
import { startSocketServer } from './support/socket-server.ts'
import type { SocketServer } from './support/socket-server.ts'

let app: SocketServer
let failures: unknown[]

beforeEach(async () => {
  failures = []
  app = await startSocketServer((server, bare) => {
    const sessions = wsSessions(bare, { checkInterval: 0.01, onError: error => failures.push(error) })
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', sessions.upgrade(sockets))
    sockets.on('connection', (socket, request) => {
      const session = sessions.sessionOf(request)
      socket.send(JSON.stringify([session.getUserId(), session.getJwtPayload().role]))
    })
  }, { accessTokenLifetime: 100 })
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
  test('is let through with a session in cookies or in a bearer token, without a store call', async () => {
    const cookie = (await app.login('cookie')).credentials
    const token = (await app.login('header')).credentials
    app.cut.calls.length = 0
    const sockets = [open({ cookie, origin: ORIGIN }), open({ authorization: `Bearer ${token}` })]
    expect(await Promise.all(sockets.map(outcomeOf))).toEqual([['alice', 'reader'], ['alice', 'reader']])
    expect(app.cut.calls).toEqual([])
    for (const socket of sockets) socket.terminate()
  })

  test('CSRF-01: is refused with cookies from another site, or from none that is known', async () => {
    const cookie = (await app.login('cookie')).credentials
    const refused = [403, { message: 'cross-site request refused' }]
    expect(await outcomeOf(open({ cookie, origin: 'https://evil.tld' }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie, origin: 'null' }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie }))).toEqual(refused)
    expect(await outcomeOf(open({ cookie, ...CROSS_SITE }))).toEqual(refused)
  })

  test('is refused without a live session, with the answer that a request would get', async () => {
    expect(await outcomeOf(open({ origin: ORIGIN }))).toEqual([401, { message: 'unauthorised' }])
    const expired = (await app.login('cookie')).credentials
    app.clock.advance(101_000)
    expect(await outcomeOf(open({ cookie: expired, origin: ORIGIN }))).toEqual([401, { message: 'try refresh token' }])
    const { credentials: cookie, handle } = await app.login('cookie')
    await app.sessions.revokeSession(handle)
    expect(await outcomeOf(open({ cookie, origin: ORIGIN }))).toEqual([401, { message: 'unauthorised' }])
    expect(failures).toEqual([])
  })

  test('survives a client that leaves in the middle of it', async () => {
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

describe('an open socket', () => {
  test('REV-02: is closed when its session is revoked, and no other', async () => {
    const [ended, other] = [await app.login('cookie'), await app.login('cookie')]
    const first = open({ cookie: ended.credentials, origin: ORIGIN })
    const second = open({ cookie: other.credentials, origin: ORIGIN })
    await Promise.all([first, second].map(outcomeOf))
    const closing = once(first, 'close')
    app.cut.calls.length = 0
    await app.sessions.revokeSession(ended.handle)
    const [code, reason] = await closing
    expect([code, String(reason)]).toEqual([SESSION_ENDED, 'unauthorised'])
    expect(second.readyState).toBe(WebSocket.OPEN)
    expect(app.cut.calls).toEqual(['remove'])
    second.terminate()
  })

  test('is closed when its access token expires, and may come back after a refresh', async () => {
    const { credentials } = await app.login('cookie')
    const socket = open({ cookie: credentials, origin: ORIGIN })
    await outcomeOf(socket)
    const closing = once(socket, 'close')
    app.clock.advance(101_000)
    const [code, reason] = await closing
    expect([code, String(reason)]).toEqual([SESSION_ENDED, 'try refresh token'])
  })
})

test('the example says hello to who has a session', async () => {
  buildPackage()
  const example = await startExampleApp('ws', ['server.mjs'])
  try {
    const browser = new PageBrowser(example)
    expect((await browser.post('/login')).status).toBe(200)
    const cookie = `sAccessToken=${browser.client.cookie('sAccessToken')}`
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
