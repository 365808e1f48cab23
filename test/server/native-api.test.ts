import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseHandle } from '../../src/base/handle.ts'
import { schemaViolation } from '../../src/base/json-schema.ts'
import type { Schema } from '../../src/base/json-schema.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { resolveReferences } from '../support/openapi.ts'
import { BUSY_SECONDS, loseAnswers } from '../support/lose-answers.ts'
import { present } from '../support/present.ts'

interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, {
    readonly operationId: string
    readonly parameters?: readonly { readonly name: string; readonly in: string }[]
    readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
    readonly responses: Readonly<
      Record<
        string,
        { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }
      >
    >
  }>>>>
}

let core: CoreServer
let description: Description
/** The responses that the tests have met: `operationId status`. */
const seen = new Set<string>()

beforeEach(async () => {
  core = await startCoreServer({ reuseInterval: 0 })
  description = resolveReferences(await (await fetch(`${core.url}/v1/openapi.json`)).json()) as Description
})
afterEach(() => core.server.close())

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** Calls an operation, and compares the response with its description. */
async function call(method: string, path: string, body?: object, form = false): Promise<Answer> {
  const response = await fetch(`${core.url}${path}`, {
    method,
    ...body === undefined ? {} : form
      ? { body: new URLSearchParams(body as Record<string, string>) }
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
  })
  const text = await response.text()
  const pattern = Object.keys(description.paths)
    .filter(each => new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?')[0] ?? ''))
    .sort((left, right) => left.split('{').length - right.split('{').length)[0] ?? ''
  const operation = description.paths[pattern]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not described`)
  const described = operation.responses[response.status]
  if (described === undefined) throw new Error(`${operation.operationId} does not describe ${response.status}: ${text}`)
  const schema = described.content?.['application/json']?.schema
  if (schema === undefined) expect(text).toBe('')
  else expect(schemaViolation(schema, JSON.parse(text))).toBeNull()
  seen.add(`${operation.operationId} ${response.status}`)
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

const create = (body: object = {}): Promise<Answer> => call('POST', '/v1/sessions', { userId: 'alice', ...body })

describe('sessions', () => {
  test('are created, read, changed and revoked', async () => {
    const { status, body } = await create({ jwtPayload: { role: 'x' }, sessionInfo: { a: 1 }, tenantId: 't1' })
    expect(status).toBe(201)
    const keys = createLocalJWKSet((await call('GET', '/v1/keys')).body as never)
    const { payload } = await jwtVerify(String(body['accessToken']), keys, { currentDate: new Date(core.clock()) })
    expect(payload).toMatchObject({ sub: 'alice', role: 'x', sid: body['handle'], keyturn: { tid: 't1' } })
    const path = `/v1/sessions/${body['handle']}`
    expect((await call('GET', path)).body)
      .toMatchObject({ userId: 'alice', jwtPayload: { role: 'x' }, sessionInfo: { a: 1 } })
    expect((await call('PATCH', path, { jwtPayload: { role: 'y' } })).status).toBe(204)
    expect((await call('PATCH', path, { sessionInfo: { b: 2 } })).status).toBe(204)
    expect((await call('GET', path)).body).toMatchObject({ jwtPayload: { role: 'y' }, sessionInfo: { b: 2 } })
    expect((await call('PATCH', path, { jwtPayload: { exp: 1 } })).status).toBe(400)
    const deleted = await call('DELETE', path)
    expect([deleted.status, deleted.headers.get('content-length')]).toEqual([204, null])
    for (const method of ['GET', 'DELETE']) expect((await call(method, path)).status).toBe(404)
    expect((await call('PATCH', path, { jwtPayload: {} })).status).toBe(404)
  })

  test('are refreshed, and revoked if a copied token is used', async () => {
    const first = (await create()).body
    const refresh = (refreshToken: unknown): Promise<Answer> => call('POST', '/v1/sessions/refresh', { refreshToken })
    const second = await refresh(first['refreshToken'])
    expect(second).toMatchObject({ status: 200, body: { handle: first['handle'] } })
    await refresh(second.body['refreshToken'])
    expect(await refresh(first['refreshToken'])).toMatchObject({
      status: 401, body: { error: 'token_theft_detected', userId: 'alice', handle: first['handle'] },
    })
    expect((await refresh(['malformed'])).status).toBe(400)
    expect(await refresh('malformed')).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
  })

  test('ROT-15: a busy refresh is 503 with Retry-After, changes nothing, and succeeds later', async () => {
    await core.server.close()
    core = await startCoreServer()
    const { refreshToken, handle } = (await create()).body
    const refresh = (): Promise<Answer> => call('POST', '/v1/sessions/refresh', { refreshToken })
    const stored = (): unknown => core.store.find(present(parseHandle(String(handle))))
    await loseAnswers(core.clock, refresh)
    const before = await stored()
    const busy = await refresh()
    expect(busy).toMatchObject({ status: 503, body: { error: 'refresh_busy' } })
    expect(busy.headers.get('retry-after')).toBe(`${BUSY_SECONDS}`)
    expect(await stored()).toEqual(before)
    core.clock.advance(BUSY_SECONDS * 1000)
    expect(await refresh()).toMatchObject({ status: 200, body: { handle } })
  })

  test('L-17: are re-authenticated: a new auth_time and new tokens, and older ones are busy, then refused', async () => {
    await core.server.close()
    core = await startCoreServer()
    const first = (await create()).body
    const path = `/v1/sessions/${first['handle']}/reauthenticate`
    core.clock.advance(300_000)
    const { accessToken } = first
    const again = (body: object = {}): Promise<Answer> => call('POST', path, { accessToken, ...body })
    const second = await again({ ip: '192.0.2.9', userAgent: 'again', antiCsrf: true })
    expect(second).toMatchObject({ status: 200, body: { handle: first['handle'], antiCsrfToken: expect.any(String) } })
    const keys = createLocalJWKSet((await call('GET', '/v1/keys')).body as never)
    const { payload } = await jwtVerify(String(second.body['accessToken']), keys, {
      currentDate: new Date(core.clock()),
    })
    expect(payload['auth_time']).toBe(core.clock() / 1000)
    expect((await call('GET', `/v1/sessions/${first['handle']}`)).body)
      .toMatchObject({ ip: '192.0.2.9', userAgent: 'again' })
    const refresh = (refreshToken: unknown): Promise<Answer> => call('POST', '/v1/sessions/refresh', { refreshToken })
    for (const busy of [await again(), await refresh(first['refreshToken'])]) {
      expect(busy).toMatchObject({ status: 503, body: { error: 'refresh_busy' } })
      expect(busy.headers.get('retry-after')).toBe('31')
    }
    core.clock.advance(30_001)
    expect(await refresh(first['refreshToken'])).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
    expect((await refresh(second.body['refreshToken'])).status).toBe(200)

    const other = (await create()).body
    for (const body of [{}, { accessToken, handle: 1 }]) expect((await call('POST', path, body)).status).toBe(400)
    for (const token of [other['accessToken'], 'malformed']) {
      expect(await call('POST', path, { accessToken: token }))
        .toMatchObject({ status: 401, body: { error: 'invalid_access_token' } })
    }
    await call('DELETE', `/v1/sessions/${first['handle']}`)
    expect((await again()).status).toBe(404)
  })

  test('have the address and user agent of their client, if the application sends them', async () => {
    const client = { ip: '192.0.2.1', userAgent: 'a\u0007gent' }
    const { handle } = (await create(client)).body
    expect((await call('GET', `/v1/sessions/${handle}`)).body).toMatchObject({ ip: '192.0.2.1', userAgent: 'a?gent' })
    const { refreshToken, handle: other } = (await create()).body
    expect((await call('GET', `/v1/sessions/${other}`)).body).toMatchObject({ ip: null, userAgent: null })
    expect((await call('POST', '/v1/sessions/refresh', { refreshToken, ...client })).status).toBe(200)
    expect((await call('GET', `/v1/sessions/${other}`)).body).toMatchObject({ ip: '192.0.2.1', userAgent: 'a?gent' })
  })

  test('of a user are listed in pages and revoked together', async () => {
    const made = []
    for (let index = 0; index < 3; index++) {
      core.clock.advance(1)
      made.unshift((await create()).body['handle'])
    }
    const one = (await call('GET', '/v1/sessions?userId=alice&limit=2')).body
    const two = (await call('GET', `/v1/sessions?userId=alice&limit=2&after=${String(one['next'])}`)).body
    const handles = [one, two].flatMap(page => (page['sessions'] as { handle: string }[]).map(({ handle }) => handle))
    expect(handles).toEqual(made)
    expect((await call('GET', '/v1/sessions?userId=alice&limit=0')).status).toBe(400)
    const revoked = await call('POST', '/v1/sessions/revoke-by-user', { userId: 'alice', except: made[0] })
    expect(revoked.body['revoked']).toEqual(made.slice(1))
    expect((await call('GET', '/v1/sessions?userId=%00')).status).toBe(400)
    expect((await call('POST', '/v1/sessions/revoke-by-user', { userId: '\0' })).status).toBe(400)
    expect((await call('GET', '/v1/sessions?userId=no%20body')).body).toEqual({ sessions: [], next: null })
  })

  test('L-15: of a user in one tenant are listed and revoked without those in others', async () => {
    const made: Record<string, unknown[]> = { acme: [], public: [] }
    for (const tenantId of ['acme', 'public', 'acme', 'public']) {
      core.clock.advance(1)
      made[tenantId]?.unshift((await create({ tenantId })).body['handle'])
    }
    const [list, revoke] = ['/v1/sessions?userId=alice', '/v1/sessions/revoke-by-user']
    const handles = async (query: string): Promise<unknown[]> => (
      ((await call('GET', `${list}${query}`)).body['sessions'] as { handle: string }[]).map(({ handle }) => handle)
    )
    expect(await handles('&tenantId=acme&limit=2')).toEqual(made['acme'])
    expect((await call('GET', `${list}&tenantId=Acme`)).status).toBe(400)
    expect((await call('POST', revoke, { userId: 'alice', tenantId: 'Acme' })).status).toBe(400)
    expect((await call('POST', revoke, { userId: 'alice', tenantId: 'acme', except: made['acme']?.[0] })).body['revoked'])
      .toEqual(made['acme']?.slice(1))
    expect(await handles('')).toEqual([made['public']?.[0], made['acme']?.[0], made['public']?.[1]])
  })

  test('V-13: can have their own lifetimes, never longer than configured', async () => {
    const own = {
      accessTokenLifetime: 120,
      idleTimeout: 600,
      absoluteTimeout: 900,
      persistent: false,
      transferMode: 'cookie',
    }
    const { body } = await create(own)
    const now = core.clock()
    expect(body['sessionExpiresAt']).toBe(now + 600_000)
    expect(body['accessTokenExpiresAt']).toBeGreaterThan(now + 90_000)
    expect(body['accessTokenExpiresAt']).toBeLessThanOrEqual(now + 120_000)
    expect(parseHandle(String(body['handle']))).toMatch(/^c/)
    expect(await core.store.find(present(parseHandle(String(body['handle'])))))
      .toMatchObject({ persistent: false, absoluteExpiry: now + 900_000 })
    core.clock.advance(500_000)
    expect(
      (await call('POST', '/v1/sessions/refresh', { refreshToken: body['refreshToken'] })).body['sessionExpiresAt'],
    ).toBe(now + 900_000)
    expect((await create({ idleTimeout: 34_560_000 })).body['sessionExpiresAt']).toBe(core.clock() + 100 * 86_400_000)
  })

  test('V-13: a change with an access token of the session returns one with the new payload', async () => {
    const { handle, accessToken, accessTokenExpiresAt } = (await create({ jwtPayload: { role: 'x' } })).body
    const path = `/v1/sessions/${handle}`
    core.clock.advance(5000)
    const changed = await call('PATCH', path, { jwtPayload: { role: 'y' }, accessToken })
    expect(changed).toMatchObject({ status: 200, body: { accessTokenExpiresAt } })
    const keys = createLocalJWKSet((await call('GET', '/v1/keys')).body as never)
    const { payload } = await jwtVerify(String(changed.body['accessToken']), keys, {
      currentDate: new Date(core.clock()),
    })
    expect(payload).toMatchObject({ role: 'y', sid: handle, iat: core.clock() / 1000, keyturn: { pv: 1 } })
    const others = [(await create()).body['accessToken'], 'malformed', `${String(accessToken)}x`]
    for (const other of others) {
      expect(await call('PATCH', path, { jwtPayload: { role: 'z' }, accessToken: other }))
        .toMatchObject({ status: 401, body: { error: 'invalid_access_token' } })
    }
    expect((await call('GET', path)).body).toMatchObject({ jwtPayload: { role: 'y' } })
  })

  test('V-13: session info is merged, or replaced only if it still has the given version', async () => {
    const path = `/v1/sessions/${(await create({ sessionInfo: { a: 1, b: { c: 2, d: 3 } } })).body['handle']}`
    const read = async (): Promise<Answer['body']> => (await call('GET', path)).body
    expect((await call('PATCH', path, { mergeSessionInfo: { b: { c: null, e: [4] }, f: 5 } })).status).toBe(204)
    expect(await read()).toMatchObject({ sessionInfo: { a: 1, b: { d: 3, e: [4] }, f: 5 }, sessionInfoVersion: 1 })
    const stale = { sessionInfo: { lost: true }, jwtPayload: { lost: true }, sessionInfoVersion: 0 }
    expect(await call('PATCH', path, stale)).toMatchObject({ status: 409, body: { error: 'conflict' } })
    const { jwtPayload, sessionInfoVersion } = await read()
    expect({ jwtPayload, sessionInfoVersion }).toEqual({ jwtPayload: {}, sessionInfoVersion: 1 })
    expect((await call('PATCH', path, { mergeSessionInfo: { a: null }, sessionInfoVersion: 1 })).status).toBe(204)
    expect((await call('PATCH', path, { sessionInfo: { last: 1 }, sessionInfoVersion: 2 })).status).toBe(204)
    expect(await read()).toMatchObject({ sessionInfo: { last: 1 }, sessionInfoVersion: 3 })
    expect((await call('PATCH', path, { sessionInfo: {}, mergeSessionInfo: {} })).status).toBe(400)
    expect((await call('PATCH', '/v1/sessions/nobody', {})).status).toBe(404)
  })

  test('V-13: if another change comes first, nothing is stored', async () => {
    await core.server.close()
    const store = createMemoryStore()
    let hasRival = false
    core = await startCoreServer({ reuseInterval: 0 }, {
      ...store,
      async find(handle) {
        const record = await store.find(handle)
        if (hasRival) {
          await store.updateInfo({ handle, sessionInfo: '{"first":true}', expectedVersion: 0, now: core.clock() })
        }
        return record
      },
    })
    const path = `/v1/sessions/${(await create()).body['handle']}`
    hasRival = true
    const change = { sessionInfo: { second: true }, jwtPayload: { second: true }, sessionInfoVersion: 0 }
    expect((await call('PATCH', path, change)).status).toBe(409)
    const { sessionInfo, jwtPayload } = (await call('GET', path)).body
    expect({ sessionInfo, jwtPayload }).toEqual({ sessionInfo: { first: true }, jwtPayload: {} })
  })

  test('V-13: several are revoked in one call', async () => {
    const handles = [(await create()).body['handle'], (await create({ userId: 'bob' })).body['handle']]
    const ended = await call('POST', '/v1/sessions/revoke', { handles: [...handles, handles[0], 'nobody'] })
    expect(ended).toMatchObject({ status: 200, body: { revoked: expect.arrayContaining(handles) } })
    expect(ended.body['revoked']).toHaveLength(2)
    expect((await call('POST', '/v1/sessions/revoke', { handles: [1] })).status).toBe(400)
  })

  test('V-13: have anti-CSRF tokens if the request asks for them', async () => {
    const { handle, refreshToken, antiCsrfToken, accessToken } = (await create({ antiCsrf: true })).body
    expect((await create()).body['antiCsrfToken']).toBeUndefined()
    const ofAnotherSession = (await create({ antiCsrf: true })).body['antiCsrfToken']
    const isActive = async (proof: unknown): Promise<unknown> => (
      (await call('POST', '/v1/introspect', { token: String(accessToken), anti_csrf_token: String(proof) }, true))
        .body['active']
    )
    expect([await isActive(antiCsrfToken), await isActive(ofAnotherSession), await isActive('')])
      .toEqual([true, false, false])
    const refresh = (proof: unknown): Promise<Answer> => (
      call('POST', '/v1/sessions/refresh', { refreshToken, antiCsrfToken: proof, antiCsrf: true })
    )
    for (const proof of [ofAnotherSession, '']) {
      expect(await refresh(proof)).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
    }
    const { status, body } = await refresh(antiCsrfToken)
    expect([status, body['handle']]).toEqual([200, handle])
    expect(body['antiCsrfToken']).toEqual(expect.any(String))
  })

  test('a payload with a reserved claim is refused, with the list of reserved claims', async () => {
    for (const name of ['sub', 'iss', 'aud', 'keyturn', 'auth_time', 'nbf']) {
      const { status, body } = await create({ jwtPayload: { [name]: 'x' } })
      expect(status).toBe(400)
      expect(body['message']).toContain(`the reserved claim ${name};`)
      for (const other of ['iss', 'sub', 'sid', 'aud', 'exp', 'iat', 'jti', 'keyturn']) {
        expect(body['message']).toContain(other)
      }
    }
    expect((await create({ jwtPayload: { tId: 'x', rsub: 'y', sessionHandle: 'z' } })).status).toBe(201)
    const { body: { message } } = await create({ jwtPayload: { x: 'x'.repeat(2000) } })
    expect(message).toContain('at most 2000 are allowed')
  })

  test.each([
    [{}], [{ userId: '' }], [{ userId: 1 }], [{ userId: 'a', colour: 1 }], [{ userId: 'a', tenantId: 'UP' }],
    [{ userId: 'a', jwtPayload: [] }], [{ userId: 'a', jwtPayload: { sub: 'eve' } }], [{ userId: 'a'.repeat(256) }],
    [{ userId: 'a', accessTokenLifetime: 0 }], [{ userId: 'a', idleTimeout: 1.5 }],
    [{ userId: 'a', absoluteTimeout: 1e10 }],
    [{ userId: 'a', transferMode: 'both' }], [{ userId: 'a', ip: 7 }], [{ userId: 'a', userAgent: null }],
  ])('ADM-06: %j is refused', async body => {
    expect(await call('POST', '/v1/sessions', body)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('tokens', () => {
  const introspect = async (token: unknown): Promise<unknown> =>
    (await call('POST', '/v1/introspect', { token: String(token) }, true)).body
  const revoke = (token: unknown): Promise<Answer> => call('POST', '/v1/revoke', { token: String(token) }, true)

  test('RFC 7662: are introspected', async () => {
    const { accessToken, refreshToken, handle } = (await create({ jwtPayload: { x: 1 } })).body
    expect(await introspect(accessToken)).toEqual({
      active: true, token_type: 'access_token', sub: 'alice', sid: handle, tid: 'public', iss: core.url,
      payload: { x: 1 },
      iat: core.clock() / 1000, exp: expect.any(Number), auth_time: core.clock() / 1000,
    })
    expect(await introspect(refreshToken))
      .toMatchObject({ active: true, token_type: 'refresh_token', sub: 'alice', sid: handle })
    await call('POST', '/v1/sessions/refresh', { refreshToken })
    expect(await introspect(refreshToken)).toEqual({ active: false })
    for (const text of ['', 'x', 'a.b.c', `${String(accessToken)}x`]) {
      expect(await introspect(text)).toEqual({ active: false })
    }
    core.clock.advance(3_600_000)
    expect(await introspect(accessToken)).toEqual({ active: false })
    expect((await call('POST', '/v1/introspect', { tokens: 'x' }, true)).status).toBe(400)
  })

  test.each(['accessToken', 'refreshToken'])('RFC 7009: the session of an %s is revoked', async kind => {
    const { [kind]: token, accessToken, refreshToken } = (await create()).body
    expect((await revoke('malformed')).status).toBe(200)
    expect((await revoke(token)).status).toBe(200)
    expect(await introspect(accessToken)).toEqual({ active: false })
    expect(await introspect(refreshToken)).toEqual({ active: false })
    expect((await revoke(token)).status).toBe(200)
    expect((await call('POST', '/v1/revoke', { x: 'y' }, true)).status).toBe(400)
  })
})

describe('the stream of revocations', () => {
  /** Reads events until one with this name comes, and the rest of its page. Calls `act` after `synced`. */
  async function readUntil(
    name: string,
    headers: Record<string, string> = {},
    act?: () => Promise<unknown>,
  ): Promise<string[]> {
    const stop = new AbortController()
    const response = await fetch(`${core.url}/v1/revocations`, { headers, signal: stop.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    let text = ''
    let acted = act
    for await (const chunk of present(response.body).pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (acted !== undefined && text.includes('event: synced')) {
        await acted()
        acted = undefined
      }
      if (acted === undefined && text.includes(`event: ${name}\n`)) break
    }
    stop.abort()
    return text.split('\n\n')
  }

  test('has past and new revocations, and continues after Last-Event-ID', async () => {
    const [one, two] = [(await create()).body['handle'], (await create()).body['handle']]
    await call('DELETE', `/v1/sessions/${one}`)
    const before = await readUntil('synced')
    const revoked = before.find(event => event.includes('event: revoked')) ?? ''
    expect(revoked).toContain(String(one))
    const id = /^id: (.+)$/m.exec(revoked)?.[1] ?? ''
    const after = (await readUntil('revoked', { 'last-event-id': id }, () => call('DELETE', `/v1/sessions/${two}`)))
      .join('\n')
    expect(after).toContain(String(two))
    expect(after).not.toContain(String(one))
  })

  test('ends when the server stops, so that its client connects to another one', async () => {
    const other = await startCoreServer()
    const response = await fetch(`${other.url}/v1/revocations`)
    const read = response.text()
    await other.server.close()
    expect(await read).toMatch(/^retry: [123]\d{3}\n\n/)
  })
})

test('keys are rotated', async () => {
  const count = async (): Promise<number> => ((await call('GET', '/v1/keys')).body['keys'] as unknown[]).length
  const before = await count()
  expect((await call('POST', '/v1/keys/rotate')).status).toBe(200)
  expect((await call('POST', '/v1/keys/rotate?purpose=no')).status).toBe(400)
  expect(await count()).toBeGreaterThan(before)
})

test('V-03: any number of rotations within an hour publishes one key of each purpose, and no static one', async () => {
  const purposesOf = async (query: string): Promise<unknown> => {
    const { keys } = (await call('POST', `/v1/keys/rotate${query}`)).body as {
      keys: { purpose: string; activeFrom: number }[]
    }
    for (const { activeFrom } of keys) expect(activeFrom).toBe(core.clock() + 3_600_000)
    return keys.map(({ purpose }) => purpose)
  }
  const first = await core.store.listKeys()
  for (let time = 0; time < 5; time++) expect(await purposesOf('')).toEqual(['refresh', 'access', 'core-dynamic'])
  expect(await core.store.listKeys()).toHaveLength(first.length + 3)
  for (let time = 0; time < 5; time++) expect(await purposesOf('?purpose=core-static')).toEqual(['core-static'])
  expect(await core.store.listKeys()).toHaveLength(first.length + 4)
})

test('other paths, methods and types are refused', async () => {
  const ask = async (path: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${core.url}${path}`, init)).status
  expect(await ask('/v1/other')).toBe(404)
  expect(await ask('/v1/sessions', { method: 'PUT' })).toBe(405)
  expect(await ask('/v1/sessions/')).toBe(404)
  expect(await ask('/v1/sessions', { method: 'POST', body: '{"userId":"a"}' })).toBe(415)
  expect(await ask('/appid-nope/v1/keys')).toBe(404)
  expect(await ask('/v1/sessions/%zz')).toBe(404)
})

test('ADM-02: a tenant that is not served gets no session', async () => {
  const one = await startCoreServer({ tenants: ['t1'] })
  const start = (tenantId: string): Promise<Response> => fetch(`${one.url}/v1/sessions`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: 'a', tenantId }),
  })
  expect((await start('t1')).status).toBe(201)
  expect((await start('public')).status).toBe(201)
  const refused = await start('t2')
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'unknown_tenant' }])
  await one.server.close()
})

test('ADM-02: without the API key, every operation is refused', async () => {
  const locked = await startCoreServer({ apiKeys: ['a-key-that-no-one-guesses'] })
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const method of Object.keys(methods)) {
      const response = await fetch(`${locked.url}${path.replaceAll(/\{\w+\}/g, 'x')}`, { method: method.toUpperCase() })
      expect([response.status, await response.json()]).toMatchObject([401, { error: 'invalid_api_key' }])
    }
  }
  await locked.server.close()
})

test('the description is OpenAPI 3.1, and the tests above have met every response in it', () => {
  expect(description.openapi).toBe('3.1.0')
  const ids = Object.values(description.paths).flatMap(methods => Object.values(methods)).map(({ operationId }) =>
    operationId
  )
  expect(new Set(ids).size).toBe(ids.length)
  const own = ['readDescription 200', 'readCdiDescription 200', 'followRevocations 200', 'followRevocations 503']
  /** What every operation may answer: `test/server/outage.test.ts` and `test/server/openapi.test.ts`. */
  const common = (status: string, words: string): boolean => (
    ['413', '415', '500'].includes(status) || (status === '503' && !words.includes('refresh_busy'))
      || (status === '404' && words.includes('cannot be decoded'))
  )
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const operation of Object.values(methods)) {
      const inPath = (operation.parameters ?? []).filter(parameter => parameter.in === 'path').map(({ name }) =>
        `{${name}}`
      )
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath)
      for (const [status, { description: words }] of Object.entries(operation.responses)) {
        expect(words).not.toBe('')
        const answer = `${operation.operationId} ${status}`
        const isOfKeys = status === '401' && operation.operationId !== 'refreshSession'
        if (!isOfKeys && !common(status, words) && !own.includes(answer)) expect(seen).toContain(answer)
      }
    }
  }
})
