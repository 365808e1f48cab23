// Cookies that Auth.js, NextAuth and iron-session themselves have made are taken over.
import { createHash, createHmac, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fromAuthJsTokens, importSessions, fromIronSession } from '../../src/import/index.ts'
import type { ImportOptions } from '../../src/import/index.ts'
import type { SessionImporter } from '../../src/session/importer.ts'
import { documentedImporter, documentedLogin } from '../support/documented-importer.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { hasOldSystems, importOld, requireOld } from '../support/old-systems.ts'
import { SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

type Encode = (options: {
  readonly token: Readonly<Record<string, unknown>>
  readonly secret: string | readonly string[]
  readonly salt?: string
  readonly maxAge?: number
}) => Promise<string>

const SECRET = 'the secret of Auth.js, which is long'
const V4 = '__Secure-next-auth.session-token'
const V5 = '__Secure-authjs.session-token'

const version4 = (): Encode => requireOld<{ encode: Encode }>('next-auth/jwt').encode
const version5 = async (): Promise<Encode> => (await importOld<{ encode: Encode }>('@auth/core/jwt')).encode

async function start(importer: SessionImporter, plan: Partial<ImportOptions> = {}): Promise<SessionServer> {
  const server = await startSessionServer({
    imports: importSessions({ importers: [importer], until: '2026-06-30', mode: 'retire', ...plan }),
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer, cookies: Readonly<Record<string, string>>): HttpClient {
  const client = server.client()
  for (const [name, value] of Object.entries(cookies)) client.keep(`${name}=${value}; Path=/; Secure`)
  return client
}

const letters = Array.from({ length: 64 }, (_, bits) => Buffer.from([bits << 2]).toString('base64url').charAt(0))
const otherLetter = (letter: string): string => letter === 'A' ? 'B' : 'A'

/** A base64url with the same bytes: some bits of its last character say nothing. */
function respelled(text: string): string {
  const segment = text.slice(text.search(/[\w-]+$/))
  const bytesOf = (letter: string): Buffer => Buffer.from(segment.slice(0, -1) + letter, 'base64url')
  const letter = letters.find(each => each !== text.at(-1) && bytesOf(each).equals(bytesOf(text.slice(-1))))
  return text.slice(0, -1) + (letter ?? expect.fail('every bit counts'))
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const userOf = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).userId]

describe.runIf(hasOldSystems())('Auth.js', () => {
  const encoders = [
    ['NextAuth 4', V4, async (secret: string) => version4()({ token: { sub: 'alice', name: 'Alice' }, secret })],
    ['NextAuth 4 over http', 'next-auth.session-token', async (secret: string) => (
      version4()({ token: { sub: 'alice' }, secret })
    )],
    ['Auth.js 5', V5, async (secret: string) => (await version5())({ token: { sub: 'alice' }, secret, salt: V5 })],
    ['Auth.js 5 over http', 'authjs.session-token', async (secret: string) => (
      (await version5())({ token: { sub: 'alice' }, secret, salt: 'authjs.session-token' })
    )],
  ] as const

  for (const [name, cookie, encode] of encoders) {
    test(`the token of ${name} is taken over`, async () => {
      const server = await start(fromAuthJsTokens({ secret: SECRET }))
      const client = browser(server, { [cookie]: await encode(SECRET) })
      expect(userOf(await me(client))).toEqual([200, 'alice'])
      expect(client.cookie(cookie)).toBeUndefined()
      expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
    })

    test(`IMP-12: ${name}, with an older secret; with another secret, salt, or a changed byte it is not ours`, async () => {
      const server = await start(fromAuthJsTokens({ secret: ['a newer secret, which is long too', SECRET] }))
      const token = await encode(SECRET)
      expect(userOf(await me(browser(server, { [cookie]: token })))).toEqual([200, 'alice'])
      for (const changed of [
        await encode('another secret'), token.replace(/.(?=.{10}$)/, otherLetter), `${token}.`, token.slice(1),
      ]) {
        const client = browser(server, { [cookie]: changed })
        expect((await me(client)).status).toBe(401)
        expect(client.cookie(cookie)).toBe(changed)
      }
    })
  }

  test('IMP-11: in chunks, with chunks of an earlier token behind them, and beside other cookies', async () => {
    const long = 'x'.repeat(6000)
    const server = await start(fromAuthJsTokens({ secret: SECRET }))
    for (const [cookie, token] of [
      [V4, await version4()({ token: { sub: 'alice', long }, secret: SECRET })],
      [V5, await (await version5())({ token: { sub: 'alice', long }, secret: SECRET, salt: V5 })],
    ] as const) {
      const chunks = token.match(/.{1,3933}/g) ?? []
      expect(chunks.length).toBeGreaterThan(1)
      const cookies = Object.fromEntries([...chunks, 'stale'].map((chunk, index) => [`${cookie}.${index}`, chunk]))
      const client = browser(server, { ...cookies, [`${cookie}.other`]: 'x' })
      expect(userOf(await me(client))).toEqual([200, 'alice'])
      expect(client.jar.filter(({ name }) => /session-token\.\d/.test(name))).toEqual([])
    }
  })

  test('expired, by its own clock, it is refused', async () => {
    let now = Date.now()
    const server = await start(fromAuthJsTokens({ secret: SECRET, clock: () => now }))
    const token = await version4()({ token: { sub: 'alice' }, secret: SECRET, maxAge: 60 })
    now += 74_000
    expect((await me(browser(server, { [V4]: token }))).status).toBe(200)
    const other = await version4()({ token: { sub: 'alice' }, secret: SECRET, maxAge: 60 })
    now += 80_000
    expect((await me(browser(server, { [V4]: other }))).status).toBe(401)
  })

  test('IMP-07: a copy of the token is refused after the sign-out', async () => {
    const server = await start(fromAuthJsTokens({ secret: SECRET }))
    const token = await (await version5())({ token: { sub: 'alice' }, secret: SECRET, salt: V5 })
    const client = browser(server, { [V5]: token })
    expect((await me(client)).status).toBe(200)
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect((await me(browser(server, { [V5]: token }))).status).toBe(401)
  })

  test('IMP-17: a token without an id is the same one in another spelling: refused after the sign-out', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const claims = Buffer.from(JSON.stringify({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 3600 }))
    const token = `${claims.toString('base64url')}.${sign(null, claims, privateKey).toString('base64url')}`
    const server = await start(fromAuthJsTokens({
      secret: SECRET,
      decode: async text => {
        const [bytes, signature] = text.split('.').map(part => Buffer.from(part, 'base64url'))
        if (bytes === undefined || signature === undefined || !verify(null, bytes, publicKey, signature)) return null
        return JSON.parse(bytes.toString())
      },
    }))
    const client = browser(server, { [V5]: token })
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect((await me(browser(server, { [V5]: respelled(token) }))).status).toBe(401)
  })

  test('IMP-07: a token from before a revocation is refused, one that Auth.js issues afterwards is not', async () => {
    // The library reads the clock of the machine.
    let now = Date.now()
    const encode = await version5()
    const tokenOf = (sub: string): Promise<string> => encode({ token: { sub }, secret: SECRET, salt: V5 })
    const [alice, bob] = [await tokenOf('alice'), await tokenOf('bob')]
    const server = await startSessionServer({
      clock: () => now,
      imports: importSessions({
        importers: [fromAuthJsTokens({ secret: SECRET, clock: () => now })], until: new Date(now + 86_400_000),
      }),
    })
    onTestFinished(() => server.close())
    now += 1000
    await server.sessions.revokeAllSessionsForUser('alice')
    expect((await me(browser(server, { [V5]: alice }))).status).toBe(401)
    expect((await me(browser(server, { [V5]: bob }))).status).toBe(200)
    now -= 5000
    await server.sessions.revokeAllSessionsForUser('carol')
    now += 5000
    expect((await me(browser(server, { [V5]: await tokenOf('carol') }))).status).toBe(200)
  })
})

interface IronModule {
  sealData(data: unknown, options: { readonly password: unknown; readonly ttl?: number }): Promise<string>
}

describe.runIf(hasOldSystems())('iron-session', () => {
  const password = 'a password of iron-session, which is long'
  const older = 'an older password of it, which is long too'

  test('an encrypted cookie is taken over, also one of an older password', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password: { 1: older, 2: password }, cookieName: 'app' }))
    for (const [user, passwords] of [['alice', { 1: older, 2: password }], ['bob', older]] as const) {
      const client = browser(server, { app: await sealData({ userId: user, cart: [] }, { password: passwords }) })
      expect(userOf(await me(client))).toEqual([200, user])
      expect(client.cookie('app')).toBeUndefined()
    }
  })

  test('the login of the guide finds what applications save, and nobody in a cookie of a visitor', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const { userOfCookie } = await documentedLogin()
    const server = await start(fromIronSession({ password, cookieName: 'app', login: userOfCookie }))
    const user = { id: 230, email: 'alice@example.com', isLoggedIn: true }
    const client = browser(server, { app: await sealData({ user, theme: 'dark', secret: 'x' }, { password }) })
    expect(userOf(await me(client))).toEqual([200, '230'])
    const [handle = ''] = await server.sessions.getAllSessionHandlesForUser('230')
    expect(await server.sessions.getSessionInfo(handle)).toEqual({ email: 'alice@example.com', theme: 'dark' })
    for (const data of [{ user: { ...user, isLoggedIn: false } }, { user: 'x' }, {}]) {
      const visitor = browser(server, { app: await sealData(data, { password }) })
      expect((await me(visitor)).status).toBe(401)
      expect(visitor.cookie('app')).toBeDefined()
    }
  })

  test('without a login, a nested user is found, also one whose id is a number', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password, cookieName: 'app' }))
    const client = browser(server, { app: await sealData({ user: { id: 230, admin: true } }, { password }) })
    expect(userOf(await me(client))).toEqual([200, '230'])
  })

  test('IMP-17: a cookie is the same one in another spelling: refused after the sign-out', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password, cookieName: 'app' }))
    const value = await sealData({ userId: 'alice' }, { password })
    const client = browser(server, { app: value })
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    for (const same of [value, `${respelled(value.slice(0, -2))}~2`, `${value}~`, `${value.slice(0, -2)}=~2`]) {
      expect((await me(browser(server, { app: same }))).status).toBe(401)
    }
  })

  test('IMP-11: a changed one, one of another password and anything else are not ours', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password, cookieName: 'app' }))
    const value = await sealData({ userId: 'alice' }, { password })
    const other = await sealData({ userId: 'alice' }, { password: older })
    for (const changed of [
      other, value.replace(/.(?=.{10}~2$)/, otherLetter), value.replace('*', '*9'), 'Fe26.2*1~2', `${value}*`,
    ]) {
      const client = browser(server, { app: changed })
      expect((await me(client)).status).toBe(401)
      expect(client.cookie('app')).toBe(changed)
    }
  })

  test('an expired one is refused, one that never expires is not', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    let now = Date.now()
    const server = await start(fromIronSession({ password, cookieName: 'app', clock: () => now }))
    const [short, endless] = await Promise.all([60, 0].map(ttl => sealData({ userId: 'alice' }, { password, ttl })))
    now += 121_000
    expect((await me(browser(server, { app: short ?? '' }))).status).toBe(401)
    expect((await me(browser(server, { app: endless ?? '' }))).status).toBe(200)
  })

  test('IMP-07: a cookie without a time of issue is refused after any revocation of its user', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password, cookieName: 'app', ttl: 0 }))
    const value = await sealData({ userId: 'alice' }, { password, ttl: 0 })
    await server.sessions.revokeAllSessionsForUser('alice')
    const client = browser(server, { app: value })
    expect((await me(client)).status).toBe(401)
    expect(client.cookie('app')).toBeUndefined()
  })

  test('IMP-08: a cookie without a login is left alone', async () => {
    const { sealData } = await importOld<IronModule>('iron-session')
    const server = await start(fromIronSession({ password, cookieName: 'app' }))
    const client = browser(server, { app: await sealData({ cart: [1] }, { password }) })
    expect((await me(client)).status).toBe(401)
    expect(client.cookie('app')).toBeDefined()
  })
})

/** The worked example of docs/import.md, with the real package that signs. */
describe.runIf(hasOldSystems())('cookie-session', () => {
  test('the importer of the guide', async () => {
    const { cookieSessions } = await documentedImporter()
    const server = await start(cookieSessions(['new key', 'old key']))
    const Keygrip: new (keys: readonly string[]) => { sign(text: string): string } = requireOld('keygrip')
    const value = Buffer.from(JSON.stringify({ userId: 'alice' })).toString('base64')
    const sign = (key: string): string => new Keygrip([key]).sign(`session=${value}`)
    expect(sign('old key')).toBe(createHmac('sha1', 'old key').update(`session=${value}`).digest('base64url'))
    const client = browser(server, { 'session': value, 'session.sig': sign('old key') })
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect([client.cookie('session'), client.cookie('session.sig')]).toEqual([undefined, undefined])
    const other = browser(server, { 'session': value, 'session.sig': sign('another') })
    expect((await me(other)).status).toBe(401)
    expect(other.cookie('session')).toBe(value)
    expect(createHash('sha256').update(value).digest('hex')).toHaveLength(64)
  })
})
