import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

let core: CoreServer
beforeEach(async () => {
  core = await startCoreServer({ maxSessionDataBytes: 65_536 })
})
afterEach(() => core.server.close())

const payloadOf = (bytes: number): object => ({ filler: 'x'.repeat(bytes - JSON.stringify({ filler: '' }).length) })

test('S-12: the longest payload with the longest user id is created, verified, refreshed and regenerated', async () => {
  // The id takes 1,530 characters in JSON, and tokens of version 5 contain it twice.
  const userId = '\u0001'.repeat(255)
  const payload = payloadOf(5000)
  const first = await core.create({ userId, userDataInJWT: payload, enableAntiCsrf: true })
  const second = await core.refresh(first.refreshToken.token, {
    enableAntiCsrf: true,
    antiCsrfToken: first.antiCsrfToken,
  })
  expect(second.session.userDataInJWT).toEqual(payload)
  for (const { accessToken } of [first, second]) {
    const { json } = await core.call('/recipe/session/verify', {
      body: { accessToken: accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: true, checkDatabase: true },
    })
    expect([json.status, json.session.userId]).toEqual(['OK', userId])
  }
  const { json } = await core.call('/recipe/session/regenerate', {
    body: { accessToken: second.accessToken.token, userDataInJWT: payload },
  })
  expect(json.status).toBe('OK')
})

test('S-12: a payload or data that is too long is refused by every endpoint, and the stored data is kept', async () => {
  const long = payloadOf(5001)
  const { session: { handle }, accessToken: { token: accessToken }, refreshToken } = await core.create({
    userDataInJWT: { v: 1 },
  })
  const body = { userId: 'bob', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false }
  const json = { 'content-type': 'application/json' }
  const data = payloadOf(65_537)
  const answers = [
    await core.call('/recipe/session', { body: { ...body, userDataInJWT: long } }),
    await core.call('/recipe/session', { body: { ...body, userDataInDatabase: data } }),
    await core.call('/recipe/session/regenerate', { body: { accessToken, userDataInJWT: long } }),
    await core.call('/recipe/jwt/data', { method: 'PUT', body: { sessionHandle: handle, userDataInJWT: long } }),
    await core.call('/recipe/session/data', {
      method: 'PUT',
      body: { sessionHandle: handle, userDataInDatabase: data },
    }),
    await core.call('/v1/sessions', { headers: json, body: { userId: 'bob', jwtPayload: long } }),
    await core.call('/v1/sessions', { headers: json, body: { userId: 'bob', sessionInfo: data } }),
    await core.call(`/v1/sessions/${handle}`, { headers: json, method: 'PATCH', body: { jwtPayload: long } }),
    await core.call(`/v1/sessions/${handle}`, {
      headers: json,
      method: 'PATCH',
      body: { jwtPayload: { v: 2 }, sessionInfo: data },
    }),
  ]
  for (const { status, text } of answers) {
    expect([status, text]).toEqual([400,
      expect.stringMatching(
        /the (JWT payload|payload|session info|session data) is \d+ bytes long; at most (5000|2000|65536) are allowed/,
      )])
  }
  expect((await core.call('/recipe/session/user?userId=bob')).json['sessionHandles']).toEqual([])
  expect((await core.refresh(refreshToken.token)).session.userDataInJWT).toEqual({ v: 1 })
})

test('S-12: the native API refuses a session whose payload only CDI can carry, names both limits, and keeps it', async () => {
  const payload = payloadOf(4000)
  const { refreshToken, session } = await core.create({ userDataInJWT: payload })
  const refused = await core.call('/v1/sessions/refresh', {
    headers: { 'content-type': 'application/json' }, body: { refreshToken: refreshToken.token },
  })
  expect([refused.status, refused.text]).toEqual([400, expect.stringMatching(/2,000 bytes.*5,000/)])
  const next = await core.refresh(refreshToken.token)
  expect([next.status, next.session.handle, next.session.userDataInJWT]).toEqual(['OK', session.handle, payload])
})
