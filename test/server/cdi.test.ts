import { createHash } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseHandle } from '../../src/base/handle.ts'
import { decodeJwt, startCoreServer } from '../support/core-server.ts'
import type { CoreBody, CoreServer } from '../support/core-server.ts'
import { BUSY_SECONDS, loseAnswers, R } from '../support/lose-answers.ts'
import { present } from '../support/present.ts'

let core: CoreServer
beforeEach(async () => {
  core = await startCoreServer()
})
afterEach(() => core.server.close())

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('versions', () => {
  test('are listed', async () => {
    const { versions } = (await core.call('/apiversion?apiDomain=a&websiteDomain=b', { version: null })).json
    expect(versions).toEqual(expect.arrayContaining(['3.1', '5.4', '5.6']))
  })

  test.each([
    ['banana', 'cdi-version header is invalid'],
    ['9.9', 'cdi-version 9.9 not supported'],
    ['2.7', 'cdi-version 2.7 not supported'],
  ])('version %s is refused', async (version, words) => {
    const answer = await core.call('/recipe/session?sessionHandle=x', { version })
    expect([answer.status, answer.text]).toEqual([400, `${words}\n`])
  })

  test.each([
    ['2.21', '3', { tId: undefined, rsub: undefined }, { recipeUserId: undefined, tenantId: undefined }],
    ['3.1', '4', { tId: 'public', rsub: undefined }, { recipeUserId: undefined, tenantId: 'public' }],
    ['5.4', '5', { tId: 'public', rsub: 'alice' }, { recipeUserId: 'alice', tenantId: 'public' }],
    [null, '5', { tId: 'public', rsub: 'alice' }, { recipeUserId: 'alice', tenantId: 'public' }],
  ])('%s gets access tokens of version %s', async (version, tokenVersion, claims, session) => {
    const path = version === '2.21' ? '/recipe/session' : '/public/recipe/session'
    const created = (await core.call(path, {
      version, body: { userId: 'alice', userDataInJWT: { role: 'x' }, userDataInDatabase: {}, enableAntiCsrf: false },
    })).json
    const token = decodeJwt(created.accessToken.token)
    expect(token.header).toEqual({
      alg: 'RS256', typ: 'JWT', version: tokenVersion, kid: expect.stringMatching(/^d-\d+$/),
      keyturn: { gen: 0, brn: 0, ri: R, pv: 0, at: core.clock() / 1000 },
    })
    expect(token.claims).toMatchObject({ sub: 'alice', role: 'x', parentRefreshTokenHash1: null, antiCsrfToken: null })
    expect({ tId: token.claims['tId'], rsub: token.claims['rsub'] }).toEqual(claims)
    expect(created.session).toMatchObject({ handle: token.claims['sessionHandle'], userId: 'alice' })
    expect({ recipeUserId: created.session.recipeUserId, tenantId: created.session.tenantId }).toEqual(session)
  })
})

describe('paths', () => {
  test.each([
    ['/hello', 200], ['/', 200], ['/HELLO/', 200], ['/public/hello', 200], ['/appid-public/hello', 200],
    ['/appid-public/public/recipe/session/user?userId=a', 200], ['/Recipe/Session/User/?userId=a', 200],
    ['/nope', 404], ['/recipe', 404], ['/config/recipe/session', 404], ['//recipe/session/user?userId=a', 404],
    ['/recipe/session%2fuser?userId=a', 404], ['/recipe/./session;x', 404], ['/recipe/handshake', 404],
    ['/appid-other/recipe/session/user?userId=a', 400],
  ])('%s answers %i', async (path, status) => {
    expect((await core.call(path)).status).toBe(status)
  })

  test('a known path refuses other methods with 405', async () => {
    for (const method of ['PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      expect((await core.call('/recipe/session', { method })).status).toBe(405)
    }
    expect((await core.call('/hello', { method: 'DELETE' })).text).toBe('Hello\n')
  })

  test('sessions are listed and revoked per tenant if the request says so', async () => {
    const one = await core.create({}, { version: '5.4' })
    const two = (await core.call('/t1/recipe/session', {
      body: { userId: 'alice', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false },
    })).json
    expect(two.session.tenantId).toBe('t1')
    expect(decodeJwt(two.accessToken.token).claims['tId']).toBe('t1')
    const list = async (path: string): Promise<unknown> => (await core.call(path)).json['sessionHandles']
    expect(await list('/t1/recipe/session/user?userId=alice&fetchAcrossAllTenants=false')).toEqual([two.session.handle])
    expect(await list('/recipe/session/user?userId=alice')).toHaveLength(2)
    for (const [version, status] of [['4.0', 200], ['5.0', 403]] as const) {
      expect((await core.call('/t1/recipe/session/user?userId=alice', { version })).status).toBe(status)
    }
    const across = await core.call('/t1/recipe/session/remove', { body: { userId: 'alice' } })
    expect([across.status, across.text]).toEqual([403, 'Only public tenantId can call this app specific API\n'])
    const removed = await core.call('/t1/recipe/session/remove', {
      body: { userId: 'alice', revokeAcrossAllTenants: false },
    })
    expect(removed.json['sessionHandlesRevoked']).toEqual([two.session.handle])
    expect(await list('/public/recipe/session/user?userId=alice')).toEqual([one.session.handle])
  })

  test('version 3.0 adds tenants; some calls are only for the public tenant from 5.0 or 5.6 on', async () => {
    expect((await core.call('/t1/recipe/session/user?userId=a', { version: '2.21' })).status).toBe(404)
    const verify = { accessToken: 'x', doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false }
    expect((await core.call('/t1/recipe/session/verify', { version: '5.4', body: verify })).status).toBe(200)
    expect((await core.call('/t1/recipe/session/verify', { version: '5.6', body: verify })).status).toBe(403)
  })
})

describe('applications', () => {
  test('share nothing: neither sessions nor keys', async () => {
    const two = await startCoreServer({ apps: ['shop'] })
    const path = '/appid-shop/public/recipe/session'
    const created = (await two.call(path, {
      body: { userId: 'a', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false },
    })).json
    expect((await two.call(`/recipe/session?sessionHandle=${created.session.handle}`)).json.status).toBe('UNAUTHORISED')
    expect((await two.call(`/appid-shop/recipe/session?sessionHandle=${created.session.handle}`)).json.status)
      .toBe('OK')
    expect((await two.refresh(created.refreshToken.token)).status).toBe('UNAUTHORISED')
    expect((await two.call('/.well-known/jwks.json')).text)
      .not.toBe((await two.call('/appid-shop/.well-known/jwks.json')).text)
    await two.server.close()
  })
})

describe('bodies', () => {
  test.each([
    ['nothing', '', 'Invalid Json Input'],
    ['an array', '[]', 'Invalid Json Input'],
    ['no field', '{}', "Field name 'userId' is invalid in JSON input"],
    ['a number as a text', '{"userId":1}', "Field name 'userId' is invalid in JSON input"],
    ['an array as a text', '{"userId":["a"]}', "Field name 'userId' is invalid in JSON input"],
    ['null', '{"userId":null}', "Field name 'userId' is invalid in JSON input"],
    ['a list as an object', '{"userId":"a","userDataInJWT":[]}', "Field name 'userDataInJWT' is invalid in JSON input"],
    ['a text as a flag', '{"userId":"a","userDataInJWT":{},"userDataInDatabase":{},"enableAntiCsrf":"true"}',
      "Field name 'enableAntiCsrf' is invalid in JSON input"],
  ])('a body with %s is refused', async (_, body, words) => {
    const answer = await core.call('/recipe/session', { method: 'POST', body })
    expect([answer.status, answer.text]).toEqual([400, `${words}\n`])
    expect(answer.headers.get('content-type')).toBe('text/html; charset=UTF-8')
  })

  test('a query without its parameter is refused', async () => {
    const answer = await core.call('/recipe/session')
    expect([answer.status, answer.text]).toEqual([400, "Field name 'sessionHandle' is missing in GET request\n"])
  })

  test('responses are JSON that ends with a line feed', async () => {
    const answer = await core.call('/user/id?userId=a')
    expect(answer.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(answer.text).toBe('{"status":"UNKNOWN_USER_ID_ERROR"}\n')
  })

  test('a payload with the name of a protocol claim is refused, and nothing is stored', async () => {
    for (const name of ['sub', 'exp', 'iat', 'sessionHandle', 'refreshTokenHash1', 'antiCsrfToken', 'tId', 'rsub']) {
      const answer = await core.call('/recipe/session', {
        body: { userId: 'bob', userDataInJWT: { [name]: 1 }, userDataInDatabase: {}, enableAntiCsrf: false },
      })
      expect([answer.status, answer.text]).toEqual([400, 'The user payload contains protected field\n'])
    }
    expect((await core.call('/recipe/session/user?userId=bob')).json['sessionHandles']).toEqual([])
  })
})

describe('a session', () => {
  test('has tokens whose times match their claims', async () => {
    const { accessToken, refreshToken } = await core.create()
    const { claims } = decodeJwt(accessToken.token)
    expect(accessToken.expiry).toBe(Number(claims['exp']) * 1000)
    expect(accessToken.createdTime).toBe(Number(claims['iat']) * 1000)
    expect(refreshToken.expiry).toBe(core.clock() + 100 * 86_400_000)
    expect(claims['refreshTokenHash1']).toBe(sha256(refreshToken.token))
    const life = accessToken.expiry - core.clock()
    expect(life).toBeGreaterThan(3_400_000)
    expect(life).toBeLessThanOrEqual(3_600_000)
  })

  test('may belong to a user with an empty id: the protocol allows it, and SDKs use it', async () => {
    const { session, accessToken, refreshToken } = await core.create({ userId: '' })
    expect(decodeJwt(accessToken.token).claims).toMatchObject({ sub: '', rsub: '' })
    const body = { accessToken: accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true }
    expect((await core.call('/recipe/session/verify', { body })).json)
      .toMatchObject({ status: 'OK', session: { userId: '' } })
    expect((await core.refresh(refreshToken.token)).session.userId).toBe('')
    expect((await core.call('/recipe/session/user?userId=')).json['sessionHandles']).toEqual([session.handle])
    expect((await core.call('/recipe/session/remove', { body: { userId: '' } })).json['sessionHandlesRevoked'])
      .toEqual([session.handle])
  })

  test('is returned with its data and times', async () => {
    const { session } = await core.create({ userDataInJWT: { a: null }, userDataInDatabase: { b: 'ü' } })
    expect((await core.call(`/recipe/session?sessionHandle=${session.handle}`)).json).toEqual({
      status: 'OK', sessionHandle: session.handle, userId: 'alice', recipeUserId: 'alice', tenantId: 'public',
      userDataInJWT: { a: null }, userDataInDatabase: { b: 'ü' },
      expiry: core.clock() + 100 * 86_400_000, timeCreated: core.clock(),
    })
  })

  test('has data that can be replaced', async () => {
    const { session: { handle: sessionHandle } } = await core.create({ userDataInDatabase: { a: 1 } })
    const put = (path: string, body: object): Promise<{ json: { status: string } }> =>
      core.call(path, { method: 'PUT', body })
    expect((await put('/recipe/session/data', { sessionHandle, userDataInDatabase: { b: 2 } })).json.status).toBe('OK')
    expect((await core.call(`/recipe/session/data?sessionHandle=${sessionHandle}`)).json)
      .toEqual({ status: 'OK', userDataInDatabase: { b: 2 } })
    expect((await put('/recipe/jwt/data', { sessionHandle, userDataInJWT: { c: 3 } })).json.status).toBe('OK')
    expect((await core.call(`/recipe/jwt/data?sessionHandle=${sessionHandle}`)).json)
      .toEqual({ status: 'OK', userDataInJWT: { c: 3 } })
    expect((await put('/recipe/jwt/data', { sessionHandle: 'x', userDataInJWT: {} })).json.status).toBe('UNAUTHORISED')
    expect((await put('/recipe/session/data', { sessionHandle: 'x', userDataInDatabase: {} })).json.status)
      .toBe('UNAUTHORISED')
  })

  test('is revoked by handle and by user, and expires', async () => {
    const [one, two, three] = [await core.create(), await core.create(), await core.create()]
    const remove = async (body: object): Promise<unknown> =>
      (await core.call('/recipe/session/remove', { body })).json['sessionHandlesRevoked']
    expect(await remove({ sessionHandles: [one.session.handle, one.session.handle, 'unknown'] }))
      .toEqual([one.session.handle])
    expect(await remove({ sessionHandles: [one.session.handle] })).toEqual([])
    expect(await remove({ userId: 'alice', revokeSessionsForLinkedAccounts: true }))
      .toEqual(expect.arrayContaining([two.session.handle, three.session.handle]))
    expect((await core.refresh(two.refreshToken.token)).status).toBe('UNAUTHORISED')
    const four = await core.create()
    core.clock.advance(100 * 86_400_000)
    expect((await core.call('/recipe/session/user?userId=alice')).json['sessionHandles']).toEqual([])
    expect((await core.refresh(four.refreshToken.token)).status).toBe('UNAUTHORISED')
  })

  test.each([
    [{}], [{ userId: 'a', sessionHandles: ['b'] }],
  ])('a removal with %j is refused', async body => {
    const answer = await core.call('/recipe/session/remove', { body })
    expect([answer.status, answer.text])
      .toEqual([400, 'Invalid JSON input - use one of userId or sessionHandles array\n'])
  })

  test('flags that belong to a user id are refused together with handles', async () => {
    const answer = await core.call('/recipe/session/remove', {
      body: { sessionHandles: [], revokeAcrossAllTenants: true },
    })
    expect(answer.status).toBe(400)
  })
})

describe('verify', () => {
  const verify = (accessToken: string, fields: object = {}, version = '5.4'): ReturnType<CoreServer['call']> =>
    core.call('/recipe/session/verify', {
      version,
      body: { accessToken, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false, ...fields },
    })

  test('accepts an issued token without a query to the store', async () => {
    const { accessToken, session } = await core.create({ userDataInJWT: { role: 'x' } })
    expect((await verify(accessToken.token)).json).toEqual({ status: 'OK', session })
    await core.call('/recipe/session/remove', { body: { userId: 'alice' } })
    expect((await verify(accessToken.token)).json.status).toBe('OK')
    expect((await verify(accessToken.token, { checkDatabase: true })).json.status).toBe('UNAUTHORISED')
  })

  test.each(['', 'a', 'a.b.c', '..', '%', 'x'.repeat(9000)])('any other text gets TRY_REFRESH_TOKEN', async text => {
    expect((await verify(text)).json.status).toBe('TRY_REFRESH_TOKEN')
  })

  test('a changed or expired token gets TRY_REFRESH_TOKEN', async () => {
    const { accessToken } = await core.create()
    const [header = '', claims = '', signature = ''] = accessToken.token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(accessToken.token).claims, sub: 'eve' })).toString(
      'base64url',
    )
    for (const token of [
      `${header}.${forged}.${signature}`, `${header}.${claims}.`, `${header}.${claims}.${signature}=`,
    ]) {
      expect((await verify(token)).json.status).toBe('TRY_REFRESH_TOKEN')
    }
    core.clock.advance(3_600_000)
    expect((await verify(accessToken.token)).json.status).toBe('TRY_REFRESH_TOKEN')
  })

  test('TOK-07: a JWT of /recipe/jwt is not an access token, whatever its claims', async () => {
    const { accessToken } = await core.create()
    const { jwt } = (await core.call('/recipe/jwt', {
      body: {
        algorithm: 'RS256', jwksDomain: 'https://a', validity: 100, useStaticSigningKey: false,
        payload: decodeJwt(accessToken.token).claims,
      },
    })).json
    expect((await verify(String(jwt))).json.status).toBe('TRY_REFRESH_TOKEN')
  })

  test('requires the anti-CSRF token if anti-CSRF is enabled and checked', async () => {
    const { accessToken, antiCsrfToken } = await core.create({ enableAntiCsrf: true })
    expect(decodeJwt(accessToken.token).claims['antiCsrfToken']).toBe(antiCsrfToken)
    const on = { doAntiCsrfCheck: true, enableAntiCsrf: true }
    expect((await verify(accessToken.token, { ...on, antiCsrfToken })).json.status).toBe('OK')
    expect((await verify(accessToken.token, on)).json.status).toBe('TRY_REFRESH_TOKEN')
    expect((await verify(accessToken.token, { ...on, antiCsrfToken: 'other' })).json.status).toBe('TRY_REFRESH_TOKEN')
    expect((await verify(accessToken.token, { ...on, doAntiCsrfCheck: false })).json.status).toBe('OK')
    const without = await core.create()
    expect((await verify(without.accessToken.token, { ...on, antiCsrfToken: '' })).json.status)
      .toBe('TRY_REFRESH_TOKEN')
  })

  test('returns a newer payload up to 5.4, and only reports it from 5.6 on', async () => {
    const { accessToken, session: { handle } } = await core.create({ userDataInJWT: { v: 1 }, enableAntiCsrf: true })
    expect((await verify(accessToken.token, { checkDatabase: true }, '5.6')).json['payloadUpdateAvailable']).toBe(false)
    await core.call('/recipe/jwt/data', { method: 'PUT', body: { sessionHandle: handle, userDataInJWT: { v: 2 } } })
    expect((await verify(accessToken.token)).json.session.userDataInJWT).toEqual({ v: 1 })
    const old = (await verify(accessToken.token, { checkDatabase: true })).json
    expect(old.session.userDataInJWT).toEqual({ v: 2 })
    const [before, after] = [decodeJwt(accessToken.token).claims, decodeJwt(old.accessToken.token).claims]
    expect(after)
      .toMatchObject({ v: 2, refreshTokenHash1: before['refreshTokenHash1'], antiCsrfToken: before['antiCsrfToken'] })
    const eager = (await verify(accessToken.token, { checkDatabase: true }, '5.6')).json
    expect(eager).toMatchObject({ status: 'OK', payloadUpdateAvailable: true })
    expect(eager.accessToken).toBeUndefined()
  })

  describe('of a token that names its parent', () => {
    const claimsOf = ({ accessToken }: CoreBody): Record<string, unknown> => decodeJwt(accessToken.token).claims
    const confirmed = async ({ session }: CoreBody): Promise<boolean | undefined> =>
      (await core.store.find(present(parseHandle(session.handle))))?.confirmed

    test('returns one without a parent, for every caller and every call; the refresh token stays valid', async () => {
      const first = await core.create({ userDataInJWT: { role: 'x' }, enableAntiCsrf: true })
      const { antiCsrfToken } = first
      const second = await core.refresh(first.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken })
      core.clock.advance(5000)
      const { token } = second.accessToken
      const answers = await Promise.all(Array.from({ length: 5 }, async () => (await verify(token)).json))
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 'OK', session: second.session })
        const iat = core.clock() / 1000
        expect(claimsOf(answer)).toEqual({ ...claimsOf(second), parentRefreshTokenHash1: null, iat, exp: iat + 3600 })
        expect(answer.accessToken).toMatchObject({ createdTime: iat * 1000, expiry: (iat + 3600) * 1000 })
      }
      expect((await verify(present(answers[0]).accessToken.token)).json)
        .toEqual({ status: 'OK', session: second.session })
      const again = await core.refresh(first.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken })
      expect(again.refreshToken.token).toBe(second.refreshToken.token)
      expect(claimsOf(again)['parentRefreshTokenHash1']).toBe(sha256(first.refreshToken.token))
      const next = { enableAntiCsrf: true, antiCsrfToken: second.antiCsrfToken }
      expect((await core.refresh(second.refreshToken.token, next)).status).toBe('OK')
    })

    test('queries the store: a revoked session is refused, a newer payload is returned', async () => {
      const { refreshToken, session: { handle } } = await core.create({ userDataInJWT: { v: 1 } })
      const { accessToken: { token } } = await core.refresh(refreshToken.token)
      await core.call('/recipe/jwt/data', { method: 'PUT', body: { sessionHandle: handle, userDataInJWT: { v: 2 } } })
      const answer = (await verify(token)).json
      expect([answer.session.userDataInJWT, claimsOf(answer)['v']]).toEqual([{ v: 2 }, 2])
      await core.call('/recipe/session/remove', { body: { sessionHandles: [handle] } })
      expect((await verify(token)).json.status).toBe('UNAUTHORISED')
    })

    test('returns one that never outlives the session', async () => {
      const brief = await startCoreServer({ sessionLifetime: 3610 })
      const first = await brief.create()
      const second = await brief.refresh(first.refreshToken.token)
      brief.clock.advance(60_000)
      const body = {
        accessToken: second.accessToken.token,
        doAntiCsrfCheck: false,
        enableAntiCsrf: false,
        checkDatabase: false,
      }
      const answer = (await brief.call('/recipe/session/verify', { body })).json
      expect(answer.accessToken.expiry).toBe(first.accessToken.createdTime + 3_610_000)
      await brief.server.close()
    })

    test('S-06: returns one with the session\'s own lifetime, whatever the configuration of this server', async () => {
      const first = await core.create()
      const second = await core.refresh(first.refreshToken.token)
      const later = await startCoreServer({ accessTokenValidity: 86_400 }, core.store)
      const body = {
        accessToken: second.accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false,
      }
      const { accessToken } = (await later.call('/recipe/session/verify', { body })).json
      expect(accessToken.expiry - accessToken.createdTime).toBe(3_600_000)
      await later.server.close()
    })

    test('is valid after the session was refreshed again, but returns no new token', async () => {
      const first = await core.create()
      const second = await core.refresh(first.refreshToken.token)
      core.clock.advance(2 * R + 1)
      const branch = await core.refresh(first.refreshToken.token)
      expect(branch.refreshToken.token).not.toBe(second.refreshToken.token)
      expect((await verify(second.accessToken.token)).json).toEqual({ status: 'OK', session: first.session })
      expect(claimsOf((await verify(branch.accessToken.token)).json)['parentRefreshTokenHash1']).toBeNull()
      core.clock.advance(2 * R + 1)
      await core.refresh(branch.refreshToken.token)
      expect((await verify(branch.accessToken.token)).json.accessToken).toBeUndefined()
    })

    test('confirms the refresh token, but only after twice the reuse interval', async () => {
      const [young, old] = [await core.create(), await core.create()]
      const aged = await core.refresh(old.refreshToken.token)
      core.clock.advance(61_000)
      const fresh = await core.refresh(young.refreshToken.token)
      for (const { accessToken } of [aged, fresh]) expect((await verify(accessToken.token)).json.status).toBe('OK')
      await core.server.close()
      expect([await confirmed(aged), await confirmed(fresh)]).toEqual([true, false])
    })

    test('from 5.6 on, no token names its parent, and no new one is returned', async () => {
      const { refreshToken } = await core.create()
      const old = await core.refresh(refreshToken.token)
      expect((await verify(old.accessToken.token, {}, '5.6')).json).toEqual({ status: 'OK', session: old.session })
      const eager = await core.refresh(refreshToken.token, {}, { version: '5.6' })
      expect(claimsOf(eager)['parentRefreshTokenHash1']).toBeNull()
      expect((await verify(eager.accessToken.token)).json.accessToken).toBeUndefined()
    })
  })

  test('requires the field checkDatabase', async () => {
    const answer = await core.call('/recipe/session/verify', {
      body: { accessToken: 'x', doAntiCsrfCheck: false, enableAntiCsrf: false },
    })
    expect([answer.status, answer.text]).toEqual([400, "Field name 'checkDatabase' is invalid in JSON input\n"])
  })
})

describe('refresh', () => {
  test('returns the next pair; repeated within the interval, the same refresh token', async () => {
    const first = await core.create({ userDataInJWT: { role: 'x' }, enableAntiCsrf: true })
    const { antiCsrfToken } = first
    const answers = await Promise.all(Array.from({ length: 10 }, () =>
      core.refresh(first.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken })))
    expect(new Set(answers.map(({ refreshToken }) => refreshToken.token)).size).toBe(1)
    expect(new Set(answers.map(answer => answer.antiCsrfToken)).size).toBe(1)
    const next = present(answers[0])
    expect(next.session).toEqual(first.session)
    expect(decodeJwt(next.accessToken.token).claims).toMatchObject({
      role: 'x', refreshTokenHash1: sha256(next.refreshToken.token),
      parentRefreshTokenHash1: sha256(first.refreshToken.token), antiCsrfToken: next.antiCsrfToken,
    })
    expect(next.antiCsrfToken).not.toBe(antiCsrfToken)
  })

  test('a current token that was issued within twice the interval is exchanged for itself', async () => {
    const first = await core.create({ enableAntiCsrf: true })
    const next = { enableAntiCsrf: true, antiCsrfToken: first.antiCsrfToken }
    const second = await core.refresh(first.refreshToken.token, next)
    core.clock.advance(2 * R)
    const again = await core.refresh(second.refreshToken.token, { ...next, antiCsrfToken: second.antiCsrfToken })
    expect([again.refreshToken.token, again.antiCsrfToken]).toEqual([second.refreshToken.token, second.antiCsrfToken])
    expect(again.accessToken.expiry).toBe(core.clock() + 3_600_000)
    expect(decodeJwt(again.accessToken.token).claims['parentRefreshTokenHash1']).toBeNull()
  })

  test.each(['2.21', '3.1', '5.4', '5.6'])(
    'ROT-15: %s: a busy refresh is 503 in plain text with Retry-After, changes nothing, and succeeds later',
    async version => {
      const { refreshToken, session } = await core.create({}, { version })
      const refresh = (): ReturnType<CoreServer['call']> => core.call('/recipe/session/refresh', {
        version, body: { refreshToken: refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true },
      })
      const stored = (): unknown => core.store.find(present(parseHandle(session.handle)))
      await loseAnswers(core.clock, refresh)
      const [before, logged] = [await stored(), core.log.length]
      const busy = await refresh()
      expect([busy.status, busy.text])
        .toEqual([503, `The session cannot be refreshed yet: send the same refresh token again in ${BUSY_SECONDS} s\n`])
      expect(Object.fromEntries(busy.headers)).toMatchObject({
        'content-type': 'text/plain; charset=UTF-8', 'retry-after': `${BUSY_SECONDS}`, 'cache-control': 'no-store',
      })
      expect([await stored(), core.log.length]).toEqual([before, logged])
      core.clock.advance(BUSY_SECONDS * 1000 - 1000)
      expect((await refresh()).headers.get('retry-after')).toBe('1')
      core.clock.advance(1000)
      expect((await refresh()).json).toMatchObject({ status: 'OK', session: { handle: session.handle } })
    },
  )

  test.each([['5.4', undefined], ['5.6', 'STALE_LINEAGE']])('%s: an old token is a theft', async (version, subtype) => {
    const first = await core.create()
    const second = await core.refresh(first.refreshToken.token)
    core.clock.advance(2 * R + 1)
    const third = await core.refresh(second.refreshToken.token)
    const theft = await core.refresh(first.refreshToken.token, {}, { version })
    const { handle, userId } = first.session
    expect(theft).toMatchObject({ status: 'TOKEN_THEFT_DETECTED', session: { handle, userId, recipeUserId: userId } })
    expect(theft['recentTokenReuseSubtype']).toBe(subtype)
    expect((await core.refresh(third.refreshToken.token)).status).toBe('UNAUTHORISED')
    expect(core.log.join('')).toContain('used by two parties')
  })

  test.each(['', 'malformed', 'kt1-', 'a.b.c', 'x'.repeat(100_000)])('a malformed token is refused', async text => {
    expect((await core.refresh(text)).status).toBe('UNAUTHORISED')
  })

  test('requires the anti-CSRF token that was issued with the refresh token', async () => {
    const { refreshToken: { token }, antiCsrfToken } = await core.create({ enableAntiCsrf: true })
    expect((await core.refresh(token, { enableAntiCsrf: true })).status).toBe('UNAUTHORISED')
    expect((await core.refresh(token, { enableAntiCsrf: true, antiCsrfToken: 'x' })).status).toBe('UNAUTHORISED')
    expect((await core.refresh(token, { enableAntiCsrf: true, antiCsrfToken })).status).toBe('OK')
    const without = await core.create()
    const later = await core.refresh(without.refreshToken.token, { enableAntiCsrf: true })
    expect(later).toMatchObject({ status: 'OK', antiCsrfToken: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  })

  test('uses the kind of key that the request names, and otherwise that of the session', async () => {
    const kidOf = ({ accessToken }: { accessToken: { token: string } }): unknown =>
      decodeJwt(accessToken.token).header['kid']
    const first = await core.create({ useDynamicSigningKey: false })
    expect(kidOf(first)).toMatch(/^s-/)
    const old = (await core.call('/recipe/session/refresh', {
      version: '3.1', body: { refreshToken: first.refreshToken.token, enableAntiCsrf: false },
    })).json
    expect(kidOf(old)).toMatch(/^s-/)
    expect(kidOf(await core.refresh(old.refreshToken.token))).toMatch(/^d-/)
    const answer = await core.call('/recipe/session/refresh', { body: { refreshToken: 'x', enableAntiCsrf: false } })
    expect([answer.status, answer.text]).toEqual([400, "Field name 'useDynamicSigningKey' is invalid in JSON input\n"])
  })

  test('accepts accessTokenValidity from 5.6 on, up to the configured validity', async () => {
    const { refreshToken: { token } } = await core.create({ accessTokenValidity: 5000 }, { version: '5.4' })
    const short = await core.refresh(token, { accessTokenValidity: 5000 }, { version: '5.6' })
    expect(short.accessToken.expiry - short.accessToken.createdTime).toBe(5000)
    for (const accessTokenValidity of [0, -1, 3_600_001]) {
      const answer = await core.call('/recipe/session/refresh', {
        version: '5.6',
        body: { refreshToken: token, enableAntiCsrf: false, useDynamicSigningKey: true, accessTokenValidity },
      })
      expect(answer.status).toBe(400)
    }
  })
})

describe('regenerate', () => {
  const regenerate = (body: object): ReturnType<CoreServer['call']> => core.call('/recipe/session/regenerate', { body })

  test('stores the payload and returns a new access token', async () => {
    const { accessToken: { token, expiry } } = await core.create({ userDataInJWT: { v: 1 }, enableAntiCsrf: true })
    core.clock.advance(2000)
    const { json } = await regenerate({ accessToken: token, userDataInJWT: { v: 2 } })
    expect(json.accessToken.expiry).toBe(expiry)
    const { v: _, iat, ...before } = decodeJwt(token).claims
    expect(decodeJwt(json.accessToken.token).claims).toEqual({ ...before, v: 2, iat: Number(iat) + 2 })
    expect((await regenerate({ accessToken: token })).json.session.userDataInJWT).toEqual({ v: 2 })
  })

  test('for an expired token, only stores the payload', async () => {
    const { accessToken: { token }, session: { handle } } = await core.create()
    core.clock.advance(3_600_000)
    const { json } = await regenerate({ accessToken: token, userDataInJWT: { v: 2 } })
    expect([json.status, json.accessToken]).toEqual(['OK', undefined])
    expect((await core.call(`/recipe/jwt/data?sessionHandle=${handle}`)).json['userDataInJWT']).toEqual({ v: 2 })
  })

  test('refuses forged tokens, removed sessions and protected names', async () => {
    const { accessToken: { token }, session: { handle } } = await core.create()
    expect((await regenerate({ accessToken: `${token}x`, userDataInJWT: {} })).json.status).toBe('UNAUTHORISED')
    expect((await regenerate({ accessToken: token, userDataInJWT: { sub: 'eve' } })).status).toBe(400)
    await core.call('/recipe/session/remove', { body: { sessionHandles: [handle] } })
    expect((await regenerate({ accessToken: token, userDataInJWT: {} })).json.status).toBe('UNAUTHORISED')
  })
})

describe('keys', () => {
  test('verify access tokens and JWTs of both kinds', async () => {
    const jwks = createLocalJWKSet((await core.call('/.well-known/jwks.json', { version: null })).json as never)
    const currentDate = new Date(core.clock())
    for (const useDynamicSigningKey of [true, false]) {
      const { accessToken } = await core.create({ useDynamicSigningKey })
      const { payload } = await jwtVerify(accessToken.token, jwks, { algorithms: ['RS256'], currentDate })
      expect(payload.sub).toBe('alice')
    }
    const { jwt } = (await core.call('/recipe/jwt', {
      body: { algorithm: 'rs256', jwksDomain: 'https://a.example', payload: { x: 1 }, validity: 3600 },
    })).json
    const { payload, protectedHeader } = await jwtVerify(String(jwt), jwks, {
      issuer: 'https://a.example',
      currentDate,
    })
    expect(payload).toMatchObject({ x: 1, exp: Number(payload.iat) + 3600 })
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.stringMatching(/^s-/) })
  })

  test('HDR-02: the key set is the only response that may be cached', async () => {
    const { headers, json } = await core.call('/.well-known/jwks.json')
    const [, seconds] = /^public, max-age=(\d+), must-revalidate$/.exec(headers.get('cache-control') ?? '') ?? []
    expect(Number(seconds)).toBeGreaterThan(0)
    expect(Number(seconds)).toBeLessThanOrEqual(1800)
    expect(headers.get('etag')).toMatch(/^"[\w-]+"$/)
    for (const key of json['keys'] as object[]) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    }
    expect((json['keys'] as { kid: string }[]).map(({ kid }) => kid.slice(0, 2))).toEqual(['d-', 's-'])
    expect((await core.call('/recipe/jwt/jwks')).json).toEqual({ status: 'OK', keys: json['keys'] })
    expect((await core.call('/user/id?userId=x')).headers.get('cache-control')).toBe('no-store')
  })

  test('TOK-20: keys that rotate daily are also published an hour before they sign, and overlap', async () => {
    const daily = await startCoreServer({ keyRotationInterval: 86_400 })
    const kids = async (): Promise<string[]> => {
      // The first call creates the key that is due, the second returns it.
      await daily.call('/.well-known/jwks.json')
      const { keys } = (await daily.call('/.well-known/jwks.json')).json
      return (keys as { kid: string }[]).map(({ kid }) => kid).filter(kid => kid.startsWith('d-'))
    }
    const signedBy = async (): Promise<unknown> => decodeJwt((await daily.create()).accessToken.token).header['kid']
    const [first] = await kids()
    daily.clock.advance(86_400_000 - 3_600_000)
    const [second, ...others] = await kids()
    expect([second === first, others]).toEqual([false, [first]])
    expect(await signedBy()).toBe(first)
    daily.clock.advance(3_600_000)
    expect(await kids()).toEqual([second, first])
    expect(await signedBy()).toBe(second)
    await daily.server.close()
  })

  test('are published an hour before they sign, and verify for a day after', async () => {
    const old = await core.create()
    const oldKid = decodeJwt(old.accessToken.token).header['kid']
    const kids = async (): Promise<string[]> =>
      ((await core.call('/.well-known/jwks.json')).json['keys'] as { kid: string }[]).map(({ kid }) => kid)
    core.clock.advance(7 * 86_400_000 - 3_600_000)
    await kids()
    const published = await kids()
    expect(published.filter(kid => kid.startsWith('d-'))).toHaveLength(2)
    expect(decodeJwt((await core.create()).accessToken.token).header['kid']).toBe(oldKid)
    core.clock.advance(3_600_000)
    await kids()
    expect(decodeJwt((await core.create()).accessToken.token).header['kid']).toBe(published[0])
    core.clock.advance(86_400_000 + 60_000)
    await kids()
    expect(await kids()).not.toContain(oldKid)
  })

  test.each([
    [{ algorithm: 'ES256', jwksDomain: 'a', payload: {}, validity: 1 }, 200,
      '{"status":"UNSUPPORTED_ALGORITHM_ERROR"}\n'],
    [{ algorithm: 'RS256', jwksDomain: 'a', payload: {}, validity: 0 }, 400,
      'validity must be greater than or equal to 0\n'],
  ])('/recipe/jwt: %j', async (body, status, text) => {
    const answer = await core.call('/recipe/jwt', { body })
    expect([answer.status, answer.text]).toEqual([status, text])
  })
})
