import { ensureEqual } from '../assert.ts'
import { appCase, ensureUntouched, HEADER_MODE, login, REFRESH, SAME_ORIGIN, SIGNOUT } from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

/** What caches may store. */
export const cachingCases: readonly FrameworkCase[] = [
  appCase('S-09: a response to a verified session is private', 'plain', async app => {
    const client = app.client()
    await login(client)
    const header = await login(app.client(), 'bob', HEADER_MODE)
    const authorization = `Bearer ${header.header('st-access-token')}`
    for (const [method, route] of [['GET', '/me'], ['HEAD', '/me'], ['GET', '/optional'], ['POST', '/act']] as const) {
      const cookie = await client.send(method, route, { headers: SAME_ORIGIN })
      ensureEqual([cookie.status, cookie.header('cache-control')], [200, 'private'], `${method} ${route}`)
      ensureUntouched(cookie, route)
      const bearer = await app.client().send(method, route, { headers: { authorization } })
      ensureEqual(bearer.header('cache-control'), 'private', `${method} ${route} with a bearer token`)
    }
    await app.control({ release: true })
    ensureEqual((await client.send('GET', '/stream')).header('cache-control'), 'private', 'a stream')
  }),

  appCase('S-09: Cache-Control of the application is kept', 'plain', async app => {
    const client = app.client()
    await login(client)
    const reply = await client.send('GET', '/guarded')
    ensureEqual([reply.status, reply.header('cache-control')], [200, 'private, max-age=60'], 'unchanged')
    ensureUntouched(reply, 'an ordinary answer')
  }),

  appCase('S-09: a response that carries tokens is not cached, even if the handler allows it', 'plain', async app => {
    for (const headers of [SAME_ORIGIN, HEADER_MODE]) {
      const reply = await login(app.client(), 'alice', headers)
      ensureEqual(reply.header('cache-control'), 'private, no-store', 'a login')
    }
    const client = app.client()
    const { handle } = await login(client)
    for (const route of ['/guarded', '/me']) {
      await app.control({ change: handle })
      const changed = await client.send('GET', route)
      ensureEqual([changed.status, changed.header('cache-control')], [200, 'private, no-store'], `${route}, new claims`)
    }
    for (const path of ['/payload', REFRESH, SIGNOUT]) {
      const reply = await client.send('POST', path, { headers: SAME_ORIGIN, body: {} })
      ensureEqual([reply.status, reply.header('cache-control')], [200, 'private, no-store'], path)
    }
    const refused = await client.send('GET', '/me')
    ensureEqual([refused.status, refused.header('cache-control')], [401, 'private, no-store'], 'a refusal')
  }),
]
