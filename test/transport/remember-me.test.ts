import { afterAll, expect, test } from 'vitest'
import { AT, REFRESH, RT, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'

const server = await startSessionServer({
  routes: sessions => ({
    'POST /promote': async (request, response) => {
      const session = await sessions.getSession(request, response)
      await session.updateJwtPayload({ role: 'admin' })
      send(response, session.getJwtPayload())
    },
  }),
})
afterAll(() => server.close())

test.each([
  [true, 3],
  [false, 0],
])('`persistent: %s` applies to the cookies of login, refresh and reissued tokens', async (persistent, kept) => {
  const client = server.client()
  await client.send('POST', '/login', { body: { options: { persistent } } })
  for (const path of [REFRESH, '/promote', REFRESH]) {
    expect((await client.send('POST', path, { headers: SAME_ORIGIN })).status).toBe(200)
  }
  expect([client.cookie(AT), client.cookie(RT)].every(value => value !== undefined)).toBe(true)
  client.closeBrowser()
  expect(client.jar).toHaveLength(kept)
})
