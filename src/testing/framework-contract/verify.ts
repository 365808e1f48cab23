import { ensure, ensureEqual } from '../assert.ts'
import {
  appCase, AT, CROSS_SITE, ensureUntouched, frontTokenOf, HEADER_MODE, HOUR, login, MAC, nameOfCookie, pairOf, refusal,
  REFRESH, RT, SAME_ORIGIN, tokenHeaders,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

/** The routes that show two styles: an explicit call, and the usual style of the framework. */
const styles = ['/me', '/guarded'] as const

/** What a route with a session returns. */
export const verifyCases: readonly FrameworkCase[] = [
  appCase('verify: both styles find the session, in cookie mode and in header mode', 'plain', async app => {
    const [browser, mobile] = [app.client(), app.client()]
    const { handle } = await login(browser)
    const header = await login(mobile, 'bob', HEADER_MODE)
    const authorization = `Bearer ${header.header('st-access-token')}`
    for (const route of styles) {
      const cookie = await browser.send('GET', route)
      ensureEqual(
        JSON.parse(cookie.body), { userId: 'alice', handle, tenantId: 'public', payload: { role: 'reader' } }, route,
      )
      ensureEqual((await mobile.send('GET', route, { headers: { authorization } })).member('userId'), 'bob', route)
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      ensureEqual((await browser.send(method, '/act', { headers: SAME_ORIGIN })).status, 200, `${method} with a cookie`)
      ensureEqual(
        (await mobile.send(method, '/act', { headers: { ...CROSS_SITE, authorization } })).member('userId'), 'bob',
        `${method} with a bearer token`,
      )
    }
  }),

  appCase('verify: readSession reports what a request carries, without errors and changes', 'plain', async app => {
    const client = app.client()
    const read = async (kind: string, userId: string | null): Promise<void> => {
      await app.control({})
      const reply = await client.send('GET', '/reading')
      ensureEqual([reply.status, JSON.parse(reply.body)], [200, { kind, userId }], kind)
      ensureUntouched(reply, kind)
      ensureEqual((await app.control({})).calls, [], `${kind}: no store call`)
    }
    await read('none', null)
    await login(client)
    await read('active', 'alice')
    await app.advance(HOUR)
    await read('needs-refresh', null)
  }),

  appCase('verify: without an access token a required session is 401, and clears nothing', 'plain', async app => {
    for (const route of styles) {
      const useless = [{}, { authorization: 'Bearer a.b.c' }, { cookie: `${AT}=junk` }, { authorization: 'Basic x' }]
      for (const headers of useless) {
        const reply = await app.client().send('GET', route, { headers })
        ensureEqual(refusal(reply), [401, 'unauthorised'], route)
        ensureUntouched(reply, route)
        const challenge = 'authorization' in headers && headers.authorization !== 'Basic x'
          ? 'Bearer error="invalid_token"'
          : null
        ensureEqual(reply.header('www-authenticate'), challenge, 'a challenge in header mode only')
        ensureEqual(reply.header('content-type'), 'application/json; charset=utf-8', 'typed')
        ensureEqual(reply.header('x-content-type-options'), 'nosniff', 'typed strictly')
        ensureEqual(reply.header('cache-control'), 'private, no-store', 'not cached')
      }
    }
  }),

  appCase('verify: an optional session is null without a token, and only then', 'plain', async app => {
    const client = app.client()
    for (const headers of [{}, { authorization: 'Bearer unrecognized' }]) {
      const reply = await client.send('GET', '/optional', { headers })
      ensureEqual([reply.status, reply.member('userId')], [200, null], 'no session')
    }
    await login(client)
    ensureEqual((await client.send('GET', '/optional')).member('userId'), 'alice', 'a session')
    await app.advance(HOUR)
    ensureEqual(refusal(await client.send('GET', '/optional')), [401, 'try refresh token'], 'an expired one')
  }),

  appCase('verify: an expired token is 401 try refresh token, and clears nothing', 'plain', async app => {
    const client = app.client()
    await login(client)
    await app.advance(HOUR)
    for (const route of styles) {
      const reply = await client.send('GET', route)
      ensureEqual(refusal(reply), [401, 'try refresh token'], route)
      ensureUntouched(reply, route)
    }
    ensureEqual((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status, 200, 'it can be refreshed')
    for (const route of styles) ensureEqual((await client.send('GET', route)).status, 200, `${route} afterwards`)
  }),

  appCase('verify: an invalid signature is refused in cookies and in headers', 'plain', async app => {
    const client = app.client()
    await login(client)
    const token = client.cookie(AT) ?? ''
    const broken = token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1)
    for (const headers of [{ cookie: `${AT}=${broken}` }, { authorization: `Bearer ${broken}` }]) {
      ensureEqual((await client.send('GET', '/me', { jar: false, headers })).status, 401, 'refused')
    }
  }),

  appCase('verify: a revoked session is 401 unauthorised and cleared, in both modes', 'plain', async app => {
    for (const route of styles) {
      const browser = app.client()
      await app.control({ revoke: (await login(browser)).handle })
      const reply = await browser.send('GET', route)
      ensureEqual(refusal(reply), [401, 'unauthorised'], route)
      ensureEqual(reply.header('front-token'), 'remove', 'the front end is notified')
      ensure(!browser.cookieNames.includes(AT) && !browser.cookieNames.includes(RT), 'the cookies are cleared')

      const header = await login(app.client(), 'alice', HEADER_MODE)
      await app.control({ revoke: header.handle })
      const authorization = `Bearer ${header.header('st-access-token')}`
      const second = await app.client().send('GET', route, { headers: { authorization } })
      ensureEqual(refusal(second), [401, 'unauthorised'], `${route} in header mode`)
      ensureEqual(tokenHeaders.map(second.header), ['remove', '', ''], 'cleared')
      ensureEqual(second.setCookies, [], 'no cookie in header mode')
    }
  }),

  appCase('verify: insufficient claims are 403 with the reasons; sufficient claims pass', 'plain', async app => {
    const client = app.client()
    await login(client)
    const refused = await client.send('GET', '/admin')
    ensureEqual(refusal(refused), [403, 'invalid claim'], 'refused')
    const reasons = [{ id: 'role', reason: { message: 'wrong value' } }]
    ensureEqual(refused.member('claimValidationErrors'), reasons, 'with the reasons')
    ensureUntouched(refused, 'refused')
    await client.send('POST', '/payload', { headers: SAME_ORIGIN, body: { role: 'admin' } })
    ensureEqual((await client.send('GET', '/admin')).status, 200, 'with the right claim')
  }),

  appCase('verify: a payload that was updated elsewhere is in the next response, once', 'plain', async app => {
    for (const route of styles) {
      const client = app.client()
      const { handle } = await login(client)
      const before = [client.cookie(AT), client.cookie(RT)]
      await app.control({ change: handle })
      const reply = await client.send('GET', route)
      ensureEqual(reply.member('payload'), { role: 'editor' }, route)
      ensure(JSON.stringify(frontTokenOf(reply)['up']).includes('"editor"'), 'the front end is notified')
      ensure(client.cookie(AT) !== before[0] && client.cookie(RT) === before[1], 'a new access token alone')
      ensureEqual(reply.header('cache-control'), 'private, no-store', 'not cached')
      ensureUntouched(await client.send('GET', route), 'the answer after it')
    }
  }),

  appCase('verify: duplicate cookies of one session work in any order; of two sessions, none', 'plain', async app => {
    const [alice, mallory] = [app.client(), app.client()]
    await login(alice)
    await login(mallory, 'mallory')
    const [own, other] = [alice.cookie(AT), mallory.cookie(AT)]
    const read = (...tokens: (string | undefined)[]): ReturnType<typeof alice.send> => alice.send('GET', '/me', {
      jar: false, headers: { cookie: tokens.map(token => `${AT}=${token}`).join('; ') },
    })
    for (const tokens of [['junk', own], [own, 'junk'], [own, own]]) {
      ensureEqual((await read(...tokens)).member('userId'), 'alice', 'the valid cookie is found')
    }
    for (const tokens of [[own, other], [other, own]]) {
      const reply = await read(...tokens)
      ensureEqual(refusal(reply), [401, 'try refresh token'], 'two sessions')
      ensureUntouched(reply, 'two sessions')
    }
  }),

  appCase('verify: cookies split over several lines are one list', 'plain', async app => {
    const client = app.client()
    await login(client)
    const cookie = ['a=1', `${AT}=${client.cookie(AT)}`, 'b=2']
    ensureEqual((await client.send('GET', '/me', { jar: false, headers: { cookie } })).status, 200, 'verify')
    const pair = pairOf(client).split('; ')
    const headers = { ...SAME_ORIGIN, cookie: pair }
    ensureEqual((await client.send('POST', REFRESH, { jar: false, headers })).status, 200, 'refresh')
  }),

  appCase('verify: malformed cookies are ignored and cause no error', 'plain', async app => {
    const client = app.client()
    await login(client)
    const token = client.cookie(AT)
    for (const cookie of [
      `${AT}=%`, `${AT}=%c0%ae`, AT, `=${AT}=${token}`, `$Version=1, ${AT}=${token}`, `${AT}="${token}"`, ';;;;',
      '__proto__=1', `"${AT}"=${token}`, `${AT}=${'a'.repeat(6000)}`, `${AT}=x;`.repeat(100),
    ]) {
      const reply = await client.send('GET', '/me', { jar: false, headers: { cookie } })
      ensureEqual(reply.status, 401, cookie.slice(0, 60))
    }
    ensureEqual((await app.control({})).reported, 0, 'nothing to report')
  }),

  appCase('verify: a token of one transfer mode is refused in the other', 'plain', async app => {
    const client = app.client()
    await login(client)
    const header = await login(app.client(), 'alice', HEADER_MODE)
    for (const headers of [
      { authorization: `Bearer ${client.cookie(AT)}` },
      { cookie: `${AT}=${header.header('st-access-token')}` },
      { 'st-access-token': header.header('st-access-token') ?? '' },
    ]) ensureEqual((await client.send('GET', '/me', { jar: false, headers })).status, 401, 'refused')
    const query = `/me?access_token=${header.header('st-access-token')}`
    ensureEqual((await client.send('GET', query, { jar: false })).status, 401, 'a query is not read')
  }),

  appCase('session: updates its payload for this request, this client and the next request', 'plain', async app => {
    const client = app.client()
    await login(client)
    const reply = await client.send('POST', '/payload', { headers: SAME_ORIGIN, body: { role: 'writer' } })
    ensureEqual(reply.member('payload'), { role: 'writer' }, 'this request')
    ensureEqual(reply.setCookies.map(nameOfCookie), [AT, MAC], 'this client')
    ensureEqual((await client.send('GET', '/me')).member('payload'), { role: 'writer' }, 'the next request')
  }),

  appCase('session: of two changes in one request, the client gets the last', 'plain', async app => {
    const client = app.client()
    const { handle } = await login(client)
    await app.control({ change: handle })
    const changed = await client.send('POST', '/payload', { headers: SAME_ORIGIN, body: { role: 'writer' } })
    ensure(JSON.stringify(frontTokenOf(changed)['up']).includes('"writer"'), 'the handler came after the change')
    ensureEqual((await client.send('GET', '/me')).member('payload'), { role: 'writer' }, 'and its cookie counts')
    await app.control({ change: handle })
    const ended = await client.send('POST', '/revoke', { headers: SAME_ORIGIN })
    ensureEqual([ended.status, ended.header('front-token')], [200, 'remove'], 'the end comes last')
    ensure(!client.cookieNames.includes(AT) && !client.cookieNames.includes(RT), 'the cookies are cleared')
  }),

  appCase('session: keeps session data', 'plain', async app => {
    const client = app.client()
    await login(client)
    const written = await client.send('PUT', '/info', { headers: SAME_ORIGIN, body: { note: 'ü' } })
    ensureEqual(written.status, 200, 'written')
    ensureEqual(JSON.parse((await client.send('GET', '/info')).body), { note: 'ü' }, 'read')
  }),

  appCase('session: if a handler revokes it, it ends and this response clears the tokens', 'plain', async app => {
    const client = app.client()
    await login(client)
    const pair = pairOf(client)
    const reply = await client.send('POST', '/revoke', { headers: SAME_ORIGIN })
    ensureEqual([reply.status, reply.header('front-token')], [200, 'remove'], 'cleared')
    ensure(!client.cookieNames.includes(AT) && !client.cookieNames.includes(RT), 'the cookies are cleared')
    ensureEqual((await client.send('GET', '/me', { headers: { cookie: pair } })).status, 401, 'it has ended')
  }),
]
