// Input is validated: no invalid value is read as another, valid one.
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { ServerSettings } from '../../src/server/settings.ts'
import { decodeJwt, startCoreServer } from '../support/core-server.ts'
import type { CallOptions, CoreAnswer, CoreServer } from '../support/core-server.ts'

const running: CoreServer[] = []

async function start(settings: Partial<ServerSettings> = {}): Promise<CoreServer> {
  const core = await startCoreServer(settings)
  running.push(core)
  return core
}

afterEach(async () => {
  for (const core of running.splice(0)) await core.server.close()
})

const json = { 'content-type': 'application/json' }

/** Sends a request with this first line, unchanged. Returns the status line and the headers of the response. */
async function raw(core: CoreServer, first: string): Promise<string> {
  const socket = connect(Number(new URL(core.url).port), '127.0.0.1')
  socket.write(`${first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1')
  return (await text(socket)).split('\r\n\r\n')[0] ?? ''
}

describe('S-15: a position that is not the `next` of a page gets 400', () => {
  test.each(['x', '', '1;--', '1.', '17.c', '%00', '99999999999999999.cAAAAAAAAAAAAAAAAAAAAAA'])('after=%s', async after => {
    const core = await start()
    const { status, json: body } = await core.call(`/v1/sessions?userId=alice&after=${after}`)
    const isPosition = after === '17.c'
    const message = 'after must be the `next` of a page of sessions'
    expect([status, body['message']]).toEqual(isPosition ? [200, undefined] : [400, message])
    expect(core.log.join('')).not.toContain('a request failed')
  })
})

function revokeAll(core: CoreServer, body: object, query = ''): Promise<CoreAnswer> {
  return core.call(`/v1/sessions/revoke-by-user${query}`, {
    headers: { 'content-type': 'application/json' }, body: { userId: 'alice', ...body },
  })
}

describe('S-15: the query of the native API', () => {
  test('refuses unknown and repeated names: `exept` would revoke the session to keep', async () => {
    const core = await start()
    const { session: { handle } } = await core.create()
    for (const query of ['limit=1&limit=2', 'limits=1', 'except=x']) {
      const { status, json: body } = await core.call(`/v1/sessions?userId=alice&${query}`)
      expect([status, body['message']])
        .toEqual([400, 'The query may have only these parameters, each at most once: userId, limit, after, tenantId.'])
    }
    for (const [query, body] of [['', { exept: handle }], ['', { except: handle, x: 1 }], ['?except=x', {}]] as const) {
      const answer = await revokeAll(core, body, query)
      expect([answer.status, answer.json['message']])
        .toEqual([400, expect.stringMatching(/^the body has an unknown member|^The query must have no parameters/)])
    }
    expect((await core.call('/v1/sessions?userId=alice')).json['sessions']).toHaveLength(1)
  })

  test('refuses an `except` that is not a handle, and revokes nothing', async () => {
    const core = await start()
    const { session: { handle } } = await core.create()
    for (const except of ['', 'x', handle.slice(1), `${handle}x`, `${handle.slice(0, -1)}*`]) {
      const { status, json: body } = await revokeAll(core, { except })
      expect([status, body['message']]).toEqual([400, 'except must be the handle of a session'])
    }
    expect((await revokeAll(core, { except: handle })).json['revoked']).toEqual([])
  })
})

test('S-15: a URL that is not ASCII, or not percent-encoded UTF-8, is never read as another user\'s', async () => {
  const core = await start()
  const userId = '\ufffd'
  const { session: { handle } } = await core.create({ userId })
  for (const query of ['userId=%ff', 'userId=%ed%a0%80', 'userId=%', 'userId=%zz', 'userId=a&x=%c3']) {
    expect((await core.call(`/recipe/session/user?${query}`)).status).toBe(400)
  }
  for (const target of ['/v1/sessions?userId=%ff', '/v1/sessions?userId=%ed%a0%80']) {
    expect((await core.call(target)).status).toBe(400)
  }
  expect(await raw(core, 'GET /recipe/session/user?userId=\xff')).toMatch(/^HTTP\/1\.1 400/)
  expect(await raw(core, 'GET /v1/sessions?userId=\xef\xbf\xbd')).toMatch(/^HTTP\/1\.1 400/)
  expect((await core.call(`/recipe/session/user?userId=${encodeURIComponent(userId)}`)).json['sessionHandles']).toEqual([handle])
})

describe('S-15: a body that could not be stored unchanged is refused', () => {
  const ways:
    readonly (readonly [
      path: string,
      method: string,
      body: (handle: string, accessToken: string, value: string) => string,
    ])[] = [
      ['/recipe/session', 'POST',
        (_, __, value) => `{"userId":"bob","userDataInJWT":${value},"userDataInDatabase":{},"enableAntiCsrf":false}`],
      ['/recipe/session', 'POST',
        (_, __, value) => `{"userId":"bob","userDataInJWT":{},"userDataInDatabase":${value},"enableAntiCsrf":false}`],
      ['/recipe/session/regenerate', 'POST',
        (_, token, value) => `{"accessToken":"${token}","userDataInJWT":${value}}`],
      ['/recipe/jwt/data', 'PUT', (handle, _, value) => `{"sessionHandle":"${handle}","userDataInJWT":${value}}`],
      ['/recipe/session/data', 'PUT',
        (handle, _, value) => `{"sessionHandle":"${handle}","userDataInDatabase":${value}}`],
      ['/recipe/jwt', 'POST',
        (_, __, value) => `{"algorithm":"RS256","jwksDomain":"https://a.example","payload":${value},"validity":60}`],
      ['/v1/sessions', 'POST', (_, __, value) => `{"userId":"bob","jwtPayload":${value}}`],
      ['/v1/sessions', 'POST', (_, __, value) => `{"userId":"bob","sessionInfo":${value}}`],
      ['/v1/sessions/HANDLE', 'PATCH', (_, __, value) => `{"jwtPayload":${value}}`],
      ['/v1/sessions/HANDLE', 'PATCH', (_, __, value) => `{"sessionInfo":${value}}`],
    ]

  test.each([
    ['{"__proto__":{"admin":true}}', 'no member named __proto__'],
    ['{"a":[{"b":{"__proto__":1}}]}', 'no member named __proto__'],
    ['{"\\u005f_proto__":{}}', 'no member named __proto__'],
    ['{"a":1e400}', 'no number beyond 1.8e308'], ['{"a":[-1e400]}', 'no number beyond 1.8e308'],
  ])('%s is refused by every endpoint, and nothing is stored', async (value, words) => {
    const core = await start()
    const { session: { handle }, accessToken: { token } } = await core.create({
      userDataInJWT: { v: 1 },
      userDataInDatabase: { w: 2 },
    })
    for (const [path, method, body] of ways) {
      const answer = await core.call(path.replace('HANDLE', handle), {
        method,
        headers: json,
        body: body(handle, token, value),
      })
      expect([path, answer.status, answer.text])
        .toEqual([path, 400, expect.stringContaining(`the body must have ${words}, at any depth`)])
    }
    expect((await core.call('/recipe/session/user?userId=bob')).json['sessionHandles']).toEqual([])
    expect((await core.call(`/recipe/session?sessionHandle=${handle}`)).json)
      .toMatchObject({ userDataInJWT: { v: 1 }, userDataInDatabase: { w: 2 } })
  })

  test('so are the settings of an application that a request creates', async () => {
    const core = await start()
    const body = '{"appId":"a1","coreConfig":{"__proto__":{"api_keys":"x"}}}'
    expect((await core.call('/recipe/multitenancy/app/v2', { method: 'PUT', body })).status).toBe(400)
  })
})

describe('S-15: the validity of a JWT', () => {
  const sign = async (core: CoreServer, validity: string): Promise<{ status: number; exp: unknown }> => {
    const answer = await core.call('/recipe/jwt', {
      body: `{"algorithm":"RS256","jwksDomain":"https://a.example","payload":{"exp":1},"validity":${validity}}`,
    })
    if (answer.status !== 200) return { status: answer.status, exp: null }
    return { status: 200, exp: decodeJwt(String(answer.json['jwt'])).claims['exp'] }
  }

  test.each(['1e400', '-1e400', 'NaN', '-1', '0', '-0', '0.5', '1e300', '8640000000000', 'null', '"60"', 'true',
    '[60]'])(
      '%s is refused',
      async validity => {
        expect(await sign(await start(), validity)).toEqual({ status: 400, exp: null })
      },
    )

test.each([['1', 1], ['1.9', 1], ['3155760000', 3_155_760_000]])(
  '%s gives an exp in whole seconds',
  async (validity, seconds) => {
    const core = await start()
    expect(await sign(core, validity)).toEqual({ status: 200, exp: core.clock() / 1000 + seconds })
  })
})

describe('S-15: a method that a path does not have gets 405, with the path\'s methods in Allow', () => {
  const hello = 'GET, HEAD, POST, PUT, DELETE'
  test.each([
    ['TRACE', '/', hello], ['TRACE', '/hello', hello], ['OPTIONS', '/hello', hello],
    ['PATCH', '/appid-public/hello', hello],
    ['TRACE', '/health/live', 'GET, HEAD'], ['POST', '/health/ready', 'GET, HEAD'], ['DELETE', '/metrics', 'GET, HEAD'],
    ['TRACE', '/.well-known/jwks.json', 'GET'], ['TRACE', '/recipe/session', 'POST, GET'],
    ['HEAD', '/apiversion', 'GET'],
    ['PUT', '/recipe/jwt', 'POST'], ['TRACE', '/v1/keys', 'GET'], ['PUT', '/v1/sessions/x', 'GET, PATCH, DELETE'],
    ['OPTIONS', '/v1/sessions/revoke-by-user', 'POST'],
  ])('%s %s', async (method, path, allowed) => {
    const core = await start()
    const head = await raw(core, `${method} ${path}`)
    expect(head).toMatch(/^HTTP\/1\.1 405 /)
    expect(head.toLowerCase()).toContain(`\r\nallow: ${allowed.toLowerCase()}\r\n`)
  })

  test('a method that the path has is answered', async () => {
    const core = await start()
    for (const [method, path] of [
      ['HEAD', '/hello'], ['DELETE', '/hello'], ['HEAD', '/health/ready'], ['GET', '/metrics'],
    ]) {
      expect((await core.call(String(path), { method: String(method) } satisfies CallOptions)).status).toBe(200)
    }
  })
})

describe('S-15: a store that other programs can read, without a secret', () => {
  const secrets = ['the secret of the application, long']
  test.each(['postgres://db.internal/app', 'mysql://db.internal/app', 'mariadb://db.internal/app',
    'rediss://cache.internal'])(
      '%s: the log says at the start that tokens can be forged, and what to set',
      async store => {
        const core = await start({ store })
        const line: unknown = JSON.parse(core.log[0] ?? '{}')
        expect(line).toMatchObject({
          level: 40,
          msg: expect.stringMatching(
            /read access to the store is enough to forge access tokens\. Set --secret \(KEYTURN_SECRET\)/,
          ),
        })
        expect((await start({ store, secrets })).log.join('')).not.toContain('not encrypted')
      },
    )

  test.each(['sqlite:keyturn.db', 'sqlite::memory:'])('%s: is on this machine, and logs no warning', async store => {
    expect((await start({ store })).log.join('')).not.toContain('not encrypted')
  })
})
