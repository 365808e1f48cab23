import { expect, test } from 'vitest'
import type { CoreDependencies } from '../support/create-core.ts'
import { createSessions } from '../../src/index.ts'
import { SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import { createTestCore, login, refreshed } from '../support/test-core.ts'

const userId = '\u0001'.repeat(255)
const payloadOf = (length: number): { role: string } => ({
  role: 'x'.repeat(length - JSON.stringify({ role: '' }).length),
})
const refused = { code: 'INVALID_DATA', message: expect.stringMatching(/JWT payload has 2000 bytes, the user id 1530/) }

test('S-12: a login with a payload that is too long for a token fails without a store call', async () => {
  const { core, takeCalls } = createTestCore()
  await expect(login(core, userId, { jwtPayload: payloadOf(2000) })).rejects.toMatchObject(refused)
  expect(takeCalls()).toEqual([])
  await login(core, 'alice', { jwtPayload: payloadOf(2000) })
})

test('S-12: a payload that is too long for a token is not stored, by request or by handle', async () => {
  const { core, store, takeCalls } = createTestCore()
  const { claims, accessToken, refreshToken } = await login(core, userId, { jwtPayload: payloadOf(500) })
  const before = await store.find(claims.sid)
  takeCalls()
  await expect(core.reissue(claims, payloadOf(2000))).rejects.toMatchObject(refused)
  expect(takeCalls()).toEqual([])
  await expect(core.updateJwtPayload(claims.sid, payloadOf(2000))).rejects.toMatchObject(refused)
  expect(takeCalls()).toEqual(['find'])
  expect(await store.find(claims.sid)).toEqual(before)
  expect((await core.verify(accessToken)).kind).toBe('active')
  expect((await refreshed(core, refreshToken)).payload).toEqual(payloadOf(500))
})

test('S-12: a request with such an update gets 400, and the session stays active', async () => {
  const server = await startSessionServer({
    routes: sessions => ({
      'POST /payload': async (request, response, { payload = {} }) => {
        const session = await sessions.getSession(request, response)
        await session.updateJwtPayload(payload)
        send(response, session.getJwtPayload())
      },
    }),
  })
  const client = server.client()
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId } })
  const refusal = await client.send('POST', '/payload', { headers: SAME_ORIGIN, body: { payload: payloadOf(2000) } })
  expect([refusal.status, refusal.setCookies]).toEqual([400, []])
  expect((await client.send('GET', '/me')).status).toBe(200)
  const update = await client.send('POST', '/payload', { headers: SAME_ORIGIN, body: { payload: payloadOf(500) } })
  expect([update.status, JSON.parse(update.body)]).toEqual([200, payloadOf(500)])
  await server.close()
})

test('S-12: by handle, a short payload costs one store call, a long one two; a session that does not exist is an error', async () => {
  const { core, takeCalls } = createTestCore()
  const { claims } = await login(core)
  takeCalls()
  await core.updateJwtPayload(claims.sid, payloadOf(500))
  expect(takeCalls()).toEqual(['updatePayload'])
  await core.updateJwtPayload(claims.sid, payloadOf(2000))
  expect(takeCalls()).toEqual(['find', 'updatePayload'])
  await core.revokeSession(claims.sid)
  for (const length of [500, 2000]) {
    await expect(core.updateJwtPayload(claims.sid, payloadOf(length)))
      .rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  }
})

test('S-12: a stored payload still fits into a token after a change of algorithm and issuer', async () => {
  const { core, store, clock } = createTestCore()
  let length = 2000
  const most = async (): Promise<string> => {
    for (; ; length--) {
      const issued = await login(core, userId.slice(0, 80), { jwtPayload: payloadOf(length) }).catch(() => null)
      if (issued !== null) return issued.refreshToken
    }
  }
  const refreshToken = await most()
  expect(length).toBeGreaterThan(1500)
  const changed: Partial<CoreDependencies<object, object>> = {
    algorithm: 'RS256', issuer: `https://${'a'.repeat(120)}`,
  }
  const other = createTestCore({ ...changed, store, clock })
  await other.core.rotateKeys()
  clock.advance(3_600_000)
  const next = await refreshed(other.core, refreshToken)
  expect(next.payload).toEqual(payloadOf(length))
  expect(JSON.parse(Buffer.from(next.accessToken.split('.')[0] ?? '', 'base64url').toString()))
    .toMatchObject({ alg: 'RS256' })
})

test('S-12: a cookie name is short enough for the longest token', () => {
  const make = (name: string): unknown =>
    createSessions({ origin: 'https://app.example.com', cookie: { accessTokenName: name } })
  expect(() => make('a'.repeat(128))).not.toThrow()
  expect(() => make('a'.repeat(129))).toThrow('at most 128 characters')
})
