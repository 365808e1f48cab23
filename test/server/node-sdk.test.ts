// The published Node SDK of SuperTokens, unchanged, with Express, against the server: cookies and headers, over
// real sockets.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { NextFunction, Request, Response } from 'express'
import SuperTokens from 'supertokens-node'
import { errorHandler, middleware } from 'supertokens-node/framework/express'
import type { SessionRequest } from 'supertokens-node/framework/express'
import Session from 'supertokens-node/recipe/session'
import { PrimitiveClaim } from 'supertokens-node/recipe/session/claims'
import { verifySession } from 'supertokens-node/recipe/session/framework/express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startBusyCore } from '../support/busy-core.ts'
import type { BusyCore } from '../support/busy-core.ts'
import { HttpClient } from '../support/http-client.ts'
import type { Reply } from '../support/http-client.ts'
import { present } from '../support/present.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const colour = new PrimitiveClaim<string>({ key: 'colour', fetchValue: async () => 'green' })

let core: KeyturnServer
let busyCore: BusyCore
let app: Server
let port: number
/** The thefts that the SDK has reported, each as user id and handle. */
const thefts: string[] = []

beforeAll(async () => {
  core = await startServer(
    { port: 0, apiKeys: [API_KEY], logLevel: 'silent', reuseInterval: 0 },
    { openStore: async () => createMemoryStore() },
  )
  busyCore = await startBusyCore(core.url)
  app = await startApp()
  port = (app.address() as AddressInfo).port
})

afterAll(async () => {
  await new Promise(resolve => app.close(resolve))
  await busyCore.close()
  await core.close()
})

async function startApp(): Promise<Server> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  SuperTokens.init({
    framework: 'express',
    // Two hosts, so that a request to the other one would be noticed.
    supertokens: { connectionURI: `${busyCore.url};${busyCore.url}`, apiKey: API_KEY },
    appInfo: { appName: 'test', apiDomain: origin, websiteDomain: origin },
    telemetry: false,
    recipeList: [Session.init({
      antiCsrf: 'VIA_TOKEN',
      exposeAccessTokenToFrontendInCookieBasedAuth: true,
      errorHandlers: {
        onTokenTheftDetected: async (handle, userId, _recipeUserId, _request, response) => {
          thefts.push(`${userId} ${handle}`)
          response.setStatusCode(401)
          response.sendJSONResponse({ message: 'theft' })
        },
      },
    })],
  })
  const application = express()
  application.use(middleware())
  application.use(express.json())
  application.post('/login', async (request: Request, response: Response) => {
    const { userId, tenantId = 'public', payload = {}, data = {} } = request.body
    const session = await Session.createNewSession(
      request, response, tenantId, SuperTokens.convertToRecipeUserId(userId), payload, data,
    )
    response.json({ handle: session.getHandle() })
  })
  const describeSession = async (request: SessionRequest, response: Response): Promise<void> => {
    const session = present(request.session)
    response.json({
      userId: session.getUserId(),
      recipeUserId: session.getRecipeUserId().getAsString(),
      tenantId: session.getTenantId(),
      handle: session.getHandle(),
      payload: session.getAccessTokenPayload(),
      data: await session.getSessionDataFromDatabase(),
      expiry: await session.getExpiry(),
      timeCreated: await session.getTimeCreated(),
    })
  }
  application.get('/me', verifySession(), describeSession)
  application.post('/me', verifySession(), describeSession)
  application.get('/me/checked', verifySession({ checkDatabase: true }), describeSession)
  application.get('/blue', verifySession({
    overrideGlobalClaimValidators: async validators => [...validators, colour.validators.hasValue('blue')],
  }), describeSession)
  application.post('/data', verifySession(), async (request: SessionRequest, response: Response) => {
    await present(request.session).updateSessionDataInDatabase(request.body)
    response.json(await request.session?.getSessionDataFromDatabase())
  })
  application.post('/payload', verifySession(), async (request: SessionRequest, response: Response) => {
    await present(request.session).mergeIntoAccessTokenPayload(request.body)
    response.json(request.session?.getAccessTokenPayload())
  })
  application.post('/claim', verifySession(), async (request: SessionRequest, response: Response) => {
    const session = present(request.session)
    await session.fetchAndSetClaim(colour)
    const fetched = await session.getClaimValue(colour)
    await session.setClaimValue(colour, 'blue')
    const set = await session.getClaimValue(colour)
    await session.removeClaim(colour)
    response.json([fetched, set, await session.getClaimValue(colour) ?? null])
  })
  application.post('/logout', verifySession(), async (request: SessionRequest, response: Response) => {
    await present(request.session).revokeSession()
    response.json({})
  })
  application.use(errorHandler())
  application.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).json({ message: error.message })
  })
  server.on('request', application)
  return server
}

/** A browser with its cookies, and the anti-CSRF token that the page stores. */
class Page {
  readonly client = new HttpClient(port, `http://localhost:${port}`, Date.now)
  antiCsrf: string | undefined

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const reply = await this.client.send(method, path, {
      body,
      headers: {
        ...this.antiCsrf === undefined ? {} : { 'anti-csrf': this.antiCsrf },
        rid: 'session',
        'st-auth-mode': 'cookie',
        ...headers,
      },
    })
    this.antiCsrf = reply.headers['anti-csrf'] ?? this.antiCsrf
    return reply
  }

  async json(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const reply = await this.send(method, path, body)
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`)
    return JSON.parse(reply.body)
  }
}

async function loggedIn(userId = 'alice', more: object = {}): Promise<Page & { handle: string }> {
  const page = new Page()
  const { handle } = await page.json('POST', '/login', { userId, ...more })
  return Object.assign(page, { handle: String(handle) })
}

describe('with cookies and anti-CSRF tokens', () => {
  test('a session is created and read', async () => {
    const before = Date.now()
    const page = await loggedIn('alice', { payload: { role: 'admin', nothing: null }, data: { cart: [1, 'ü'] } })
    const after = Date.now()
    const me = await page.json('GET', '/me')
    expect(me).toMatchObject({
      userId: 'alice', recipeUserId: 'alice', tenantId: 'public', handle: page.handle, data: { cart: [1, 'ü'] },
      payload: {
        role: 'admin',
        nothing: null,
        sub: 'alice',
        tId: 'public',
        rsub: 'alice',
        parentRefreshTokenHash1: null,
      },
    })
    expect(Number(me['expiry'])).toBeGreaterThan(Date.now() + 99 * 86_400_000)
    expect(Number(me['timeCreated'])).toBeGreaterThanOrEqual(before)
    expect(Number(me['timeCreated'])).toBeLessThanOrEqual(after)
  })

  test('an unsafe request needs the anti-CSRF token', async () => {
    const page = await loggedIn()
    expect((await page.send('POST', '/me')).status).toBe(200)
    const { antiCsrf } = page
    page.antiCsrf = undefined
    expect((await page.send('POST', '/me')).body).toContain('try refresh token')
    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(401)
    const again = await loggedIn()
    expect((await again.send('POST', '/me', {}, { 'anti-csrf': present(antiCsrf) })).status).toBe(401)
  })

  test('a request without a session is unauthorised, and one with a forged token must refresh', async () => {
    expect((await new Page().send('GET', '/me')).body).toContain('unauthorised')
    const page = await loggedIn()
    page.client.jar = page.client.jar.map(cookie => cookie.name === 'sAccessToken'
      ? { ...cookie, value: cookie.value.replace(/\.[\w-]{10}/, '.AAAAAAAAAA') }
      : cookie)
    expect((await page.send('GET', '/me')).status).toBe(401)
  })

  test('a refresh rotates, and the new tokens work', async () => {
    const page = await loggedIn('alice', { payload: { role: 'x' } })
    const before = page.client.cookie('sRefreshToken')
    for (let round = 0; round < 3; round++) expect((await page.send('POST', '/auth/session/refresh')).status).toBe(200)
    expect(page.client.cookie('sRefreshToken')).not.toBe(before)
    const young = page.client.cookie('sAccessToken')
    const me = await page.json('GET', '/me')
    // The SDK sent the token to `verify` on its first use, and passed on the new one.
    expect(me['payload']).toMatchObject({ role: 'x', parentRefreshTokenHash1: null })
    const kept = page.client.cookie('sAccessToken')
    expect(kept).not.toBe(young)
    expect((await page.send('GET', '/me')).status).toBe(200)
    expect(page.client.cookie('sAccessToken')).toBe(kept)
    expect((await page.send('POST', '/me')).status).toBe(200)
  })

  test('a copied refresh token revokes the session for both', async () => {
    const page = await loggedIn('victim')
    const thief = new Page()
    thief.client.jar = page.client.jar
    thief.antiCsrf = page.antiCsrf
    await page.send('POST', '/auth/session/refresh')
    await page.send('POST', '/auth/session/refresh')
    const stolen = await thief.send('POST', '/auth/session/refresh')
    expect([stolen.status, JSON.parse(stolen.body)]).toEqual([401, { message: 'theft' }])
    expect(thefts).toContain(`victim ${page.handle}`)
    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(401)
    expect((await page.send('GET', '/me/checked')).status).toBe(401)
  })

  test('ROT-15: on a 503, the SDK throws a general error, clears nothing, and refreshes later', async () => {
    const page = await loggedIn('busy')
    const [jar, { antiCsrf }] = [page.client.jar, page]
    const before = busyCore.refreshes()
    const known = [...thefts]
    busyCore.tellBusy(1)
    const failed = await page.send('POST', '/auth/session/refresh')
    // The status is the application's: the SDK throws an error of none of its own kinds, with the server's words.
    expect(failed.status).toBe(500)
    expect(JSON.parse(failed.body).message)
      .toMatch(/'\/recipe\/session\/refresh' with status code: 503 and message: The session cannot be refreshed yet/)
    expect(failed.setCookies).toEqual([])
    expect(['front-token', 'anti-csrf', 'retry-after'].filter(name => name in failed.headers)).toEqual([])
    expect([page.client.jar, page.antiCsrf, thefts]).toEqual([jar, antiCsrf, known])
    // It sends no request to the other host, and does not repeat this one.
    expect(busyCore.refreshes()).toBe(before + 1)

    expect((await page.send('POST', '/auth/session/refresh')).status).toBe(200)
    expect((await page.send('POST', '/me')).status).toBe(200)
    expect(busyCore.refreshes()).toBe(before + 2)
  })

  test('session data and payload are updated', async () => {
    const page = await loggedIn('alice', { payload: { a: 1, b: 2 } })
    expect(await page.json('POST', '/data', { n: 1 })).toEqual({ n: 1 })
    expect(await page.json('POST', '/payload', { a: null, c: [3] })).toMatchObject({ b: 2, c: [3] })
    const me = await page.json('GET', '/me/checked')
    expect(me['payload']).toMatchObject({ b: 2, c: [3] })
    expect(me['payload']).not.toHaveProperty('a')
    await page.send('POST', '/auth/session/refresh')
    expect((await page.json('GET', '/me'))['payload']).toMatchObject({ b: 2, c: [3] })
  })

  test('claims are fetched, set, validated and removed', async () => {
    const page = await loggedIn()
    expect(await page.json('POST', '/claim')).toEqual(['green', 'blue', null])
    expect((await page.send('GET', '/blue')).status).toBe(403)
    expect(await Session.fetchAndSetClaim(page.handle, colour)).toBe(true)
    expect(await Session.setClaimValue(page.handle, colour, 'blue')).toBe(true)
    await page.send('POST', '/auth/session/refresh')
    expect((await page.send('GET', '/blue')).status).toBe(200)
  })

  test('a revoked session is refused at once with checkDatabase, and its cookies are cleared', async () => {
    const page = await loggedIn()
    await page.json('POST', '/logout')
    expect(page.client.cookie('sAccessToken')).toBeUndefined()
    const other = await loggedIn()
    expect(await Session.revokeSession(other.handle)).toBe(true)
    expect((await other.send('GET', '/me')).status).toBe(401)
    expect((await other.send('GET', '/me/checked')).status).toBe(401)
    expect((await other.send('POST', '/auth/session/refresh')).status).toBe(401)
  })

  test('the sign-out route of the SDK revokes the session', async () => {
    const page = await loggedIn()
    expect((await page.send('POST', '/auth/signout')).status).toBe(200)
    expect(await Session.getSessionInformation(page.handle)).toBeUndefined()
  })
})

describe('with headers', () => {
  test('a session is created, read and refreshed', async () => {
    const client = new HttpClient(port, `http://localhost:${port}`, Date.now)
    const login = await client.send('POST', '/login', {
      body: { userId: 'bob' },
      headers: { 'st-auth-mode': 'header' },
    })
    expect(login.setCookies).toEqual([])
    const bearer = (token: string | undefined): { headers: Record<string, string> } => ({
      headers: { authorization: `Bearer ${token}`, 'st-auth-mode': 'header' },
    })
    expect((await client.send('POST', '/me', bearer(login.headers['st-access-token']))).status).toBe(200)
    const refresh = await client.send('POST', '/auth/session/refresh', bearer(login.headers['st-refresh-token']))
    expect(refresh.status).toBe(200)
    expect((await client.send('GET', '/me/checked', bearer(refresh.headers['st-access-token']))).status).toBe(200)
  })
})

describe('without a request', () => {
  const create = (
    userId: string,
    tenantId = 'public',
  ): ReturnType<typeof Session.createNewSessionWithoutRequestResponse> =>
    Session.createNewSessionWithoutRequestResponse(tenantId, SuperTokens.convertToRecipeUserId(userId), { p: 1 }, {
      d: 2,
    })

  test('sessions are created, read and refreshed', async () => {
    const session = await create('carol')
    const { accessToken, refreshToken, antiCsrfToken } = session.getAllSessionTokensDangerously()
    const read = await Session.getSessionWithoutRequestResponse(accessToken, antiCsrfToken, { antiCsrfCheck: true })
    expect(read.getUserId()).toBe('carol')
    const next = await Session.refreshSessionWithoutRequestResponse(present(refreshToken), false, antiCsrfToken)
    expect(next.getHandle()).toBe(session.getHandle())
    await next.assertClaims([])
    await expect(Session.refreshSessionWithoutRequestResponse('malformed', true)).rejects.toThrow()
    await expect(Session.getSessionWithoutRequestResponse('malformed', undefined, {})).rejects.toThrow()
  })

  test('ROT-15: on a 503, the SDK rejects with an error that is neither a theft nor a sign-out', async () => {
    const { refreshToken, antiCsrfToken } = (await create('busy')).getAllSessionTokensDangerously()
    busyCore.tellBusy(1)
    const refresh = (): ReturnType<typeof Session.refreshSessionWithoutRequestResponse> =>
      Session.refreshSessionWithoutRequestResponse(refreshToken ?? '', false, antiCsrfToken)
    const failure: unknown = await refresh().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(Session.Error.isErrorFromSuperTokens(failure)).toBe(false)
    expect((await refresh()).getUserId()).toBe('busy')
  })

  test('sessions are found, listed and revoked', async () => {
    const [one, two, three] = [await create('dave'), await create('dave'), await create('dave', 't1')]
    expect(await Session.getSessionInformation(three.getHandle())).toMatchObject({
      userId: 'dave', tenantId: 't1', sessionHandle: three.getHandle(), sessionDataInDatabase: { d: 2 },
      customClaimsInAccessTokenPayload: { p: 1 },
    })
    expect((await Session.getAllSessionHandlesForUser('dave')).sort())
      .toEqual([one, two, three].map(session => session.getHandle()).sort())
    expect(await Session.getAllSessionHandlesForUser('dave', true, 't1')).toEqual([three.getHandle()])
    expect(await Session.revokeMultipleSessions([one.getHandle(), 'unknown'])).toEqual([one.getHandle()])
    expect(await Session.revokeAllSessionsForUser('dave', true, 't1')).toEqual([three.getHandle()])
    expect(await Session.revokeAllSessionsForUser('dave')).toEqual([two.getHandle()])
    expect(await Session.getAllSessionHandlesForUser('dave')).toEqual([])
    expect(await Session.revokeSession(one.getHandle())).toBe(false)
    expect(await Session.getSessionInformation(one.getHandle())).toBeUndefined()
  })

  test('data, payload and claims are updated by handle', async () => {
    const session = await create('erin')
    const handle = session.getHandle()
    expect(await Session.updateSessionDataInDatabase(handle, { x: 1 })).toBe(true)
    expect(await Session.mergeIntoAccessTokenPayload(handle, { p: null, q: 2 })).toBe(true)
    expect(await Session.setClaimValue(handle, colour, 'red')).toBe(true)
    expect(await Session.getClaimValue(handle, colour)).toEqual({ status: 'OK', value: 'red' })
    const validated = await Session.validateClaimsForSessionHandle(handle, () => [colour.validators.hasValue('blue')])
    expect(validated).toMatchObject({ status: 'OK', invalidClaims: [{ id: 'colour' }] })
    expect(await Session.removeClaim(handle, colour)).toBe(true)
    expect(await Session.getSessionInformation(handle)).toMatchObject({
      sessionDataInDatabase: { x: 1 }, customClaimsInAccessTokenPayload: { q: 2 },
    })
    expect(await Session.updateSessionDataInDatabase('unknown', {})).toBe(false)
    expect(await Session.mergeIntoAccessTokenPayload('unknown', {})).toBe(false)
  })

  test('JWTs are signed, and the keys are published', async () => {
    const made = await Session.createJWT({ a: 1 }, 100)
    expect(made).toMatchObject({ status: 'OK', jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) })
    const { keys } = await Session.getJWKS()
    expect(keys.map(({ kid }) => kid.slice(0, 2)).sort()).toEqual(['d-', 's-'])
    expect((await Session.getOpenIdDiscoveryConfiguration()).jwks_uri).toContain('/jwt/jwks.json')
  })
})
