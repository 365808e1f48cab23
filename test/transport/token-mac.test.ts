import { afterEach, describe, expect, test } from 'vitest'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { countSignatures } from '../support/counted-signatures.ts'
import type { HttpClient } from '../support/http-client.ts'
import { AT, MAC, REFRESH, RT, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const servers: SessionServer[] = []
const signatures = countSignatures(nodeCrypto)

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

type Options = Parameters<typeof startSessionServer>[0]

/** A process of the application; `of`: another one, whose store and clock it shares. */
async function start(options: Options = {}, of?: SessionServer): Promise<SessionServer> {
  const shared = of === undefined ? {} : { store: of.cut.store, clock: of.clock }
  const server = await startSessionServer({ crypto: signatures.crypto, ...shared, ...options })
  servers.push(server)
  return server
}

/** The same browser, whose requests now reach another process. */
function movedTo(server: SessionServer, browser: HttpClient): HttpClient {
  const client = server.client()
  client.jar = browser.jar
  return client
}

const namesIn = ({ jar }: HttpClient): string[] => jar.map(({ name }) => name)

test('TOK-25: no process checks the signature of a browser\'s access token', async () => {
  const first = await start()
  let browser = first.client()
  await browser.send('POST', '/login', { headers: SAME_ORIGIN })
  signatures.count = 0
  for (const [method, path] of [['GET', '/me'], ['POST', REFRESH], ['GET', '/me'], ['POST', '/act']] as const) {
    browser = movedTo(await start({}, first), browser)
    expect((await browser.send(method, path, { headers: SAME_ORIGIN })).status).toBe(200)
  }
  expect(signatures.count).toBe(0)
  expect(browser.jar.find(({ name }) => name === MAC)).toMatchObject({
    hostOnly: true, path: '/', secure: true, httpOnly: true, sameSite: 'lax',
    expires: browser.jar.find(({ name }) => name === AT)?.expires,
  })
})

test('TOK-25: without the cookie of the MAC, or with another one, a session goes on', async () => {
  const first = await start()
  const browser = first.client()
  await browser.send('POST', '/login', { headers: SAME_ORIGIN })
  for (const value of [undefined, 'tossed', 'A'.repeat(22), '%zz', 'A'.repeat(4000)]) {
    signatures.count = 0
    const client = movedTo(await start({}, first), browser)
    client.jar = client.jar.flatMap(cookie => {
      if (cookie.name !== MAC) return [cookie]
      return value === undefined ? [] : [{ ...cookie, value }]
    })
    expect((await client.send('GET', '/me')).status).toBe(200)
    expect(signatures.count).toBe(1)
  }
})

test('TOK-25: a changed access token beside its own MAC is refused', async () => {
  const server = await start()
  const browser = server.client()
  await browser.send('POST', '/login', { headers: SAME_ORIGIN })
  expect((await browser.send('GET', '/me')).status).toBe(200)
  browser.jar = browser.jar.map(cookie => (
    cookie.name === AT ? { ...cookie, value: cookie.value.replace(/.$/, last => last === 'A' ? 'Q' : 'A') } : cookie
  ))
  expect((await browser.send('GET', '/me')).status).toBe(401)
})

test('TOK-25: a bearer token is verified by its signature, whatever cookies are beside it', async () => {
  const first = await start()
  const login = await first.client().send('POST', '/login', { headers: { 'st-auth-mode': 'header' } })
  expect(login.setCookies).toEqual([])
  const authorization = `Bearer ${login.headers['st-access-token']}`
  signatures.count = 0
  const client = (await start({}, first)).client()
  const me = await client.send('GET', '/me', { headers: { authorization, cookie: `${MAC}=any` } })
  expect([me.status, signatures.count]).toEqual([200, 1])
})

describe('TOK-25: the cookie of the MAC is cleared with that of its token', () => {
  test('by a sign-out and by a request with a revoked session', async () => {
    const server = await start()
    const browser = server.client()
    await browser.send('POST', '/login', { headers: SAME_ORIGIN })
    expect(namesIn(browser)).toEqual([AT, MAC, RT])
    await browser.send('POST', SIGNOUT, { headers: SAME_ORIGIN })
    expect(namesIn(browser)).toEqual([])

    const login = await browser.send('POST', '/login', { headers: SAME_ORIGIN })
    const { handle } = JSON.parse(login.body) as { handle: string }
    await server.sessions.revokeSession(handle)
    expect((await browser.send('GET', '/me')).status).toBe(401)
    expect(namesIn(browser)).toEqual([])
  })

  test('on the domain that was configured before', async () => {
    const names = { accessTokenName: 'at', refreshTokenName: 'rt' }
    const before = await start({ cookie: { ...names, domain: 'example.com' } })
    let browser = before.client()
    await browser.send('POST', '/login', { headers: SAME_ORIGIN })
    const after = await start({ cookie: { ...names, olderDomain: 'example.com' } }, before)
    browser = movedTo(after, browser)
    await browser.send('POST', REFRESH, { headers: SAME_ORIGIN })
    expect(browser.jar.map(({ name, hostOnly }) => [name, hostOnly]))
      .toEqual([['at', true], ['atMac', true], ['rt', true]])
    signatures.count = 0
    expect((await movedTo(await start({ cookie: names }, before), browser).send('GET', '/me')).status).toBe(200)
    expect(signatures.count).toBe(0)
  })

  test('when the next token has none, because the algorithm is now HS256', async () => {
    const before = await start()
    let browser = before.client()
    await browser.send('POST', '/login', { headers: SAME_ORIGIN })
    const after = await start({ algorithm: 'HS256' }, before)
    await after.sessions.ready()
    before.clock.advance(2 * 3_600_000)
    browser = movedTo(after, browser)
    expect((await browser.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(namesIn(browser).toSorted()).toEqual([AT, RT].toSorted())
    expect((await browser.send('GET', '/me')).status).toBe(200)
  })
})

test('TOK-25: the name of its cookie is that of the access token with `Mac` appended', async () => {
  const server = await start({ origin: 'http://localhost:3000', cookie: { accessTokenName: 'shop' } })
  const browser = server.client()
  await browser.send('POST', '/login', { headers: { origin: 'http://localhost:3000' } })
  expect(namesIn(browser)).toEqual(['shop', 'shopMac', 'sRefreshToken-3000'])
  for (const refreshTokenName of ['shop', 'shopMac']) {
    await expect(start({ cookie: { accessTokenName: 'shop', refreshTokenName } })).rejects.toThrow('different names')
  }
})
