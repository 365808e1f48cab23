import { createServer } from 'node:http'
import { H3, HTTPError } from 'h3'
import { toNodeHandler } from 'h3/node'
import { expect, test } from 'vitest'
import { h3Sessions } from '../../src/frameworks/h3.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { listen } from '../support/serve-web.ts'
import { AT, ORIGIN, RT, SAME_ORIGIN } from '../support/session-server.ts'
import { createH3App } from './apps/h3.ts'

test('S-09: headers that a handler sets besides its response cannot make tokens cacheable', async () => {
  const sessions = h3Sessions(createSessions({ origin: ORIGIN, ...inMemory() }))
  const app = new H3().use(sessions.sessionRoutes())
  app.post('/login', async event => {
    await sessions.createNewSession(event, 'alice')
    for (const prepared of [event.res.headers, event.res.errHeaders]) {
      prepared.set('cache-control', 'public, max-age=60')
      prepared.set('vary', 'Accept')
      prepared.set('x-own', 'yes')
    }
    const status = Number(event.url.searchParams.get('status'))
    return new Response('welcome', { status, headers: { 'set-cookie': 'own=1' } })
  })
  for (const status of [200, 418]) {
    const response = await app.request(`/login?status=${status}`, { method: 'POST', headers: SAME_ORIGIN })
    expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'private, no-store'])
    expect(response.headers.get('vary')).toBe('Accept, Cookie, Authorization')
    expect(response.headers.get('x-own')).toBe('yes')
    expect(response.headers.getSetCookie().map(line => line.split('=')[0])).toEqual(['own', AT, `${AT}Mac`, RT])
  }
  await sessions.close()
})

test('L-40: headers are sent with the answer without a route, and with an error that is returned', async () => {
  const sessions = h3Sessions(createSessions({ origin: ORIGIN, ...inMemory() }))
  const app = new H3({ silent: true }).use(sessions.cors()).use(sessions.sessionRoutes())
  app.post('/login', async event => {
    await sessions.createNewSession(event, 'alice')
    return new HTTPError({ status: 422 })
  })
  const lost = await app.request('/nowhere', { headers: { origin: ORIGIN } })
  expect([lost.status, lost.headers.get('access-control-allow-origin')]).toEqual([404, ORIGIN])
  const refused = await app.request('/login', { method: 'POST', headers: SAME_ORIGIN })
  expect(refused.status).toBe(422)
  expect(refused.headers.getSetCookie().map(line => line.split('=')[0])).toEqual([AT, `${AT}Mac`, RT])
  await sessions.close()
})

runFrameworkContract('h3', variant => listen(createServer(toNodeHandler(createH3App(variant)))))
