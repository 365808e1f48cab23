import { createServer } from 'node:http'
import Koa from 'koa'
import { expect, onTestFinished, test } from 'vitest'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { listen } from '../support/serve-web.ts'
import { AT, ORIGIN, RT, SAME_ORIGIN } from '../support/session-server.ts'
import { startKoaApp } from './apps/koa.ts'

test('L-40: the answer to an error of the application has the headers for CORS and of a new session', async () => {
  const sessions = koaSessions(createSessions({ origin: ORIGIN, ...inMemory() }))
  const app = new Koa().use(sessions.errorHandler()).use(sessions.cors()).use(async context => {
    context.set('x-own', 'yes')
    if (context.method === 'POST') await sessions.createNewSession(context, 'alice')
    context.throw(422)
  })
  app.silent = true
  const { port, close } = await listen(createServer(app.callback()))
  onTestFinished(close)
  const url = `http://127.0.0.1:${port}/`
  const refused = await fetch(url, { headers: { origin: ORIGIN } })
  expect([refused.status, refused.headers.get('access-control-allow-origin'), refused.headers.get('x-own')])
    .toEqual([422, ORIGIN, null])
  const login = await fetch(url, { method: 'POST', headers: SAME_ORIGIN })
  expect(login.headers.getSetCookie().map(line => line.split('=')[0])).toEqual([AT, `${AT}Mac`, RT])
  expect([login.headers.get('cache-control'), login.headers.has('front-token')]).toEqual(['private, no-store', true])
})

runFrameworkContract('Koa', startKoaApp)
