import { ensure, ensureEqual } from '../assert.ts'
import {
  appCase, CROSS_SITE, ensureUntouched, login, refusal, REFRESH, SAME_ORIGIN, SIGNOUT,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'
import { APP_ORIGIN, FRONT_END_ORIGIN } from './fixture.ts'

/** A token in the format of another application's access token. */
const OTHER_TOKEN = [{ alg: 'ES256' }, { iss: 'https://example.com/auth', sub: 'ada' }, {}]
  .map(part => btoa(JSON.stringify(part)).replaceAll('=', '')).join('.')

const strangers: readonly Readonly<Record<string, string>>[] = [
  CROSS_SITE,
  { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' },
  { 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.tld' },
  { origin: 'null' },
  { origin: 'http://app.example.com' },
  { origin: 'https://app.example.com.evil.tld' },
  {},
  { rid: '' },
  { 'st-auth-mode': 'header', authorization: 'Bearer junk' },
  { ...CROSS_SITE, 'x-http-method-override': 'GET' },
  { 'x-forwarded-host': 'evil.tld', 'x-forwarded-proto': 'https', origin: 'https://evil.tld' },
]

const friends: readonly Readonly<Record<string, string>>[] = [
  SAME_ORIGIN,
  { 'sec-fetch-site': 'none' },
  { origin: APP_ORIGIN },
  { 'sec-fetch-site': 'same-site', origin: FRONT_END_ORIGIN },
  { rid: 'anti-csrf' },
]

/** What cross-site requests may do. */
export const crossSiteCases: readonly FrameworkCase[] = [
  appCase('cross-site: a cross-site request can change nothing', 'plain', async app => {
    const client = app.client()
    await login(client)
    const { jar } = client
    for (const headers of strangers) {
      const changing = [['POST', '/act'], ['DELETE', '/act'], ['POST', REFRESH], ['POST', SIGNOUT]] as const
      for (const [method, path] of changing) {
        const reply = await client.send(method, path, { headers })
        ensureEqual(refusal(reply), [403, 'cross-site request refused'], `${method} ${path} ${JSON.stringify(headers)}`)
        ensureUntouched(reply, path)
      }
    }
    ensureEqual(client.jar, jar, 'no cookie has changed')
    ensureEqual((await client.send('GET', '/me', { headers: CROSS_SITE })).status, 200, 'CORS protects reading')
  }),

  appCase('cross-site: requests of our own pages, trusted origins and other clients pass', 'plain', async app => {
    for (const headers of friends) {
      const client = app.client()
      await login(client)
      ensureEqual((await client.send('POST', '/act', { headers })).status, 200, JSON.stringify(headers))
      ensureEqual((await client.send('POST', REFRESH, { headers })).status, 200, 'refresh')
      ensureEqual((await client.send('POST', SIGNOUT, { headers })).status, 200, 'sign-out')
    }
  }),

  appCase('cross-site: enableCsrfProtection overrides the default, either way', 'plain', async app => {
    const client = app.client()
    await login(client)
    ensureEqual((await client.send('GET', '/always', { headers: CROSS_SITE })).status, 403, 'true checks a GET')
    ensureEqual((await client.send('GET', '/always', { headers: SAME_ORIGIN })).status, 200, 'and lets our own pass')
    ensureEqual((await client.send('POST', '/never', { headers: CROSS_SITE })).status, 200, 'false checks no POST')
  }),

  appCase('cross-site: with anti-CSRF tokens, unsafe methods need the token of the session', 'token', async app => {
    const [alice, mallory] = [app.client(), app.client()]
    const own = (await login(alice)).header('anti-csrf') ?? ''
    const other = (await login(mallory, 'mallory')).header('anti-csrf') ?? ''
    ensure(own !== '' && own !== other, 'a login brings a token')
    const act = (token: string | null): ReturnType<typeof alice.send> => (
      alice.send('POST', '/act', { headers: { ...SAME_ORIGIN, ...token === null ? {} : { 'anti-csrf': token } } })
    )
    ensureEqual((await act(own)).status, 200, 'the token of the session')
    for (const token of [null, 'null', other, `${own}x`]) {
      ensureEqual(refusal(await act(token)), [401, 'try refresh token'], token === null ? 'no token' : 'another token')
    }
    ensureEqual((await alice.send('GET', '/me')).status, 200, 'reading needs none')
    const refused = await alice.send('POST', REFRESH, { headers: SAME_ORIGIN })
    ensureEqual(refusal(refused), [401, 'unauthorised'], 'a refresh needs it')
    ensureEqual(refused.setCookies, [], 'and touches no cookie')
    const reply = await alice.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, 'anti-csrf': own } })
    ensureEqual(reply.status, 200, 'with it a refresh works')
    ensureEqual((await act(reply.header('anti-csrf'))).status, 200, 'and brings the next one')
  }),

  appCase('cross-site: session cookies with another domain are removed, other cookies stay', 'token', async app => {
    const client = app.client()
    await login(client)
    const old = client.jar.find(({ name }) => name === 'at')?.value
    await login(client)
    const tossed = await client.send('GET', '/me', { extraCookies: [`at=${old}`] })
    ensureEqual(tossed.status, 200, 'the valid cookie is found')
    ensure(tossed.setCookies.some(line => /^at=;.*Domain=example\.com/.test(line)), 'the other cookie is removed')
    ensureEqual((await client.send('GET', '/me')).status, 200, 'and the valid cookie stays')
    for (const value of [OTHER_TOKEN, 'tossed']) {
      const reply = await client.send('GET', '/me', { extraCookies: [`at=${value}`] })
      ensureEqual(reply.status, 200, `beside ${value} the valid cookie is found`)
      ensure(!reply.setCookies.some(line => /Domain=example\.com/.test(line)), `${value} stays`)
    }
  }),

  appCase('CORS: a trusted origin may read responses, errors too; any other may not', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const [path, status] of [['/me', 200], ['/admin', 403], [REFRESH, 405]] as const) {
      const trusted = await client.send('GET', path, { headers: { origin: FRONT_END_ORIGIN } })
      ensureEqual(trusted.status, status, path)
      ensureEqual(
        ['access-control-allow-origin', 'access-control-allow-credentials'].map(trusted.header),
        [FRONT_END_ORIGIN, 'true'], path,
      )
      const exposed = trusted.header('access-control-expose-headers')?.split(', ') ?? []
      for (const name of ['front-token', 'st-access-token', 'anti-csrf', 'session-ended', 'retry-after']) {
        ensure(exposed.includes(name), `exposes ${name}`)
      }
      const other = await client.send('GET', path, { headers: { origin: 'https://evil.tld' } })
      ensureEqual(other.header('access-control-allow-origin'), null, `${path} from another origin`)
      ensure(other.header('vary')?.toLowerCase().includes('origin') === true, 'caches distinguish origins')
    }
  }),

  appCase('CORS: a preflight needs no session, changes nothing and reflects no header', 'plain', async app => {
    await app.control({})
    for (const path of [REFRESH, '/act', '/guarded', '/nowhere']) {
      const preflight = (origin: string): ReturnType<ReturnType<typeof app.client>['send']> => (
        app.client().send('OPTIONS', path, {
          headers: { origin, 'access-control-request-method': 'X-EVIL', 'access-control-request-headers': 'x-evil' },
        })
      )
      const allowed = await preflight(FRONT_END_ORIGIN)
      ensureEqual([allowed.status, allowed.body], [204, ''], path)
      ensureEqual(allowed.header('access-control-allow-origin'), FRONT_END_ORIGIN, path)
      ensureEqual(allowed.header('access-control-allow-methods'), 'GET, HEAD, POST, PUT, PATCH, DELETE', path)
      const refused = await preflight('https://evil.tld')
      ensureEqual(refused.status, 204, `${path} from another origin`)
      ensureEqual(refused.header('access-control-allow-origin'), null, `${path} from another origin`)
    }
    ensureEqual((await app.control({})).calls, [], 'no store call')
  }),
]
