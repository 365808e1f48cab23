import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { isSessionError } from '../../src/base/errors.ts'
import { nodeExchange } from '../../src/frameworks/node-exchange.ts'
import { assertSessionUntouched } from '../../src/testing/session-change.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { BUSY_SECONDS, loseAnswers } from '../support/lose-answers.ts'
import { REFRESH, RT, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

// What a client gets whose calls reach the server and whose answers are all lost (row 4b of the rotation rules).

let server: SessionServer
afterEach(() => server.close())

const HOUR = 3_600_000

const pages = (sessions: AppSessions) => ({
  'GET /page': async (request: IncomingMessage, response: ServerResponse) => {
    const { reading, cookie, failure } = await sessions.http.refreshBeforeRender(nodeExchange(request, response))
    send(response, { kind: reading.kind, cookie, failure: isSessionError(failure) ? failure.code : null })
  },
})

/** Logs in and loses each answer from then on. */
async function becomeBusy(client: HttpClient): Promise<void> {
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  server.clock.advance(HOUR)
  const { jar } = client
  await loseAnswers(server.clock, async () => {
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    client.jar = jar
  })
}

/** A refresh that is told to wait, and that leaves the client as it was. */
function expectTold(reply: Reply, retryAfter: number): void {
  expect([reply.status, JSON.parse(reply.body)]).toEqual([503, { message: 'session service unavailable' }])
  expect(reply.headers).toMatchObject({ 'retry-after': `${retryAfter}`, 'cache-control': 'private, no-store' })
  assertSessionUntouched(reply)
  expect(reply.setCookies).toEqual([])
  expect(Object.keys(reply.headers).filter(name => /^(st-|anti-csrf$|front-token$)/.test(name))).toEqual([])
}

describe('ROT-15: a client that has lost its answers for 4.5 reuse intervals', () => {
  test('is told to wait, keeps its cookies, and succeeds after Retry-After', async () => {
    server = await startSessionServer()
    const client = server.client()
    await becomeBusy(client)
    const before = client.jar
    server.cut.calls.length = 0
    expectTold(await client.send('POST', REFRESH, { headers: SAME_ORIGIN }), BUSY_SECONDS)
    expect(server.cut.calls, 'nothing is written').toEqual(['rotate', 'find'])
    expect(client.jar).toEqual(before)

    server.clock.advance(BUSY_SECONDS * 1000 - 500)
    expectTold(await client.send('POST', REFRESH, { headers: SAME_ORIGIN }), 1)
    server.clock.advance(1000)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(client.cookie(RT)).not.toBe(before.find(({ name }) => name === RT)?.value)
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

  test('is told so in header mode', async () => {
    server = await startSessionServer()
    const client = server.client()
    const inHeaders = { ...SAME_ORIGIN, 'st-auth-mode': 'header' }
    const { headers } = await client.send('POST', '/login', { headers: inHeaders, body: {} })
    const authorization = `Bearer ${headers['st-refresh-token']}`
    const refresh = (): Promise<Reply> => client.send('POST', REFRESH, { headers: { authorization } })
    await loseAnswers(server.clock, refresh)
    expectTold(await refresh(), BUSY_SECONDS)
    server.clock.advance(BUSY_SECONDS * 1000 + 1)
    expect((await refresh()).headers['st-access-token']).toMatch(/./)
  })

  test('is told so where `antiCsrf: token` protects it: the anti-CSRF token stays good', async () => {
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
    expectTold(await refresh(), BUSY_SECONDS)
    server.clock.advance(BUSY_SECONDS * 1000 + 1)
    expect((await refresh()).headers['anti-csrf']).toMatch(/./)
  })

  test('gets its pages without a session while it waits, and no cookie is touched', async () => {
    server = await startSessionServer({ cookie: { refreshTokenPath: '/' }, routes: pages })
    const client = server.client()
    await becomeBusy(client)
    const before = client.jar
    const open = async (): Promise<[Reply, unknown]> => {
      const headers = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }
      const reply = await client.send('GET', '/page', { headers })
      return [reply, JSON.parse(reply.body)]
    }
    const [told, page] = await open()
    expect([told.status, page]).toMatchObject([200, { kind: 'needs-refresh', failure: 'REFRESH_BUSY' }])
    expect(told.body).not.toContain(client.cookie(RT))
    assertSessionUntouched(told)
    expect([told.setCookies, client.jar]).toEqual([[], before])

    server.clock.advance(BUSY_SECONDS * 1000 + 1)
    expect((await open())[1]).toMatchObject({ kind: 'active', failure: null })
    expect(client.cookie(RT)).not.toBe(before.find(({ name }) => name === RT)?.value)
  })
})
