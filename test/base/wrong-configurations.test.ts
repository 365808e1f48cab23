import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { createDevices, patchFetch } from '../../src/client/parts.ts'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { h3Sessions } from '../../src/frameworks/h3.ts'
import { honoSessions } from '../../src/frameworks/hono.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { nestSessions } from '../../src/frameworks/nest.ts'
import { nextSessions } from '../../src/frameworks/next.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { socketIoSessions } from '../../src/frameworks/socketio.ts'
import { svelteKitSessions } from '../../src/frameworks/sveltekit.ts'
import { trpcSessions } from '../../src/frameworks/trpc.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { wsSessions } from '../../src/frameworks/ws.ts'
import { allowInsecureCookies, createSessions } from '../../src/index.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { startServer } from '../../src/server/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createMysqlStore, migrateMysql, printMysqlMigrations } from '../../src/stores/mysql.ts'
import { createPostgresStore, migratePostgres, printPostgresMigrations } from '../../src/stores/postgres.ts'
import { allowEviction, createRedisStore } from '../../src/stores/redis.ts'
import { createSqliteStore, openSqliteStore, printSqliteMigrations } from '../../src/stores/sqlite.ts'
import { createAppFixture } from '../../src/testing/contracts.ts'
import { createFakeClock, inMemory, signIn } from '../../src/testing/index.ts'
import { createVerifier } from '../../src/verify.ts'

// Options that JavaScript accepts, and TypeScript, too, if the value comes from the environment or from JSON.

const ORIGIN = 'https://app.example.com'
const POSTGRES = 'postgres://ada:hunter2@db.example.com/app'
const SECRET = 'hunter2-hunter2-hunter2'

class Pool extends EventEmitter {}

/** Calls a function with arguments that its type does not allow. */
function call(callee: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown {
  return Reflect.apply(callee, undefined, parameters)
}

/** The options that `nextSessions` requires. */
const next = { cookies: () => 0, headers: () => 0, io: () => 0 }

const sessionsWith = (options: object): unknown => call(createSessions, { origin: ORIGIN, ...inMemory(), ...options })
const verifierWith = (options: object): unknown => call(createVerifier, { issuer: `${ORIGIN}/auth`, ...options })

describe('S-10: createSessions rejects', () => {
  const wrong: readonly (readonly [options: object, ...words: string[]])[] = [
    [{ theft: 'Revoke' }, 'theft must be "revoke" or "observe"; received "Revoke"'],
    [{ theft: true }, 'theft must be "revoke" or "observe"; received true'],
    [{ sharedRefresh: 'revoked' }, 'sharedRefresh must be "revoke" or "observe"; received "revoked"'],
    [{ onStoreFailure: 'failclosed' }, 'onStoreFailure must be "failOpen" or "failClosed"; received "failclosed"'],
    [{ onStoreFailure: undefined }, 'onStoreFailure must be "failOpen" or "failClosed"; received undefined', 'Leave'],
    [{ accessTokenBlacklisting: 'STRICT' }, 'accessTokenBlacklisting must be "off", "feed" or "strict"', '"STRICT"'],
    [{ accessTokenBlacklisting: 'true' }, 'accessTokenBlacklisting must be "off", "feed" or "strict"', '"true"'],
    [{ accessTokenBlacklisting: true }, 'accessTokenBlacklisting must be "off", "feed" or "strict"', 'received true'],
    [{ algorithm: 'none' }, 'algorithm must be "ES256", "EdDSA", "RS256" or "HS256"; received "none"'],
    [{ algorithm: 'es256' }, 'algorithm must be', '"ES256"', 'received "es256"'],
    [{ thefd: 'revoke' }, 'createSessions has no option thefd; did you mean theft?'],
    [{ acessTokenLifetime: 60 }, 'createSessions has no option acessTokenLifetime; did you mean accessTokenLifetime?'],
    [{ secrets: [SECRET] }, 'createSessions has no option secrets; did you mean secret?'],
    [{ event: {} }, 'createSessions has no option event; did you mean events?'],
    [{ clientIp: () => null }, 'createSessions has no option clientIp; its options are', 'trustedOrigins'],
    [{ toString: 'x' }, 'createSessions has no option toString; its options are'],
    [{ allowInsecureCookies: true }, 'no option allowInsecureCookies; did you mean [allowInsecureCookies]?'],
    [{ [allowInsecureCookies]: 'yes' }, '[allowInsecureCookies] must be true or false; received "yes"'],
    [{ [allowEviction]: true }, 'createSessions has no option [allowEviction]'],
    [{ accessTokenLifetime: '3600' }, 'accessTokenLifetime must be a duration from 1 second to 1 day', '"3600"'],
    [{ accessTokenLifetime: Number.NaN }, 'accessTokenLifetime must be a duration', 'received NaN'],
    [{ accessTokenLifetime: 1e6 }, 'accessTokenLifetime must be', 'from 1 second to 1 day', 'received 1000000'],
    [{ idleTimeout: -1 }, 'idleTimeout must be a duration from 1 second to 400 days', 'received -1'],
    [{ absoluteTimeout: null }, 'absoluteTimeout must be a duration', 'received null'],
    [{ absoluteTimeout: undefined }, 'absoluteTimeout must be', 'received undefined', 'Leave the option out only if'],
    [{ reuseInterval: 721 }, 'reuseInterval must be at most 720 seconds, a fifth of accessTokenLifetime',
      'received 721'],
    [{ reuseInterval: 30, accessTokenLifetime: 60 }, 'reuseInterval must be at most 12 seconds', 'accessTokenLifetime'],
    [{ maxSessionsPerUser: 2.5 }, 'maxSessionsPerUser must be a whole number from 1 to 1,000; received 2.5'],
    [{ maxSessionsPerUser: 0 }, 'maxSessionsPerUser must be', 'received 0'],
    [{ maxStaleness: Number.POSITIVE_INFINITY }, 'maxStaleness must be a duration', 'received Infinity'],
    [{ pollInterval: 0 }, 'pollInterval must be a duration from 10 ms to 1 hour', 'received 0'],
    [{ tokenCacheSize: 10n }, 'tokenCacheSize must be a whole number from 0 to 10,000,000; received 10'],
    [{ maxSessionInfoBytes: '64k' }, 'maxSessionInfoBytes must be a whole number of bytes', 'received "64k"'],
    [{ keyRotationInterval: 60 }, 'keyRotationInterval must be', 'from 1 hour to 365 days', 'received 60'],
    [{ origin: undefined }, 'origin must be an origin such as "https://app.example.com"', 'received undefined'],
    [{ origin: 'app.example.com' }, 'origin must be an origin such as', 'received "app.example.com"'],
    [{ origin: `${ORIGIN}/auth` }, 'origin must be an origin', 'without a path', `received "${ORIGIN}/auth"`],
    [{ origin: 'https://ada:hunter2@app.example.com' }, 'origin must be', 'received a string of 35 characters'],
    [{ origin: 'http://app.example.com' }, 'origin must be https', 'received "http://app.example.com"'],
    [{ trustedOrigins: 'https://b' }, 'trustedOrigins must be an array of origins such as ["', 'received "https://b"'],
    [{ trustedOrigins: [ORIGIN, '*'] }, 'trustedOrigins[1] must be an origin such as', 'wildcard', 'received "*"'],
    [{ basePath: '/a b' }, 'basePath must be a plain path such as "/auth"; received "/a b"'],
    [{ gatewayPath: 5 }, 'gatewayPath must be a plain path', 'received 5'],
    [{ antiCsrf: 'Token' }, 'antiCsrf must be "origin", "custom-header" or "token"; received "Token"'],
    [{ antiCsrf: true }, 'antiCsrf must be', 'received true'],
    [{ sessionExpiredStatusCode: 200 }, 'sessionExpiredStatusCode must be', 'from 400 to 499', 'received 200'],
    [{ sessionExpiredStatusCode: 403 }, 'sessionExpiredStatusCode and invalidClaimStatusCode must differ', '403'],
    [{ cookie: 'strict' }, 'cookie must be an object of options; received "strict"'],
    [{ cookie: { samesite: 'none' } }, 'cookie has no option samesite; did you mean sameSite?'],
    [{ cookie: { sameSite: 'Lax' } }, 'cookie.sameSite must be "lax", "strict" or "none"; received "Lax"'],
    [{ cookie: { secure: false } }, 'cookie has no option secure; its options are domain'],
    [{ cookie: { httpOnly: false } }, 'cookie has no option httpOnly'],
    [{ cookie: { domain: 'example.org' } }, 'cookie.domain must be the host of the origin', 'received "example.org"'],
    [{ cookie: { accessTokenName: 'a b' } }, 'cookie.accessTokenName must be a cookie name', 'received "a b"'],
    [{ cookie: { accessTokenName: 'a', refreshTokenName: 'a' } }, 'cookie.accessTokenName', 'different names', '"a"'],
    [{ cookie: { refreshTokenPath: '/auth' } }, 'cookie.refreshTokenPath must be "/"; received "/auth"'],
    [{ secret: SECRET }, 'secret must be a string of at least 32 random characters',
      'received a string of 23 characters'],
    [{ secret: ['x'.repeat(32), SECRET] }, 'secret[1] must be a string of at least 32',
      'received a string of 23 characters'],
    [{ secret: [] }, 'secret must be a string of at least 32 random characters, or an array', 'received an array of 0'],
    [{ secret: undefined }, 'secret must be', 'received undefined', 'Leave the option out only if'],
    [{ secret: 12_345 }, 'secret must be', 'received a number'],
    [{ audience: undefined }, 'audience must be a string; received undefined'],
    [{ audience: '' }, 'audience must be a string; received ""'],
    [{ application: 'my shop' }, 'application must be 1 to 64 letters, digits and any of . _ -; received "my shop"'],
    [{ application: 'x'.repeat(65) }, 'application must be 1 to 64'],
    [{ store: POSTGRES }, 'store must be a session store, as createPostgresStore(url)', 'a string of 41 characters'],
    [{ store: new Pool() }, 'store must be a session store', 'received an object of the class Pool'],
    [{ store: Promise.resolve(createMemoryStore()) }, 'store must be a session store', 'a promise: await it first'],
    [{ store: createMemoryStore }, 'store must be a session store', 'received a function'],
    [{ store: { ...createMemoryStore(), removeByUser: undefined } }, 'store must be a session store', 'an object'],
    [{ payload: { role: 'string' } }, 'payload must be a schema of a Standard Schema library', 'received an object'],
    [{ info: undefined }, 'info must be a schema', 'received undefined'],
    [{ events: () => undefined }, 'events must be an object of options; received a function'],
    [{ events: { onTokenTeft: () => undefined } }, 'events has no option onTokenTeft; did you mean onTokenTheft?'],
    [{ events: { tokenTheft: () => undefined } }, 'events has no option tokenTheft; did you mean onTokenTheft?'],
    [{ events: { onTokenTheft: 'log' } }, 'events.onTokenTheft must be a function; received "log"'],
    [{ clock: 1_700_000_000_000 }, 'clock must be a function; received 1700000000000'],
    [{ clock: new Date(0) }, 'clock must be a function; received an object of the class Date'],
    [{ entropy: new Uint8Array(4) }, 'entropy must be a function; received an object of the class Uint8Array'],
    [{ schedule: 1000 }, 'schedule must be a function; received 1000'],
    [{ crypto: globalThis.crypto }, 'crypto must be an implementation of Crypto', 'received an object of the class'],
  ]
  const cases = wrong.map(([options, ...words]) => ({ options, words }))
  test.each(cases)('S-10: $words.0', ({ options, words }) => {
    for (const word of words) expect(() => sessionsWith(options)).toThrow(word)
    expect(() => sessionsWith(options)).not.toThrow('hunter2')
    expect(() => sessionsWith(options)).toThrow(expect.objectContaining({ code: 'MISUSE' }))
  })

  test.each(Object.entries(nodeCrypto).flatMap(([name, member]) => typeof member === 'function' ? [name] : []))(
    'S-10: an implementation of Crypto without %s', name => {
      expect(() => sessionsWith({ crypto: { ...nodeCrypto, [name]: undefined } }))
        .toThrow('crypto must be an implementation')
    },
  )

  test.each([[[]], [[undefined]], [[null]], [[ORIGIN]], [[[]]]])('S-10: a call with %j', parameters => {
    expect(() => call(createSessions, ...parameters))
      .toThrow('createSessions must be called with an object of options that has origin; received ')
  })
})

function named<Attempt>([name, attempt, ...words]: readonly [string, Attempt, ...string[]]): {
  readonly name: string
  readonly attempt: Attempt
  readonly words: readonly string[]
} {
  return { name, attempt, words }
}

describe('S-10: other functions reject', () => {
  const sessions = createSessions({ origin: ORIGIN, ...inMemory() })
  const database = { exec: () => undefined, prepare: () => undefined, close: () => undefined }
  const wrong: readonly (readonly [name: string, attempt: () => unknown, ...words: string[]])[] = [
    ['createVerifier', () => call(createVerifier), 'createVerifier must be called with', 'issuer',
      'received undefined'],
    ['createVerifier', () => verifierWith({ issuer: `${ORIGIN}/auth/` }), 'issuer must be',
      'without a slash at the end'],
    ['createVerifier', () => verifierWith({ audiance: 'a' }), 'no option audiance; did you mean audience?'],
    ['createVerifier', () => verifierWith({ audience: undefined }), 'audience must be a string; received undefined'],
    ['createVerifier', () => verifierWith({ feed: POSTGRES }), 'feed must be an object with the method `changesSince`'],
    ['createVerifier', () => verifierWith({ maxTokenAge: '1hour' }), 'maxTokenAge must be a duration', '"1hour"'],
    ['createVerifier', () => verifierWith({ jwks: { key: [] } }), 'jwks must be a JSON Web Key Set', 'keys'],
    ['createVerifier', () => verifierWith({ publicKey: 'PEM' }), 'publicKey must be a public JSON Web Key', '"PEM"'],
    ['openSqliteStore', () => call(openSqliteStore), 'file must be the path of a file', 'received undefined'],
    ['openSqliteStore', () => openSqliteStore('sqlite:app.db'), 'not a URL; received "sqlite:app.db"'],
    ['openSqliteStore', () => call(openSqliteStore, 'a.db', { perfix: 'a_' }),
      'no option perfix; did you mean prefix?'],
    ['openSqliteStore', () => openSqliteStore('a.db', { prefix: 'a-b' }), 'prefix must be 1 to 31', 'received "a-b"'],
    ['createSqliteStore', () => call(createSqliteStore, 'a.db'), 'database must be an open SQLite database', '"a.db"'],
    ['createSqliteStore', () => call(createSqliteStore, database, { fast: true }),
      'fast must be an open SQLite database'],
    ['printSqliteMigrations', () => call(printSqliteMigrations, { schema: 'a' }),
      'printSqliteMigrations has no option'],
    ['createPostgresStore', () => createPostgresStore('db.example.com'),
      'poolOrUrl must be a Pool of pg, or a URL that'],
    ['createPostgresStore', () => call(createPostgresStore, Promise.resolve(POSTGRES)), 'a promise: await it first'],
    ['createPostgresStore', () => call(createPostgresStore, POSTGRES, { migrate: true }), 'migrate must be "auto" or'],
    ['createPostgresStore', () => createPostgresStore(POSTGRES, { requestTimeout: 0 }), 'requestTimeout must be', '0'],
    ['createPostgresStore', () => call(createPostgresStore, POSTGRES, { preparedStatements: 'no' }), 'true or false'],
    ['createMysqlStore', () => createMysqlStore(POSTGRES), 'poolOrUrl must be a Pool of mysql2/promise',
      '41 characters'],
    ['createMysqlStore', () => call(createMysqlStore, 'mysql://h/d', { schema: 'a' }),
      'createMysqlStore has no option'],
    ['printPostgresMigrations', () => call(printPostgresMigrations, { shema: 'a' }), 'did you mean schema?'],
    ['printMysqlMigrations', () => printMysqlMigrations({ prefix: '' }), 'prefix must be 1 to 31 letters', '""'],
    ['createRedisStore', () => createRedisStore(POSTGRES), 'clientOrUrl must be a client', 'a string of 41 characters'],
    ['createRedisStore', () => createRedisStore('redis://h', { replicas: -1 }), 'replicas must be a whole number',
      '-1'],
    ['createRedisStore', () => call(createRedisStore, 'redis://h', { allowEviction: true }), 'mean [allowEviction]?'],
    ['expressSessions', () => call(expressSessions, sessions, { clientIP: () => null }), 'did you mean clientIp?'],
    ['fastifySessions', () => call(fastifySessions, sessions, { onError: true }), 'onError must be a function'],
    ['h3Sessions', () => call(h3Sessions, sessions, { clientIp: '127.0.0.1' }), 'clientIp must be a function', '"127'],
    ['honoSessions', () => call(honoSessions, sessions, null), 'honoSessions must be called with an object', 'null'],
    ['koaSessions', () => call(koaSessions, sessions, { proxy: true }), 'koaSessions has no option proxy; its options'],
    ['nestSessions', () => call(nestSessions, sessions, {}), 'Catch must be a function; received undefined'],
    ['nestSessions', () => call(nestSessions, sessions), 'that has Catch, createParamDecorator; received undefined'],
    ['nextSessions', () => call(nextSessions, sessions, { headers: () => 0 }), 'cookies must be a function'],
    ['nextSessions', () => call(nextSessions, sessions, { ...next, io: undefined }), 'io must be a function'],
    ['nextSessions', () => call(nextSessions, sessions, { ...next, loginPath: '/login' }), 'needs redirect of'],
    ['nextSessions', () => call(nextSessions, sessions, { ...next, redirect: next.io, loginPath: '//evil.example' }),
      'loginPath must be a path on this site', '"//evil.example"'],
    ['nodeSessions', () => call(nodeSessions, sessions, { onerror: () => 0 }), 'did you mean onError?'],
    ['socketIoSessions', () => socketIoSessions(sessions, { checkInterval: 0 }), 'checkInterval must be a duration'],
    ['svelteKitSessions', () => call(svelteKitSessions, sessions, {}), 'error must be a function; received undefined'],
    ['trpcSessions', () => call(trpcSessions, sessions, { TRPCError: 'x' }), 'TRPCError must be a function', '"x"'],
    ['webSessions', () => call(webSessions, sessions, { clientIp: null }),
      'clientIp must be a function; received null'],
    ['wsSessions', () => call(wsSessions, sessions, { checkInterval: '1 s' }), 'checkInterval must be', 'seconds',
      '"1 s"'],
    ['createClient', () => call(createClient, { mode: 'Header' }), 'mode must be /^(cookie|header)$/', '"Header"'],
    ['createClient', () => call(createClient, { baseURL: ORIGIN }), 'no option baseURL; its options are baseUrl'],
    ['createClient', () => createClient({ sessionExpiredStatusCode: 200 }), 'sessionExpiredStatusCode must be', '200'],
    ['createClient', () => call(createClient, { storage: 'local' }), 'storage must be object',
      '"local"'],
    ['createDevices', () => call(createDevices, { fetch }, { url: '/devices' }), 'path must be a text', 'undefined'],
    ['patchFetch', () => call(patchFetch, {}), 'the argument of patchFetch must be a client'],
    ['createFakeClock', () => call(createFakeClock, '2026-01-01'), 'start must be a whole number', '"2026-01-01"'],
    ['createAppFixture', () => call(createAppFixture, 'prefixed'), 'variant must be "plain"', '"prefixed"'],
  ]
  test.each(wrong.map(named))('S-10: $name: $words.0', ({ attempt, words }) => {
    for (const word of words) expect(attempt).toThrow(word)
    expect(attempt).not.toThrow('hunter2')
  })

  const server = { port: 0, store: 'sqlite::memory:', logLevel: 'silent' } as const
  const later: readonly (readonly [name: string, attempt: () => Promise<unknown>, ...words: string[]])[] = [
    ['migratePostgres', () => migratePostgres('x'), 'poolOrUrl must be a Pool of pg',
      'received a string of 1 characters'],
    ['migrateMysql', async () => call(migrateMysql, 'mysql://h/d', { migrate: 'auto' }), 'migrateMysql has no option'],
    ['startServer', async () => call(startServer, { ...server, prot: 1 }), 'has no setting "prot"; did you mean port?'],
    ['startServer', () => startServer({ ...server, port: 70_000 }), 'port must be a whole number', 'received 70000'],
    ['startServer', async () => call(startServer, { ...server, migrate: 'never' }),
      'migrate must be one of auto, manual'],
    ['startServer', () => startServer({ ...server, secrets: [SECRET] }), 'secrets must be secrets of at least 32'],
    ['startServer', () => startServer({ ...server, accessTokenValidity: 60, reuseInterval: 30 }), 'a fifth of'],
    ['startServer', async () => call(startServer, POSTGRES), 'startServer must be called with an object'],
    ['startServer', async () => call(startServer, server, { logger: console.log }),
      'logger must be a logger with debug'],
    ['startServer', async () => call(startServer, server, { limit: {} }),
      'startServer has no option limit; did you mean'],
    ['startServer', () => startServer(server, { limits: { requestTimeout: 0 } }), 'limits.requestTimeout must be'],
    ['signIn', async () => call(signIn, sessions, 'ada', { mode: 'headers' }), 'mode must be "cookie" or "header"'],
    ['signIn', async () => call(signIn, sessions, 'ada', { role: 'admin' }),
      'signIn has no option role; its options are'],
    ['createNewSession', () => login({ persistant: false }), 'no option persistant; did you mean persistent?'],
    ['createNewSession', () => login({ persistent: 'no' }), 'persistent must be true or false; received "no"'],
    ['createNewSession', () => login({ idleTimeout: '1w' }), 'idleTimeout must be a duration', '"1w"'],
    ['createNewSession', () => login({ tenantId: 'Acme' }), 'tenantId must be 1 to 64 lower-case letters', '"Acme"'],
    ['createNewSession', () => login('persistent'), 'createNewSession must be called with an object of options'],
    ['getSession', () => find({ requierd: false }), 'getSession has no option requierd; did you mean required?'],
    ['getSession', () => find({ blacklisting: 'STRICT' }), 'blacklisting must be "off", "feed" or "strict"',
      '"STRICT"'],
    ['getSession', () => find({ csrf: 'true' }), 'csrf must be true or false; received "true"'],
    ['getSession', () => find({ maxAuthenticationAge: undefined }), 'maxAuthenticationAge must be', 'Leave the option'],
    ['getSession', () => find({ claimValidators: undefined }), 'claimValidators must be an array',
      'received undefined'],
    ['getSession', () => find({ claimValidators: [{ id: 'admin' }] }), 'claimValidators[0] must be an object with'],
    ['requireSession', async () => call(web.requireSession, () => new Response(), { required: false }),
      'required must be true, or left out: where a session is optional, call getSession; received false'],
    ['getSession', () => find('true'), 'getSession must be called with an object of options; received "true"'],
    ['getSession', () => find(1), 'getSession must be called with an object of options; received 1'],
    ['revokeAllSessionsForUser', async () => manage('revokeAllSessionsForUser', { expect: 'h' }),
      'did you mean except?'],
    ['revokeAllSessionsForUser', async () => manage('revokeAllSessionsForUser', { except: null }),
      'except must be the'],
    ['listSessions', async () => manage('listSessions', { limit: 0 }), 'limit must be a whole number from 1 to 1,000'],
    ['listSessions', async () => manage('listSessions', { offset: 1 }), 'listSessions has no option offset'],
  ]
  const web = webSessions(sessions)
  const request = new Request(ORIGIN, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin', origin: ORIGIN } })
  async function login(options: unknown): Promise<unknown> {
    return call(web.createNewSession, request, new Headers(), 'ada', {}, {}, options)
  }
  async function find(options: unknown): Promise<unknown> {
    return call(web.getSession, request, new Headers(), options)
  }
  function manage(name: 'revokeAllSessionsForUser' | 'listSessions', options: unknown): unknown {
    return call(sessions[name], 'ada', options)
  }
  test.each(later.map(named))('S-10: $name: $words.0', async ({ attempt, words }) => {
    for (const word of words) await expect(attempt).rejects.toThrow(word)
    await expect(attempt).rejects.not.toThrow('hunter2')
  })

  const given = { maxAuthenticatonAge: 300 }
  test.each([
    ['express', () => call(expressSessions(sessions).requireSession, given)],
    ['express, with a handler', () => call(expressSessions(sessions).requireSession, () => undefined, given)],
    ['fastify', () => call(fastifySessions(sessions).requireSession, given)],
    ['h3', () => call(h3Sessions(sessions).requireSession, given)],
    ['hono', () => call(honoSessions(sessions).requireSession, given)],
    ['koa', () => call(koaSessions(sessions).requireSession, given)],
    ['node', () => call(nodeSessions(sessions).requireSession, () => undefined, given)],
    ['web', () => call(web.requireSession, () => undefined, given)],
  ])('S-10: a guard of %s with an invalid option fails when it is created, not at its first request',
    (_name, attempt) => {
      expect(attempt).toThrow('requireSession has no option maxAuthenticatonAge; did you mean maxAuthenticationAge?')
  })
})

test('S-10: every value that a type allows is accepted', () => {
  for (const options of [
    { theft: 'observe', sharedRefresh: 'revoke', onStoreFailure: 'failClosed', accessTokenBlacklisting: 'off' },
    { theft: 'revoke', sharedRefresh: 'observe', onStoreFailure: 'failOpen', accessTokenBlacklisting: 'strict' },
    { antiCsrf: 'token', algorithm: 'EdDSA', accessTokenBlacklisting: 'feed', cookie: { sameSite: 'none' } },
    { antiCsrf: 'custom-header', algorithm: 'RS256', cookie: { sameSite: 'strict', refreshTokenPath: '/' } },
    { antiCsrf: 'origin', algorithm: 'HS256', cookie: { sameSite: 'lax', olderDomain: '' }, reuseInterval: 0 },
    { secret: ['x'.repeat(32), 'y'.repeat(40)], audience: 'shop', application: 'a.b_c-D', basePath: '', events: {} },
    { [allowInsecureCookies]: false, trustedOrigins: [], tokenCacheSize: 0, basePath: undefined, store: undefined },
  ]) expect(() => call(createSessions, { origin: ORIGIN, ...inMemory(), ...options })).not.toThrow()
})

test('S-10: inherited options are checked as well', () => {
  class Options {
    get origin(): string {
      return ORIGIN
    }

    get theft(): string {
      return 'Revoke'
    }
  }
  expect(() => call(createSessions, new Options())).toThrow('theft must be "revoke" or "observe"')
})
