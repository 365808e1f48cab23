import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { isSessionError } from '../../src/base/errors.ts'
import { nodeExchange } from '../../src/frameworks/node-exchange.ts'
import { assertSessionUntouched } from '../../src/testing/session-change.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { BUSY_SECONDS, loseAnswers } from '../support/lose-answers.ts'
import { REFRESH, RT, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

// A client whose requests reach the server, but that receives no responses (row 4b of the rotation rules).

let server: SessionServer
afterEach(() => server.close())

const HOUR = 3_600_000

const pages = (sessions: AppSessions) => ({
  'GET /page': async (request: IncomingMessage, response: ServerResponse) => {
    const { reading, cookie, failure } = await sessions.http.refreshBeforeRender(nodeExchange(request, response))
    send(response, { kind: reading.kind, cookie, failure: isSessionError(failure) ? failure.code : null })
  },
})

/** Logs in and loses each later response. */
async function becomeBusy(client: HttpClient): Promise<void> {
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  server.clock.advance(HOUR)
  const { jar } = client
  await loseAnswers(server.clock, async () => {
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    client.jar = jar
  })
}

/** Checks that the client must repeat the refresh later, and keeps its tokens. */
function expectRetryLater(reply: Reply, retryAfter: number): void {
  expect([reply.status, JSON.parse(reply.body)]).toEqual([503, { message: 'session service unavailable' }])
  expect(reply.headers).toMatchObject({ 'retry-after': `${retryAfter}`, 'cache-control': 'private, no-store' })
  assertSessionUntouched(reply)
  expect(reply.setCookies).toEqual([])
  expect(Object.keys(reply.headers).filter(name => /^(st-|anti-csrf$|front-token$)/.test(name))).toEqual([])
}

describe('ROT-15: a client that has lost its responses for 4.5 reuse intervals', () => {
  test('gets 503 with Retry-After, keeps its cookies, and succeeds after exactly that time', async () => {
    server = await startSessionServer()
    const client = server.client()
    await becomeBusy(client)
    const before = client.jar
    server.cut.calls.length = 0
    expectRetryLater(await client.send('POST', REFRESH, { headers: SAME_ORIGIN }), BUSY_SECONDS)
    expect(server.cut.calls, 'nothing is written').toEqual(['rotate', 'find'])
    expect(client.jar).toEqual(before)

    // The last instant at which the client must wait: Retry-After must not name it.
    server.clock.advance(BUSY_SECONDS * 1000 - 1000)
    expectRetryLater(await client.send('POST', REFRESH, { headers: SAME_ORIGIN }), 1)
    server.clock.advance(1000)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(client.cookie(RT)).not.toBe(before.find(({ name }) => name === RT)?.value)
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

  test('gets the same in header mode', async () => {
    server = await startSessionServer()
    const client = server.client()
    const inHeaders = { ...SAME_ORIGIN, 'st-auth-mode': 'header' }
    const { headers } = await client.send('POST', '/login', { headers: inHeaders, body: {} })
    const authorization = `Bearer ${headers['st-refresh-token']}`
    const refresh = (): Promise<Reply> => client.send('POST', REFRESH, { headers: { authorization } })
    await loseAnswers(server.clock, refresh)
    expectRetryLater(await refresh(), BUSY_SECONDS)
    server.clock.advance(BUSY_SECONDS * 1000 )
    expect((await refresh()).headers['st-access-token']).toMatch(/./)
  })

  test('gets the same with `antiCsrf: token`, and the anti-CSRF token stays valid', async () => {
    server = await startSessionServer({ antiCsrf: 'token' })
    const client = server.client()
    const login = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
    const headers = { ...SAME_ORIGIN, 'anti-csrf': login.headers['anti-csrf'] ?? '' }
    const { jar } = client
    const refresh = async (): Promise<Reply> => {
      client.jar = jar
      return client.send('POST', REFRESH, { headers })
    }
    await loseAnswers(server.clock, refresh)
    expectRetryLater(await refresh(), BUSY_SECONDS)
    server.clock.advance(BUSY_SECONDS * 1000 )
    expect((await refresh()).headers['anti-csrf']).toMatch(/./)
  })

  test('gets pages without a session while it waits, and no cookie is changed', async () => {
    server = await startSessionServer({ cookie: { refreshTokenPath: '/' }, routes: pages })
    const client = server.client()
    await becomeBusy(client)
    const before = client.jar
    const open = async (): Promise<[Reply, unknown]> => {
      const headers = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }
      const reply = await client.send('GET', '/page', { headers })
      return [reply, JSON.parse(reply.body)]
    }
    const [reply, page] = await open()
    expect([reply.status, page]).toMatchObject([200, { kind: 'needs-refresh', failure: 'REFRESH_BUSY' }])
    expect(reply.body).not.toContain(client.cookie(RT))
    assertSessionUntouched(reply)
    expect([reply.setCookies, client.jar]).toEqual([[], before])

    server.clock.advance(BUSY_SECONDS * 1000 )
    expect((await open())[1]).toMatchObject({ kind: 'active', failure: null })
    expect(client.cookie(RT)).not.toBe(before.find(({ name }) => name === RT)?.value)
  })
})
