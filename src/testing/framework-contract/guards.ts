import { ensure, ensureEqual } from '../assert.ts'
import {
  appCase, CROSS_SITE, ensureUntouched, HEADER_MODE, login, PREFLIGHT, refusal, SAME_ORIGIN,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'
import { FRONT_END_ORIGIN } from './fixture.ts'

/** The methods that every framework passes to a handler. */
const commonMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
/** Methods that some servers reject themselves, or do not answer; the last one does not exist. */
const rareMethods = ['CONNECT', 'TRACE', 'PRETEND'] as const
/**
 * Headers of requests without a session. None of them makes a preflight, which needs `OPTIONS` and two more headers.
 */
const attempts: readonly Readonly<Record<string, string>>[] = [
  {},
  SAME_ORIGIN,
  CROSS_SITE,
  { 'access-control-request-method': 'GET' },
  { 'x-http-method-override': 'OPTIONS' },
  { upgrade: 'websocket' },
]

const upgrade = { upgrade: 'WebSocket' }

/** What a guard does before handlers run. There are no exceptions. */
export const guardCases: readonly FrameworkCase[] = [
  appCase('S-01: a guard never runs the next handler without a session, whatever the method', 'no-cors', async app => {
    await app.control({})
    const client = app.client()
    for (const headers of attempts) {
      for (const method of commonMethods) {
        const reply = await client.send(method, '/any', { headers })
        ensureEqual(reply.status, 401, `${method} ${JSON.stringify(headers)}`)
        ensureUntouched(reply, method)
      }
    }
    for (const headers of [...attempts, PREFLIGHT]) {
      for (const method of rareMethods) {
        const status = await client.send(method, '/any', { headers }).then(reply => reply.status, () => null)
        ensure(status === null || status >= 400, `${method} ${JSON.stringify(headers)} is refused, not ${status}`)
      }
    }
    for (const method of commonMethods) await client.send(method, '/any', { headers: PREFLIGHT })
    ensureEqual((await app.control({})).visits, 0, 'how often the handler ran')
  }),

  appCase('S-01: a guard treats OPTIONS as every other method', 'no-cors', async app => {
    const client = app.client()
    await login(client)
    await app.control({})
    for (const method of commonMethods) {
      ensureEqual((await client.send(method, '/any', { headers: SAME_ORIGIN })).status, 200, method)
    }
    ensureEqual((await app.control({})).visits, commonMethods.length, 'how often the handler ran')
  }),

  appCase('S-01: a guard answers a preflight itself, and allows other origins nothing', 'no-cors', async app => {
    const client = app.client()
    await login(client)
    await app.control({})
    for (const jar of [false, true]) {
      const allowed = await client.send('OPTIONS', '/any', { jar, headers: PREFLIGHT })
      ensureEqual([allowed.status, allowed.body], [204, ''], 'a trusted origin')
      ensureEqual(
        ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-allow-methods']
          .map(allowed.header),
        [FRONT_END_ORIGIN, 'true', 'GET, HEAD, POST, PUT, PATCH, DELETE'], 'may go on',
      )
      ensure(allowed.header('access-control-allow-headers')?.includes('x-evil') === false, 'nothing is reflected')
      ensure(allowed.header('vary')?.toLowerCase().includes('origin') === true, 'caches distinguish origins')
      for (const origin of ['https://evil.tld', 'null']) {
        const refused = await client.send('OPTIONS', '/any', { jar, headers: { ...PREFLIGHT, origin } })
        ensureEqual([refused.status, refused.body], [204, ''], origin)
        for (const name of ['origin', 'credentials', 'methods', 'headers']) {
          ensureEqual(refused.header(`access-control-allow-${name}`), null, `${origin}: ${name}`)
        }
      }
    }
    const { visits, calls } = await app.control({})
    ensureEqual([visits, calls], [0, []], 'neither the handler nor the store is called')
  }),

  appCase('L-25: every call has its common name, and throws if it is used as a middleware', 'plain', async app => {
    const { offered, uncalled } = await app.control({})
    for (const name of ['createNewSession', 'getSession', 'refreshSession', 'readSession', 'requireSession', 'cors']) {
      ensure(offered.includes(name), `the adapter has ${name}`)
    }
    ensureEqual(uncalled, [], 'a call that is used as a middleware throws at once')
  }),

  appCase('S-08: with cookies, a request that opens a connection must prove its origin', 'plain', async app => {
    const client = app.client()
    await login(client)
    const header = await login(app.client(), 'bob', HEADER_MODE)
    const authorization = `Bearer ${header.header('st-access-token')}`
    for (const route of ['/me', '/guarded', '/optional']) {
      for (const headers of [CROSS_SITE, { origin: 'null' }, { origin: 'https://evil.tld' }, {}]) {
        const reply = await client.send('GET', route, { headers: { ...headers, ...upgrade } })
        ensureEqual(refusal(reply), [403, 'cross-site request refused'], `${route} ${JSON.stringify(headers)}`)
        ensureUntouched(reply, route)
        const bearer = await app.client().send('GET', route, { headers: { ...headers, ...upgrade, authorization } })
        ensureEqual(bearer.member('userId'), 'bob', `${route} with a bearer token`)
      }
      for (const headers of [SAME_ORIGIN, { origin: FRONT_END_ORIGIN }, { rid: 'app' }]) {
        const reply = await client.send('GET', route, { headers: { ...headers, ...upgrade } })
        ensureEqual(reply.member('userId'), 'alice', `${route} ${JSON.stringify(headers)}`)
      }
      const offer = await client.send('GET', route, { headers: { upgrade: 'h2c' } })
      ensureEqual(offer.status, 200, `${route}: an offer of HTTP/2 opens no connection to a page`)
    }
  }),

  appCase('S-08: no anti-CSRF token is required where a page cannot send one', 'token', async app => {
    const client = app.client()
    await login(client)
    ensureEqual((await client.send('GET', '/me', { headers: { ...SAME_ORIGIN, ...upgrade } })).status, 200, 'our own')
    ensureEqual((await client.send('GET', '/me', { headers: { ...CROSS_SITE, ...upgrade } })).status, 403, 'another')
  }),
]
