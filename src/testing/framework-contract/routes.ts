import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import type { AppClient, AppReply } from './app-client.ts'
import {
  appCase, AT, CROSS_SITE, ensureUntouched, HEADER_MODE, HOUR, login, MAC, nameOfCookie, pairOf, refusal, REFRESH, RT,
  SAME_ORIGIN, SIGNOUT, tokenHeaders,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

const refresh = (client: AppClient, headers: Readonly<Record<string, string>> = {}): Promise<AppReply> => (
  client.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, ...headers } })
)
const refreshWith = (client: AppClient, cookie: string): Promise<AppReply> => (
  client.send('POST', REFRESH, { jar: false, headers: { ...SAME_ORIGIN, cookie } })
)

/** The token with another signature. */
const forge = (token: string): string => {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

/** What Keyturn's own routes return. */
export const routeCases: readonly FrameworkCase[] = [
  appCase('refresh: 200 {} with new tokens and a new front token, not cached, one store call', 'plain', async app => {
    const client = app.client()
    await login(client)
    const before = [client.cookie(AT), client.cookie(RT)]
    await app.advance(HOUR)
    await app.control({})
    const reply = await refresh(client, { rid: 'session', 'fdi-version': '9.9' })
    ensureEqual([reply.status, reply.body], [200, '{}'], 'the answer')
    ensureEqual(reply.setCookies.map(nameOfCookie), [AT, MAC, RT], 'the pair')
    ensure(client.cookie(AT) !== before[0] && client.cookie(RT) !== before[1], 'is new')
    ensurePresent(reply.header('front-token'), 'the front token')
    ensureEqual(reply.header('cache-control'), 'private, no-store', 'not cached')
    ensureEqual(reply.header('content-type'), 'application/json; charset=utf-8', 'typed')
    ensureEqual((await app.control({})).calls, ['rotate'], 'store calls')
    ensureEqual((await client.send('GET', '/me')).status, 200, 'and it works')
  }),

  appCase('refresh: repeated with the old token returns the same child', 'plain', async app => {
    const client = app.client()
    await login(client)
    const old = pairOf(client)
    await refresh(client)
    const again = await refreshWith(client, old)
    ensureEqual(again.status, 200, 'the answer may have been lost')
    ensure(again.setCookies.some(line => line.startsWith(`${RT}=${client.cookie(RT)};`)), 'the same child')
  }),

  appCase('ROT-15: a refresh that must wait is answered with 503 and not reported', 'plain', async app => {
    const client = app.client()
    await login(client)
    await app.advance(HOUR)
    const pair = pairOf(client)
    // Every answer is lost for 4.5 reuse intervals.
    for (const pause of [0, 30_000, 45_000, 42_000]) {
      await app.advance(pause)
      ensureEqual((await refreshWith(client, pair)).status, 200, `after ${pause} ms`)
    }
    await app.advance(18_000)
    const reply = await refreshWith(client, pair)
    ensureEqual(refusal(reply), [503, 'session service unavailable'], 'must wait')
    ensureEqual(reply.header('retry-after'), '43', 'and knows for how long')
    ensureUntouched(reply, 'must wait')
    ensureEqual((await app.control({})).reported, 0, 'nothing is reported')
  }),

  appCase('refresh: ten at once return the same token', 'plain', async app => {
    const client = app.client()
    await login(client)
    const pair = pairOf(client)
    await app.advance(HOUR)
    const replies = await Promise.all(Array.from({ length: 10 }, () => refreshWith(client, pair)))
    const tokens = replies.map(reply => reply.setCookies.find(line => nameOfCookie(line) === RT)?.split(';')[0])
    ensureEqual(replies.map(({ status }) => status), replies.map(() => 200), 'all succeed')
    ensureEqual(new Set(tokens).size, 1, 'with one token')
  }),

  appCase('refresh: in header mode the tokens are in headers', 'plain', async app => {
    const client = app.client()
    const first = await login(client, 'alice', HEADER_MODE)
    const reply = await client.send('POST', REFRESH, {
      headers: { authorization: `Bearer ${first.header('st-refresh-token')}`, ...HEADER_MODE },
    })
    ensureEqual([reply.status, reply.body], [200, '{}'], 'the answer')
    ensureEqual(reply.setCookies, [], 'no cookie')
    ensure(reply.header('st-refresh-token') !== first.header('st-refresh-token'), 'a new refresh token')
    const headers = { authorization: `Bearer ${reply.header('st-access-token')}` }
    ensureEqual((await client.send('GET', '/me', { headers })).status, 200, 'and it works')
  }),

  appCase('refresh: without a token is 401 and front-token: remove, and no cookie changes', 'plain', async app => {
    const reply = await refresh(app.client(), { rid: 'session' })
    ensureEqual(refusal(reply), [401, 'unauthorised'], 'refused')
    ensureEqual(reply.header('front-token'), 'remove', 'the front end is notified')
    ensureEqual(reply.setCookies, [], 'no cookie')
  }),

  appCase('refresh: of a revoked session is 401 and clears cookies; a forged token clears none', 'plain', async app => {
    const client = app.client()
    const { handle } = await login(client)
    const token = client.cookie(RT) ?? ''
    const forged = token.slice(0, -1) + (token.endsWith('A') ? 'E' : 'A')
    const refused = await refreshWith(client, `${AT}=${client.cookie(AT)}; ${RT}=${forged}`)
    ensureEqual(refusal(refused), [401, 'unauthorised'], 'forged')
    ensureEqual(refused.setCookies, [], 'unchanged')
    await app.control({ revoke: handle })
    const reply = await refresh(client)
    ensureEqual([...refusal(reply), reply.header('front-token')], [401, 'unauthorised', 'remove'], 'ended')
    ensureEqual(reply.setCookies.map(nameOfCookie), [AT, MAC, RT], 'cleared')
  }),

  appCase('refresh: reuse is 401, clears the tokens and revokes the session for both parties', 'plain', async app => {
    const client = app.client()
    await login(client)
    const stolen = pairOf(client)
    for (let turn = 0; turn < 2; turn++) {
      await app.advance(HOUR)
      ensureEqual((await refresh(client)).status, 200, 'the owner refreshes')
    }
    const reply = await refreshWith(client, stolen)
    ensureEqual(refusal(reply), [401, 'token theft detected'], 'reuse is detected')
    ensureEqual(reply.header('front-token'), 'remove', 'the front end is notified')
    ensureEqual(reply.setCookies.map(nameOfCookie), [AT, MAC, RT], 'cleared')
    ensureEqual([(await client.send('GET', '/me')).status, (await refresh(client)).status], [401, 401], 'ended')
  }),

  appCase('refresh: without the store is 503 and clears nothing; later it works', 'plain', async app => {
    const client = app.client()
    await login(client)
    await app.control({ storeDown: true })
    const reply = await refresh(client)
    ensureEqual(refusal(reply), [503, 'session service unavailable'], 'unavailable')
    ensureEqual(reply.header('retry-after'), '1', 'Retry-After')
    ensureUntouched(reply, 'without the store')
    ensureEqual((await app.control({ storeDown: false })).reported, 1, 'the error is reported')
    ensureEqual((await refresh(client)).status, 200, 'later')
  }),

  appCase('refresh: another site cannot trigger it or clear anything', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const options of [{}, { jar: false }]) {
      const reply = await client.send('POST', REFRESH, { headers: CROSS_SITE, ...options })
      ensureEqual(refusal(reply), [403, 'cross-site request refused'], 'refused')
      ensureUntouched(reply, 'refused')
    }
    ensureEqual((await refresh(client)).status, 200, 'the session is active')
  }),

  appCase('refresh: a body is not read', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const body of [{ refreshToken: { $gt: '' } }, 'x'.repeat(50_000)]) {
      ensureEqual((await client.send('POST', REFRESH, { headers: SAME_ORIGIN, body })).status, 200, 'ignored')
    }
  }),

  appCase('sign-out: revokes the presented session and no other, and clears its tokens', 'plain', async app => {
    const [alice, bob] = [app.client(), app.client()]
    await login(alice)
    const { handle } = await login(bob, 'bob')
    const pair = pairOf(alice)
    const reply = await alice.send('POST', SIGNOUT, { headers: SAME_ORIGIN, body: { handle } })
    ensureEqual([reply.status, reply.body], [200, '{"status":"OK"}'], 'the answer')
    ensureEqual(reply.header('front-token'), 'remove', 'the front end is notified')
    ensureEqual(reply.setCookies.map(nameOfCookie), [AT, MAC, RT], 'cleared')
    ensureEqual((await bob.send('GET', '/me')).status, 200, 'no other session')
    ensureEqual((await alice.send('GET', '/me', { headers: { cookie: pair } })).status, 401, 'ended')
    ensureEqual((await refreshWith(alice, pair)).status, 401, 'for good')
  }),

  appCase('sign-out: in header mode clears the headers only, also on the tenant\'s path', 'plain', async app => {
    for (const path of [SIGNOUT, '/auth/public/signout']) {
      const client = app.client()
      const { header } = await login(client, 'alice', HEADER_MODE)
      const authorization = `Bearer ${header('st-access-token')}`
      const reply = await client.send('POST', path, { headers: { authorization } })
      ensureEqual(reply.status, 200, path)
      ensureEqual(tokenHeaders.map(reply.header), ['remove', '', ''], 'cleared')
      ensureEqual(reply.setCookies, [], 'no cookie')
    }
  }),

  appCase('L-04: sign-out works after the access token has expired, and with the refresh token', 'plain', async app => {
    for (const route of [SIGNOUT, '/steps']) {
      const client = app.client()
      const { handle } = await login(client)
      const { header } = await login(app.client(), 'leo', HEADER_MODE)
      const second = (await login(app.client(), 'mia', HEADER_MODE)).header('st-refresh-token')
      await app.advance(HOUR)
      const body = { steps: ['sign-out'] }
      const crossSite = await client.send('POST', SIGNOUT, { headers: CROSS_SITE })
      ensureEqual(refusal(crossSite), [403, 'cross-site request refused'], 'from another site')
      const cookie = `${AT}=${forge(client.cookie(AT) ?? '')}`
      const forged = await client.send('POST', SIGNOUT, { headers: { ...SAME_ORIGIN, cookie }, jar: false })
      ensureEqual(forged.status, 401, 'a wrong signature')
      ensureUntouched(forged, 'a wrong signature')
      await app.control({})
      const reply = await client.send('POST', route, { headers: SAME_ORIGIN, body })
      ensureEqual([reply.status, reply.header('front-token')], [200, 'remove'], `${route}, expired`)
      ensureEqual([AT, RT].filter(name => client.cookie(name) !== undefined), [], 'cleared')
      ensureEqual((await app.control({ sessionsOf: 'alice' })).calls, ['remove'], `the session ${handle} was active`)
      ensureEqual((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status, 401, 'there is no session now')
      for (const token of [header('st-access-token'), second]) {
        const authorization = `Bearer ${token}`
        const left = await client.send('POST', route, { headers: { authorization }, jar: false, body })
        ensureEqual(left.status, 200, `${route}, in header mode`)
        ensureEqual(tokenHeaders.map(left.header), ['remove', '', ''], 'cleared')
      }
      for (const user of ['leo', 'mia']) {
        ensureEqual((await app.control({ sessionsOf: user })).outcome, '0', `${user} has no session`)
      }
    }
  }),

  appCase('sign-out: without a session is 401; from another site 403', 'plain', async app => {
    const client = app.client()
    const none = await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })
    ensureEqual(refusal(none), [401, 'unauthorised'], 'none')
    ensureUntouched(none, 'none')
    await login(client)
    const crossSite = await client.send('POST', SIGNOUT, { headers: CROSS_SITE })
    ensureEqual(refusal(crossSite), [403, 'cross-site request refused'], 'from another site')
    ensureUntouched(crossSite, 'from another site')
  }),

  ...(['plain', 'mounted'] as const).map(variant => (
    appCase(`L-12: ${variant}: a request target in absolute form reaches Keyturn's routes`, variant, async app => {
      const client = app.client()
      await login(client)
      // Some servers refuse this form whatever it asks for, and Next.js redirects: then nothing reaches Keyturn.
      if ([308, 400].includes((await client.send('GET', '/me', { absolute: true })).status)) return
      const key = await client.send('GET', '/auth/jwt/jwks.json?a=/b', { absolute: true })
      ensureEqual([key.status, typeof key.member('keys')], [200, 'object'], 'the key set')
      const refreshed = await client.send('POST', REFRESH, { headers: SAME_ORIGIN, absolute: true })
      const renewed = refreshed.setCookies.map(nameOfCookie).filter(name => name === AT || name === RT)
      ensureEqual([refreshed.status, renewed], [200, [AT, RT]], 'refresh')
      const refused = await client.send('POST', SIGNOUT, { headers: CROSS_SITE, absolute: true })
      ensureEqual(refusal(refused), [403, 'cross-site request refused'], 'from another site')
      const signout = await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN, absolute: true })
      ensureEqual([signout.status, client.cookieNames.filter(name => name === AT)], [200, []], 'sign-out')
    })
  )),

  appCase('routes: a method that a route does not serve is answered with 405', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const path of [REFRESH, SIGNOUT]) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
        const reply = await client.send(method, path, { headers: SAME_ORIGIN })
        ensureEqual([reply.status, reply.header('allow')], [405, 'POST, OPTIONS'], `${method} ${path}`)
      }
    }
    const keys = await client.send('POST', '/auth/jwt/jwks.json', { headers: SAME_ORIGIN })
    ensureEqual([keys.status, keys.header('allow')], [405, 'GET, HEAD, OPTIONS'], 'POST to the key set')
    ensureEqual((await client.send('GET', '/me')).status, 200, 'the session is active')
  }),

  appCase('routes: the key set is public and cacheable, and is answered with 304 if unchanged', 'plain', async app => {
    await login(app.client())
    const headers = { origin: 'https://other.example' }
    const reply = await app.client().send('GET', '/auth/jwt/jwks.json', { headers })
    ensureEqual(reply.status, 200, 'status')
    ensureEqual(reply.header('cache-control'), 'public, max-age=60, must-revalidate', 'may be cached')
    ensureEqual(reply.header('access-control-allow-origin'), '*', 'readable from every origin')
    ensureEqual(reply.header('access-control-allow-credentials'), null, 'without credentials')
    ensure(Array.isArray(reply.member('keys')) && !reply.body.includes('"d":'), 'public keys')
    const etag = reply.header('etag') ?? ''
    const again = await app.client().send('GET', '/auth/jwt/jwks.json', { headers: { 'if-none-match': etag } })
    ensureEqual([again.status, again.body], [304, ''], 'the same')
    const head = await app.client().send('HEAD', '/auth/jwt/jwks.json')
    ensureEqual([head.status, head.body, head.header('etag')], [200, '', etag], 'HEAD')
  }),

  appCase('routes: discovery names the issuer and the key set', 'plain', async app => {
    const reply = await app.client().send('GET', '/auth/.well-known/openid-configuration')
    ensureEqual(JSON.parse(reply.body), {
      issuer: 'https://app.example.com/auth', jwks_uri: 'https://app.example.com/auth/jwt/jwks.json',
    }, 'discovery')
  }),

  appCase('routes: other paths are left to the application', 'plain', async app => {
    const client = app.client()
    const paths = ['/auth', '/auth/other', '/authentic', '/auth/session', '/session/refresh', '/auth/a/b/signout']
    for (const path of paths) {
      const reply = await client.send('POST', path, { headers: SAME_ORIGIN })
      ensureEqual(reply.status, 404, path)
      ensureUntouched(reply, path)
    }
    ensureEqual((await refresh(client)).status, 401, 'but a route of Keyturn is served')
    const slashed = await client.send('POST', `${REFRESH}/?a=b`, { headers: SAME_ORIGIN })
    ensureEqual(slashed.status, 401, 'with a slash and a query too')
  }),
]
