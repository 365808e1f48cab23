import { ensure, ensureEqual } from '../assert.ts'
import {
  appCase, AT, CROSS_SITE, ensureUntouched, HOUR, login, MAC, nameOfCookie, refusal, REFRESH, RT, SAME_ORIGIN, SIGNOUT,
} from './framework-case.ts'
import type { ContractApp, FrameworkCase } from './framework-case.ts'

/** What a framework must do as if there were no sessions. */
export const handlingCases: readonly FrameworkCase[] = [
  appCase('handling: a stream is passed on piece by piece', 'plain', async app => {
    const client = app.client()
    const { handle } = await login(client)
    for (const changed of [false, true]) {
      if (changed) await app.control({ change: handle })
      const reply = await client.open('GET', '/stream')
      ensureEqual(reply.status, 200, 'status')
      const carries = reply.headers.some(([name]) => name.toLowerCase() === 'front-token')
      ensureEqual(carries, changed, 'the head carries a new token if there is one')
      let text = ''
      for await (const piece of reply.body) {
        text += piece
        if (text === 'one\n') await app.control({ release: true })
      }
      ensureEqual(text, 'one\ntwo\n', 'every piece')
    }
  }),

  appCase('L-32: a handler that has read session.signal is not remembered once its response is sent', 'plain',
    async app => {
      const client = app.client()
      await login(client)
      for (let requests = 0; requests < 20; requests++) {
        const reply = await client.send('POST', '/steps', { headers: SAME_ORIGIN, body: { steps: ['get', 'signal'] } })
        ensureEqual(reply.member('outcomes'), ['alice, reader', 'not aborted'], 'read')
      }
      // The client has a response before the server has noticed that it was sent. This request is not one of the 20.
      let watched = 20
      for (let attempts = 0; attempts < 100 && watched > 0; attempts++) watched = (await app.control({})).watched
      ensureEqual(watched, 0, 'how many are remembered')
    }),

  appCase('handling: the body of a request reaches the handler unchanged', 'plain', async app => {
    const client = app.client()
    await login(client)
    const body = `ü${'0123456789'.repeat(5000)}`
    const reply = await client.send('POST', '/echo', { headers: SAME_ORIGIN, body })
    ensureEqual([reply.status, reply.body], [200, body], 'untouched')
  }),

  appCase('handling: an error of the application reaches the framework\'s error handler', 'plain', async app => {
    const client = app.client()
    await login(client)
    await app.control({})
    const reply = await client.send('GET', '/fail')
    ensureEqual(reply.status, 500, 'the application\'s error handler answers')
    ensureEqual(reply.header('x-app-error'), 'the application failed', 'with the same error')
    ensureUntouched(reply, 'an error')
    ensureEqual((await app.control({})).reported, 0, 'and the adapter does not report it')
    ensureEqual((await client.send('GET', '/me')).status, 200, 'the session is active')
  }),

  appCase('handling: HEAD answers as GET does, without the body', 'plain', async app => {
    const client = app.client()
    for (const expected of [401, 200]) {
      if (expected === 200) await login(client)
      for (const route of ['/me', '/guarded']) {
        const [get, head] = [await client.send('GET', route), await client.send('HEAD', route)]
        ensureEqual([get.status, head.status, head.body], [expected, expected, ''], route)
        ensureEqual(head.header('content-type'), get.header('content-type'), `${route}: the same head`)
      }
    }
    ensureEqual((await client.send('HEAD', '/me', { headers: CROSS_SITE })).status, 200, 'HEAD is a reading method')
  }),

  appCase('handling: if a revocation fails, the response does not say that the session ended', 'plain', async app => {
    const client = app.client()
    await login(client)
    await app.control({ storeDown: true })
    for (const route of ['/revoke', SIGNOUT]) {
      const reply = await client.send('POST', route, { headers: SAME_ORIGIN })
      ensureEqual(refusal(reply), [503, 'session service unavailable'], route)
      ensureUntouched(reply, route)
    }
    ensureEqual((await client.send('GET', '/me')).status, 200, 'a request needs no store')
    ensureEqual((await app.control({ storeDown: false })).reported, 2, 'the error is reported')
  }),

  appCase('handling: all works under a prefix', 'mounted', async app => {
    await walk(app, '/api/auth/session/refresh')
    const outside = await app.client().send('GET', '/auth/.well-known/openid-configuration')
    ensureEqual(outside.member('issuer'), 'https://app.example.com/api/auth', 'the prefix is part of the issuer')
  }),

  appCase('handling: all works behind a proxy that removes a prefix', 'proxied', async app => {
    await walk(app, '/gateway/auth/session/refresh')
    const discovery = await app.client().send('GET', '/auth/.well-known/openid-configuration')
    ensureEqual(discovery.member('jwks_uri'), 'https://app.example.com/gateway/auth/jwt/jwks.json', 'as clients see it')
  }),
]

/** A session from login to sign-out, with a jar that sends cookies only where their path allows it. */
async function walk(app: ContractApp, refreshPath: string): Promise<void> {
  const client = app.client()
  await login(client)
  ensureEqual(client.jar.find(({ name }) => name === RT)?.path, refreshPath, 'the path of the refresh token')
  for (const route of ['/me', '/guarded']) ensureEqual((await client.send('GET', route)).status, 200, route)
  await app.advance(HOUR)
  ensureEqual(refusal(await client.send('GET', '/me')), [401, 'try refresh token'], 'expired')
  const refreshed = await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
  ensureEqual(refreshed.setCookies.map(nameOfCookie), [AT, MAC, RT], 'refreshed')
  ensureEqual((await client.send('POST', '/act', { headers: SAME_ORIGIN })).status, 200, 'works again')
  ensureEqual((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status, 200, 'signed out')
  ensure(!client.cookieNames.includes(AT) && !client.cookieNames.includes(RT), 'cleared')
}
