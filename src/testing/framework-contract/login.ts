import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import { parseSetCookie } from './app-client.ts'
import {
  appCase, AT, CROSS_SITE, ensureUntouched, frontTokenOf, HEADER_MODE, login, MAC, nameOfCookie, pairOf, refusal,
  REFRESH, RT, SAME_ORIGIN,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

const DAY = 86_400_000

/** What a login returns, and what the application may do in the same response. */
export const loginCases: readonly FrameworkCase[] = [
  appCase('login: in cookie mode, sets three protected cookies and a front token', 'plain', async app => {
    const { now } = await app.control({})
    const client = app.client()
    const reply = await login(client, 'älice')
    const [access, mac, refresh] = [AT, MAC, RT].map(name => (
      ensurePresent(reply.setCookies.find(line => nameOfCookie(line) === name), `sets ${name}`)
    )).map(parseSetCookie)
    const guarded = { domain: null, secure: true, httpOnly: true, sameSite: 'lax' }
    ensureEqual(
      { ...access, value: '' }, { ...guarded, name: AT, value: '', path: '/', expires: now + 365 * DAY },
      'the access token',
    )
    ensureEqual({ ...mac, name: AT, value: '' }, { ...access, value: '' }, 'the MAC, as the access token')
    ensureEqual(
      { ...refresh, value: '' }, { ...guarded, name: RT, value: '', path: REFRESH, expires: now + 100 * DAY },
      'the refresh token',
    )
    const { uid, up } = frontTokenOf(reply)
    ensureEqual(uid, 'älice', 'the front token names the user')
    ensure(JSON.stringify(up).includes('"role":"reader"'), 'the front token holds the claims')
    for (const name of ['st-access-token', 'st-refresh-token', 'anti-csrf']) {
      ensureEqual(reply.header(name), null, `no ${name} in cookie mode`)
    }
    ensureEqual((await client.send('GET', '/me')).member('userId'), 'älice', 'the session works')
  }),

  appCase('login: in header mode, sets the tokens in headers and no cookie', 'plain', async app => {
    const reply = await login(app.client(), 'alice', { ...HEADER_MODE, origin: 'https://anywhere.example' })
    const names = reply.setCookies.map(nameOfCookie).toSorted()
    ensureEqual(names, ['first', 'second'], 'only the application\'s own cookies')
    ensurePresent(reply.header('st-access-token'), 'the access token')
    ensurePresent(reply.header('st-refresh-token'), 'the refresh token')
    ensureEqual(frontTokenOf(reply)['uid'], 'alice', 'the front token')
    const exposed = reply.header('access-control-expose-headers')?.split(', ') ?? []
    for (const name of ['front-token', 'st-access-token', 'st-refresh-token']) {
      ensure(exposed.includes(name), `exposes ${name}`)
    }
  }),

  appCase('login: the application\'s own cookies and headers are kept', 'plain', async app => {
    const reply = await login(app.client())
    ensureEqual(
      reply.setCookies.map(nameOfCookie).toSorted(), [AT, MAC, RT, 'first', 'second'].toSorted(),
      'every Set-Cookie line arrives',
    )
    for (const line of reply.setCookies) {
      ensure(!/, *(?:first|second|__)/.test(line), 'no two cookies share a line')
    }
    const exposed = reply.header('access-control-expose-headers')?.split(/, */) ?? []
    ensure(exposed.includes('x-app'), 'what the application exposes stays exposed')
    ensureEqual(exposed.length, new Set(exposed).size, 'nothing is exposed twice')
  }),

  appCase('login: a response that carries tokens names in Vary what it depends on', 'plain', async app => {
    for (const headers of [SAME_ORIGIN, HEADER_MODE]) {
      const reply = await login(app.client(), 'alice', headers)
      const vary = reply.header('vary')?.toLowerCase().split(/, */) ?? []
      for (const name of ['cookie', 'authorization']) ensure(vary.includes(name), `Vary names ${name}`)
    }
  }),

  appCase('login: another site cannot log a user in', 'plain', async app => {
    for (const headers of [CROSS_SITE, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }]) {
      const reply = await app.client().send('POST', '/login', { headers, body: { userId: 'mallory' } })
      ensureEqual(refusal(reply), [403, 'cross-site request refused'], 'refused')
      ensureUntouched(reply, 'refused')
    }
  }),

  appCase('L-01: a login may end a navigation from another site', 'plain', async app => {
    const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const form = { ...navigation, origin: 'https://id.example', 'content-type': 'application/json' }
    for (const site of ['cross-site', 'same-site']) {
      const client = app.client()
      const landed = await client.send('GET', '/callback?code=1', {
        headers: { ...navigation, 'sec-fetch-site': site },
      })
      ensureEqual(landed.status, 200, `a redirect, ${site}`)
      ensureEqual((await client.send('GET', '/me')).member('handle'), landed.member('handle'), 'logged in')
      for (const origin of [form.origin, 'null']) {
        const headers = { ...form, origin, 'sec-fetch-site': site }
        const posted = await app.client().send('POST', '/callback', { headers, body: '{}' })
        ensureEqual(posted.status, 200, `a form with origin ${origin}, ${site}, with allowCrossSitePost`)
        const other = await app.client().send('POST', '/login', { headers, body: '{"userId":"mallory"}' })
        ensureEqual(refusal(other), [403, 'cross-site request refused'], 'a form, without the option')
        ensureUntouched(other, 'a form, without the option')
      }
    }
    for (const other of [
      { 'sec-fetch-dest': 'iframe' }, { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' }, { 'sec-purpose': 'prefetch' },
    ]) {
      for (const method of ['GET', 'POST']) {
        const origin = method === 'GET' ? {} : { origin: form.origin }
        const headers = { ...navigation, ...other, ...origin, 'sec-fetch-site': 'cross-site' }
        const reply = await app.client().send(method, '/callback', { headers })
        ensureEqual(refusal(reply), [403, 'cross-site request refused'], `${method} ${JSON.stringify(other)}`)
        ensureUntouched(reply, 'refused')
      }
    }
  }),

  appCase('login: with an existing session revokes that session', 'plain', async app => {
    const client = app.client()
    await login(client)
    const old = pairOf(client)
    await login(client, 'bob')
    ensureEqual((await client.send('GET', '/me')).member('userId'), 'bob', 'the new session')
    const reply = await app.client().send('POST', REFRESH, { headers: { ...SAME_ORIGIN, cookie: old } })
    ensureEqual(reply.status, 401, 'the old one has ended')
  }),

  appCase('login: in the other transfer mode clears the tokens of the previous mode', 'plain', async app => {
    const client = app.client()
    await login(client)
    const header = await login(client, 'alice', HEADER_MODE)
    ensure(!client.cookieNames.includes(AT) && !client.cookieNames.includes(RT), 'the cookies are cleared')
    ensureEqual(frontTokenOf(header)['uid'], 'alice', 'the tokens are set after the old ones are cleared')
    const authorization = `Bearer ${header.header('st-access-token')}`
    const cookie = await login(client, 'alice', { ...SAME_ORIGIN, authorization })
    ensureEqual(['st-access-token', 'st-refresh-token'].map(cookie.header), ['', ''], 'the headers are cleared')
  }),

  appCase('login: without the store returns 503 and sets nothing', 'plain', async app => {
    await app.control({ storeDown: true })
    const reply = await app.client().send('POST', '/login', { headers: SAME_ORIGIN, body: { userId: 'alice' } })
    ensureEqual(refusal(reply), [503, 'session service unavailable'], 'unavailable')
    ensureEqual(reply.header('retry-after'), '1', 'Retry-After')
    ensureUntouched(reply, 'without the store')
    ensureEqual((await app.control({ storeDown: false })).reported, 1, 'the error is reported')
  }),

  appCase('login: costs one store call; a request costs none', 'plain', async app => {
    const client = app.client()
    await client.send('GET', '/me')
    await app.control({})
    await login(client)
    await client.send('GET', '/me')
    await client.send('POST', '/act', { headers: SAME_ORIGIN })
    ensureEqual((await app.control({})).calls, ['insert'], 'store calls')
  }),
]
