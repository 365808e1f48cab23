import { afterEach, beforeEach, expect, test } from 'vitest'
import { AT, MAC, REFRESH, RT, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

beforeEach(async () => {
  server = await startSessionServer()
})

afterEach(() => server.close())

test('login, request, refresh, sign-out in cookie mode', async () => {
  const client = server.client()
  const login = await client.send('POST', '/login', { body: { payload: { role: 'admin' } }, headers: SAME_ORIGIN })
  expect(login.status).toBe(200)
  expect(client.jar.map(({ name }) => name)).toEqual([AT, MAC, RT])

  const me = await client.send('GET', '/me')
  expect(JSON.parse(me.body)).toMatchObject({ userId: 'alice', tenantId: 'public', payload: { role: 'admin' } })
  expect(me.setCookies).toEqual([])

  const refreshed = await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
  expect([refreshed.status, refreshed.body]).toEqual([200, '{}'])

  const out = await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })
  expect([out.status, out.body]).toEqual([200, '{"status":"OK"}'])
  expect(client.jar).toEqual([])
})
