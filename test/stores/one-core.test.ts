// One session in one PostgreSQL database, used by everything that can use it: an embedded application, the standalone
// server with both token formats, the verifier, a second application, the published Node SDK and the command line.
import SuperTokens from 'supertokens-node'
import Session from 'supertokens-node/recipe/session'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import type { WebSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../src/index.ts'
import { startServer } from '../../src/server/index.ts'
import type { KeyturnServer } from '../../src/server/index.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createVerifier } from '../../src/verify.ts'
import { keyturn } from '../support/command-line.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

type Claims = { role?: string }
type Application = Sessions<Claims, { note?: string }> & WebSessions<Claims, { note?: string }>

const ORIGIN = 'http://localhost:4000'
const ISSUER = `${ORIGIN}/auth`
const AUDIENCE = 'api'
const secret = 'one secret for every process on the store'
const postgresUrl = inject('postgresUrl')

describe.skipIf(postgresUrl === null)('one core', () => {
  let database: string
  let server: KeyturnServer
  let embedded: Application
  let second: Application

  beforeAll(async () => {
    database = await createPostgresDatabase(postgresUrl ?? '', 'one_core')
    expect((await keyturn('migrate', database)).code).toBe(0)
    embedded = start()
    await embedded.getJwks()
    server = await startServer({
      port: 0, store: database, secrets: [secret], issuer: ISSUER, audience: AUDIENCE, reuseInterval: 0,
      logLevel: 'silent',
    })
    second = start({ accessTokenBlacklisting: 'strict' })
    SuperTokens.init({
      framework: 'custom',
      supertokens: { connectionURI: server.url },
      appInfo: { appName: 'one', apiDomain: ORIGIN, websiteDomain: ORIGIN },
      telemetry: false,
      recipeList: [Session.init({ antiCsrf: 'NONE' })],
    })
  })

  afterAll(async () => {
    await Promise.all([embedded.close(), second.close(), server.close()])
  })

  function start(options: Partial<CreateSessionsOptions<Claims, object>> = {}): Application {
    return webSessions(createSessions<Claims, { note?: string }>({
      origin: ORIGIN, store: createPostgresStore(database), secret, audience: AUDIENCE, reuseInterval: 0, ...options,
    }))
  }

  /** A call of the native API. */
  async function native(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.url}${path}`, {
      method,
      ...body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    })
    const text = await response.text()
    return { status: response.status, ...text === '' ? {} : JSON.parse(text) as object }
  }

  const cookieName = (kind: 'accessToken' | 'refreshToken'): string =>
    embedded.http.policy.cookies[kind].attributes.name

  const asking = (accessToken: unknown): Request => new Request(`${ORIGIN}/me`, {
    headers: { cookie: `${cookieName('accessToken')}=${String(accessToken)}` },
  })

  /** Logs in with the embedded application. Returns the tokens in its cookies. */
  async function logIn(
    payload: Claims,
  ): Promise<{ readonly handle: string; readonly access: string; readonly refresh: string }> {
    const headers = new Headers()
    const request = new Request(`${ORIGIN}/login`, { method: 'POST', headers: { origin: ORIGIN } })
    const session = await embedded.createNewSession(request, headers, 'ada', payload)
    const cookie = (name: string): string => (
      headers.getSetCookie().find(line => line.startsWith(`${name}=`))?.split(/[=;]/)[1] ?? ''
    )
    return {
      handle: session.getHandle(),
      access: cookie(cookieName('accessToken')),
      refresh: cookie(cookieName('refreshToken')),
    }
  }

  test('a session starts embedded and continues everywhere, until the command line revokes it', async () => {
    const { handle, access, refresh } = await logIn({ role: 'reader' })
    expect(access).not.toBe('')

    // A cookie session of the library is refreshed by the server.
    const refreshed = await native('POST', '/v1/sessions/refresh', { refreshToken: refresh })
    expect(refreshed).toMatchObject({ status: 200, handle, userId: 'ada' })

    // What the server issued is valid for the verifier, which needs no other service, and for the embedded application.
    const feed = createPostgresStore(database)
    onTestFinished(() => feed.close())
    const verifier = createVerifier<Claims>({
      issuer: ISSUER, audience: AUDIENCE, jwksUrl: `${server.url}/jwt/jwks.json`, feed, pollInterval: 0,
    })
    const reading = await verifier.verify(String(refreshed['accessToken']))
    expect(reading.kind === 'active' && [reading.session.getHandle(), reading.session.getJwtPayload()])
      .toEqual([handle, { role: 'reader' }])
    const request = asking(refreshed['accessToken'])
    expect((await embedded.getSession(request, new Headers())).getHandle()).toBe(handle)

    // A second application changes the payload: processes that follow the store learn of it.
    await second.updateJwtPayload(handle, { role: 'writer' })
    expect(await verifier.verify(String(refreshed['accessToken']))).toEqual({ kind: 'needs-refresh' })
    expect((await second.getSession(request, new Headers())).getJwtPayload()).toEqual({ role: 'writer' })

    // The published Node SDK continues the session with the same refresh token, changes it, and returns it.
    const bySdk = await Session.refreshSessionWithoutRequestResponse(String(refreshed['refreshToken']))
    expect([bySdk.getHandle(), bySdk.getUserId(), bySdk.getAccessTokenPayload()['role']])
      .toEqual([handle, 'ada', 'writer'])
    await bySdk.mergeIntoAccessTokenPayload({ role: 'owner' })
    await bySdk.updateSessionDataInDatabase({ note: 'from the SDK' })
    const { refreshToken } = bySdk.getAllSessionTokensDangerously()
    expect(await embedded.getSessionInfo(handle)).toEqual({ note: 'from the SDK' })
    const last = await native('POST', '/v1/sessions/refresh', { refreshToken })
    expect((await verifier.verify(String(last['accessToken']))).kind).toBe('active')
    const owner = asking(last['accessToken'])
    expect((await second.getSession(owner, new Headers())).getJwtPayload()).toMatchObject({ role: 'owner' })

    // The command line revokes it for all of them.
    const revoked = await keyturn('sessions', 'revoke', handle, database, '--secret', secret)
    expect(revoked).toMatchObject({ code: 0, out: 'Revoked 1 session.' })
    expect(await verifier.verify(String(last['accessToken']))).toEqual({ kind: 'none' })
    await expect(second.getSession(owner, new Headers())).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await native('GET', `/v1/sessions/${handle}`)).toMatchObject({ status: 404 })
    expect(await native('POST', '/v1/sessions/refresh', { refreshToken: last['refreshToken'] }))
      .toMatchObject({ status: 401 })
    await expect(Session.refreshSessionWithoutRequestResponse(String(last['refreshToken'])))
      .rejects.toMatchObject({ type: 'UNAUTHORISED' })
  })

  test('a session of the SDK continues natively: claims with reserved names stay in the store, and out of its tokens', async () => {
    const started = await Session.createNewSessionWithoutRequestResponse(
      'public', SuperTokens.convertToRecipeUserId('bob'), { role: 'reader', aud: 'sdk' }, { note: 'kept' },
    )
    const handle = started.getHandle()
    const { refreshToken } = started.getAllSessionTokensDangerously()
    const { accessToken } = await native('POST', '/v1/sessions/refresh', { refreshToken })
    const claims = JSON.parse(Buffer.from(String(accessToken).split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ iss: ISSUER, aud: AUDIENCE, sub: 'bob', sid: handle, role: 'reader' })
    expect((await native('GET', `/v1/sessions/${handle}`))['jwtPayload']).toMatchObject({ role: 'reader', aud: 'sdk' })
  })

  test('a shorter lifetime stored with a session is respected by the server, in both formats', async () => {
    const headers = new Headers()
    const request = new Request(`${ORIGIN}/login`, {
      method: 'POST',
      headers: { origin: ORIGIN, 'st-auth-mode': 'header' },
    })
    await embedded.createNewSession(request, headers, 'cleo', {}, {}, { accessTokenLifetime: 50 })
    const first = await native('POST', '/v1/sessions/refresh', { refreshToken: headers.get('st-refresh-token') })
    expect(Number(first['accessTokenExpiresAt'])).toBeLessThanOrEqual(Date.now() + 50_000)
    const before = Date.now()
    const response = await fetch(`${server.url}/recipe/session/refresh`, {
      method: 'POST', headers: { 'cdi-version': '5.4' },
      body: JSON.stringify({ refreshToken: first['refreshToken'], enableAntiCsrf: false, useDynamicSigningKey: true }),
    })
    const { accessToken } = await response.json() as { accessToken: { token: string; expiry: number } }
    expect(accessToken.expiry).toBeLessThanOrEqual(Date.now() + 50_000)
    expect(accessToken.expiry).toBeGreaterThan(before + 40_000)
    // So it does where `verify` exchanges a token that names its parent for one that does not.
    const verified = await fetch(`${server.url}/recipe/session/verify`, {
      method: 'POST', headers: { 'cdi-version': '5.4' },
      body: JSON.stringify({
        accessToken: accessToken.token,
        doAntiCsrfCheck: false,
        enableAntiCsrf: false,
        checkDatabase: false,
      }),
    })
    const promoted = await verified.json() as { accessToken: { expiry: number } }
    expect(promoted.accessToken.expiry).toBeLessThanOrEqual(Date.now() + 50_000)
  })

  test('static keys survive a rotation and the revocation of all sessions, which includes those with static keys', async () => {
    const sign = async (): Promise<string> => {
      const { jwt } = await native('POST', '/recipe/jwt', {
        algorithm: 'RS256',
        jwksDomain: 'https://a',
        payload: {},
        validity: 1e9,
      })
      return String(jwt)
    }
    const kidOf = (jwt: string): unknown => (
      (JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid
    )
    const kidsNow = async (): Promise<readonly unknown[]> => (
      ((await native('GET', '/.well-known/jwks.json'))['keys'] as { kid: unknown; kty: unknown }[]).map(
        ({ kid, kty }) => {
          expect(kty).toBe('RSA')
          return kid
      })
    )
    const kid = kidOf(await sign())
    const started = await native('POST', '/recipe/session', {
      userId: 'dora', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false, useDynamicSigningKey: false,
    }) as { session: { handle: string }; refreshToken: { token: string } }
    expect(await native('POST', '/v1/keys/rotate')).toMatchObject({ status: 200 })
    expect(kidOf(await sign())).toBe(kid)
    await embedded.revokeEverySession()
    await expect.poll(kidsNow).toSatisfy((kids: readonly unknown[]) => (
      kids.includes(kid) && kids.filter(each => String(each).startsWith('s-')).length === 1
    ))
    expect(kidOf(await sign())).toBe(kid)
    expect(await native('GET', `/v1/sessions/${started.session.handle}`)).toMatchObject({ status: 404 })
    expect(await native('POST', '/v1/sessions/refresh', { refreshToken: started.refreshToken.token }))
      .toMatchObject({ status: 401 })
  })
})
