// Deviations from the reference core that no other test shows. docs/server.md lists all of them.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { decodeJwt, startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { R } from '../support/lose-answers.ts'

let core: CoreServer
beforeEach(async () => {
  core = await startCoreServer()
})
afterEach(() => core.server.close())

const DAY = 86_400_000

const unchecked = { doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false }

test.each(['2.21', '5.4', '5.6'])('%s: every rotation moves the expiry of the session', async version => {
  const { refreshToken, session } = await core.create({}, { version })
  core.clock.advance(DAY)
  const next = await core.refresh(refreshToken.token, {}, { version })
  expect(next.refreshToken.expiry).toBe(refreshToken.expiry + DAY)
  const stored = (await core.call(`/recipe/session?sessionHandle=${session.handle}`)).json
  expect(stored['expiry']).toBe(refreshToken.expiry + DAY)
})

test.each(['2.21', '5.4', '5.6'])('%s: after another child, the use of the previous one is a theft', async version => {
  const { refreshToken: { token } } = await core.create({}, { version })
  const first = await core.refresh(token, {}, { version })
  core.clock.advance(2 * R + 1)
  const second = await core.refresh(token, {}, { version })
  expect(second.refreshToken.token).not.toBe(first.refreshToken.token)
  core.clock.advance(2 * R + 1)
  expect((await core.refresh(second.refreshToken.token, {}, { version })).status).toBe('OK')
  expect((await core.refresh(first.refreshToken.token, {}, { version })).status).toBe('TOKEN_THEFT_DETECTED')
})

test('a refresh token begins with kt1., and a handle has 23 characters without the tenant', async () => {
  const { session, refreshToken } = (await core.call('/t1/recipe/session', {
    body: { userId: 'alice', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: true },
  })).json
  expect(refreshToken.token).toMatch(/^kt1\.[\w.-]+\.[a-z]{1,2}$/)
  expect(session.handle).toMatch(/^[\w-]{23}$/)
})

test('the kid of a static key has 16 characters after s-, and the key exists before its first use', async () => {
  const { keys } = (await core.call('/.well-known/jwks.json')).json
  const kids = (keys as { kid: string }[]).map(({ kid }) => kid)
  const { accessToken } = await core.create({ useDynamicSigningKey: false })
  const { kid } = decodeJwt(accessToken.token).header
  expect(kid).toMatch(/^s-[\w-]{16}$/)
  expect(kids).toContain(kid)
})

test('from 5.6 on, verify does not distinguish a displaced token from the current one', async () => {
  const first = await core.create()
  const displaced = await core.refresh(first.refreshToken.token, {}, { version: '5.6' })
  core.clock.advance(2 * R + 1)
  const current = await core.refresh(first.refreshToken.token, {}, { version: '5.6' })
  for (const { accessToken } of [displaced, current]) {
    const body = { ...unchecked, checkDatabase: true, accessToken: accessToken.token }
    const answer = (await core.call('/recipe/session/verify', { version: '5.6', body })).json
    expect(answer).toMatchObject({ status: 'OK', payloadUpdateAvailable: false })
  }
})

test('verify with checkDatabase refuses a session that has expired but is still stored', async () => {
  let hasExpired = false
  const store = createMemoryStore()
  const late = await startCoreServer({}, {
    ...store,
    find: async handle => {
      const record = await store.find(handle)
      return record === null || !hasExpired ? record : { ...record, expiresAt: late.clock() }
    },
  })
  const { accessToken } = await late.create()
  const body = { ...unchecked, checkDatabase: true, accessToken: accessToken.token }
  const verify = async (): Promise<string> => (await late.call('/recipe/session/verify', { body })).json.status
  expect(await verify()).toBe('OK')
  hasExpired = true
  expect(await verify()).toBe('UNAUTHORISED')
  await late.server.close()
})

test('the key set of the native API verifies its access tokens, and has none of the keys of CDI', async () => {
  const kids = async (path: string): Promise<unknown[]> => (
    ((await core.call(path)).json['keys'] as { kid: string }[]).map(({ kid }) => kid)
  )
  const { accessToken } = (await core.call('/v1/sessions', {
    headers: { 'content-type': 'application/json' }, body: { userId: 'alice' },
  })).json
  const [ours, theirs] = [await kids('/jwt/jwks.json'), await kids('/.well-known/jwks.json')]
  expect(ours).toContain(decodeJwt(String(accessToken)).header['kid'])
  expect(ours.filter(kid => theirs.includes(kid))).toEqual([])
})

test('an access token is accepted for at most the configured lifetime, whatever its exp says', async () => {
  const { accessToken } = await core.create()
  const shorter = await startCoreServer({ accessTokenValidity: 60 }, core.store)
  const body = { ...unchecked, accessToken: accessToken.token }
  const verify = async (): Promise<string> => (await shorter.call('/recipe/session/verify', { body })).json.status
  expect(await verify()).toBe('OK')
  shorter.clock.advance(200_000)
  expect(await verify()).toBe('TRY_REFRESH_TOKEN')
  await shorter.server.close()
})

test('a 405 lists the methods of the path in Allow', async () => {
  const { status, headers } = await core.call('/recipe/session', { method: 'OPTIONS' })
  expect([status, headers.get('allow')]).toEqual([405, 'POST, GET'])
})

test('the validity of a JWT is at least a second, and ends at a date that JavaScript can represent', async () => {
  const sign = async (validity: number): Promise<number> => (await core.call('/recipe/jwt', {
    body: { algorithm: 'RS256', jwksDomain: 'a', payload: {}, validity },
  })).status
  expect([await sign(0.5), await sign(1), await sign(1e15)]).toEqual([400, 200, 400])
})

test('a body is read as UTF-8 whatever its Content-Type says', async () => {
  const { session } = (await core.call('/recipe/session', {
    headers: { 'content-type': 'application/json; charset=ISO-8859-1' },
    body: { userId: 'ü', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false },
  })).json
  expect(session.userId).toBe('ü')
})

test('settings of the reference that the server does not read have no effect', async () => {
  const make = (appId: string, coreConfig: object): ReturnType<CoreServer['call']> => (
    core.call('/recipe/multitenancy/app/v2', { method: 'PUT', body: { appId, coreConfig } })
  )
  const ignored = { ip_allow_regex: '^no$', ip_deny_regex: '.*', supertokens_max_cdi_version: '3.0' }
  expect((await make('open', ignored)).json).toEqual({ status: 'OK', createdNew: true })
  expect((await core.call('/appid-open/recipe/session/user?userId=a', { version: '5.6' })).status).toBe(200)
  expect((await make('long', { access_token_validity: 86_401 })).status).toBe(400)
})
