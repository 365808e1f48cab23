// The OpenAPI documents of both APIs, and the refusals of the native API.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cdiDescriptions } from '../../src/server/cdi/openapi.ts'
import { matchCdiRoute } from '../../src/server/cdi/route.ts'
import { errorCodeNames } from '../../src/server/native/error-codes.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { resolveReferences } from '../support/openapi.ts'
import { present } from '../support/present.ts'

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly security?: readonly object[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly schema: object
    readonly description?: string
  }[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, {
    readonly description: string
    readonly headers?: object
    readonly content?: Readonly<
      Record<string, { readonly schema: { readonly properties?: Readonly<Record<string, { enum?: string[] }>> } }>
    >
  }>>
}

interface Document {
  readonly info: object
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

let core: CoreServer
const documents = new Map<string, Document>()
beforeAll(async () => {
  core = await startCoreServer({ apps: ['shop'] })
  for (const name of ['openapi', 'openapi-cdi']) {
    documents.set(name, JSON.parse((await core.call(`/v1/${name}.json`)).text))
  }
})
afterAll(() => core.server.close())

const json = { 'content-type': 'application/json' }

describe.each(['openapi', 'openapi-cdi'])('V-04: the document %s', name => {
  const documentOf = (): Document => present(documents.get(name))
  const operationsOf = (): readonly Operation[] => (
    Object.values((resolveReferences(documentOf()) as Document).paths).flatMap(methods => Object.values(methods))
  )

  test('has a licence, a contact, its server, described tags, and operations of one of them', () => {
    const { info, servers, tags } = documentOf()
    expect(info).toMatchObject({ license: { name: 'MIT', identifier: 'MIT' }, contact: { name: 'Keyturn' } })
    expect(servers).toEqual([{ url: '/', description: expect.any(String) }])
    const names = tags.map(tag => tag.name)
    for (const tag of tags) expect(tag.description).not.toBe('')
    const ids = operationsOf().map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const operation of operationsOf()) {
      expect(names).toEqual(expect.arrayContaining([...operation.tags]))
      expect([operation.tags.length, operation.summary === '', operation.description === '']).toEqual([1, false, false])
    }
    expect(new Set(operationsOf().flatMap(({ tags: used }) => used))).toEqual(new Set(names))
  })

  test('names its schemas, and refers to each of them', () => {
    const text = JSON.stringify(documentOf())
    const names = Object.keys(documentOf().components.schemas)
    expect(names.length).toBeGreaterThan(10)
    for (const each of names) expect(text, each).toContain(`"#/components/schemas/${each}"`)
  })

  test('describes the body of every response that has one, and Retry-After of every 503', () => {
    for (const { operationId, responses } of operationsOf()) {
      for (const [status, response] of Object.entries(responses)) {
        if (status !== '204') expect(Object.keys(response.content ?? {}), `${operationId} ${status}`).toHaveLength(1)
        if (status === '503') expect(response.headers, operationId).toHaveProperty('Retry-After')
      }
      expect(responses, operationId).toHaveProperty('503')
    }
  })
})

describe('V-04: the native API', () => {
  const operations = (): readonly (readonly [path: string, method: string, operation: Operation])[] => (
    Object.entries((resolveReferences(documents.get('openapi')) as Document).paths).flatMap(([path, methods]) => (
      Object.entries(methods).map(([method, operation]) => [path, method, operation] as const)
    ))
  )

  test('enumerates the values of `error`, and says which of them each response may have', () => {
    for (const [, , { operationId, responses }] of operations()) {
      for (const [status, { description, content }] of Object.entries(responses)) {
        if (Number(status) < 400) continue
        const codes = content?.['application/json']?.schema.properties?.['error']?.enum ?? []
        expect(codes.length, `${operationId} ${status}`).toBeGreaterThan(1)
        const named = [...description.matchAll(/^- `(\w+)`/gm)].map(([, code]) => code)
        expect(named.length, `${operationId} ${status}`).toBeGreaterThan(0)
        expect(codes).toEqual(expect.arrayContaining(named))
        expect(errorCodeNames).toEqual(expect.arrayContaining(codes))
      }
      expect(responses).toHaveProperty('401')
    }
  })

  test('describes the type and the limits of every parameter', () => {
    const parameter = (name: string): unknown => operations()
      .flatMap(([, , { parameters = [] }]) => parameters).find(each => each.name === name)
    expect(parameter('limit')).toMatchObject({ schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
    expect(parameter('purpose'))
      .toMatchObject({ schema: { enum: ['refresh', 'access', 'core-dynamic', 'core-static'] } })
    for (const [, , { parameters = [] }] of operations()) {
      for (const { description } of parameters) expect(description).toBeTruthy()
    }
  })

  test.each(['0', '1001', 'x', '', '1.5', '-1', '1e2'])('refuses limit=%s, and names it', async limit => {
    const { status, json: body } = await core.call(`/v1/sessions?userId=alice&limit=${limit}`)
    expect([status, body['error'], body['message']]).toEqual([400, 'invalid_request', expect.stringMatching(/^limit must be /)])
  })

  test('refuses another media type with the 415 that is described, and a body that is too long with the 413', async () => {
    const long = JSON.stringify({ userId: 'a'.repeat(5_000_000) })
    for (const [path, method, { operationId, requestBody, responses }] of operations()) {
      if (requestBody === undefined) continue
      const target = path.replaceAll(/\{\w+\}/g, 'x')
      const answer = await core.call(target, {
        method: method.toUpperCase(),
        body: '{}',
        headers: { 'content-type': 'text/csv' },
      })
      expect([operationId, answer.status, answer.json['error']]).toEqual([operationId, 415, 'invalid_request'])
      expect(responses).toHaveProperty('415')
      expect(responses).toHaveProperty('413')
    }
    expect(await core.call('/v1/sessions', { body: long, headers: json })).toMatchObject({ status: 413 })
  })
})

test('V-04: Allow lists the methods that the document has for the path', async () => {
  for (const [path, methods] of Object.entries(documents.get('openapi')?.paths ?? {})) {
    const { status, headers } = await core.call(path.replaceAll(/\{\w+\}/g, 'x'), { method: 'OPTIONS' })
    expect([path, status, headers.get('allow')?.split(', ').toSorted()])
      .toEqual([path, 405, Object.keys(methods).map(method => method.toUpperCase()).toSorted()])
  }
})

test('V-04: the document of CDI describes every path and method that is served', () => {
  for (const [path, methods] of Object.entries(cdiDescriptions)) {
    const served = matchCdiRoute(path)?.endpoint
    expect([path, Object.keys(served?.methods ?? {}).toSorted()]).toEqual([path, Object.keys(methods).toSorted()])
  }
  expect(Object.keys(cdiDescriptions)).toHaveLength(18)
})

test('V-04: the documents name the server behind a proxy, its base path and the application', async () => {
  const other = await startCoreServer({
    apps: ['shop'], basePath: '/core', publicOrigin: 'https://sessions.example.com',
    apiKeys: ['a-key-that-no-one-guesses'],
  })
  const headers = { 'api-key': 'a-key-that-no-one-guesses' }
  const url = async (path: string): Promise<unknown> => (
    (JSON.parse((await other.call(path, { headers })).text) as Document).servers[0]?.url
  )
  const security = async (server: CoreServer): Promise<unknown> =>
    JSON.parse((await server.call('/v1/openapi.json', { headers })).text).security
  expect([await security(core), await security(other)]).toEqual([
    [{ apiKey: [] }, { bearer: [] }, {}], [{ apiKey: [] }, { bearer: [] }],
  ])
  expect(await url('/v1/openapi.json')).toBe('https://sessions.example.com/core')
  expect(await url('/appid-shop/v1/openapi-cdi.json')).toBe('https://sessions.example.com/core/appid-shop')
  await other.server.close()
})

describe('V-05: the native API', () => {
  test.each([
    ['POST', '/v1/sessions', {}, 'the body must have userId'],
    ['POST', '/v1/sessions', { userId: 'a', jwtPayload: [] }, 'jwtPayload must be an object'],
    ['POST', '/v1/sessions', { userId: 'a', sessioninfo: {} }, 'the body has an unknown member, "sessioninfo"'],
    ['POST', '/v1/sessions', { userId: 'a', accessTokenLifetime: 0 }, 'accessTokenLifetime must be at least 1'],
    ['POST', '/v1/sessions', { userId: 'a', transferMode: 'x' }, 'transferMode must be one of header, cookie'],
    ['POST', '/v1/sessions', { userId: 'a', tenantId: 'A' },
      'tenantId must be 1 to 64 lower-case letters, digits and hyphens'],
    ['POST', '/v1/sessions/revoke', { handles: ['a', 5] }, 'handles[1] must be a string'],
    ['POST', '/v1/keys/rotate?purpose=all', undefined,
      'purpose must be one of refresh, access, core-dynamic, core-static'],
  ])('names the member that is wrong: %s %s %j', async (method, path, body, message) => {
    const answer = await core.call(path, { method, headers: json, ...body === undefined ? {} : { body } })
    expect([answer.status, answer.json['message']]).toEqual([400, message])
  })

  test('answers a change of an unknown session with 404, an empty one too', async () => {
    for (const body of [{}, { jwtPayload: {} }, { sessionInfo: {} }]) {
      const path = '/v1/sessions/hAAAAAAAAAAAAAAAAAAAAAA'
      expect((await core.call(path, { method: 'PATCH', headers: json, body })).status).toBe(404)
    }
  })

  test('stores the address and the user agent of a login and of a refresh, and lists them', async () => {
    const post = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => (
      (await core.call(path, { headers: json, body })).json
    )
    const listed = async (): Promise<unknown> => (await core.call('/v1/sessions?userId=eve')).json['sessions']
    const { refreshToken } = await post('/v1/sessions', { userId: 'eve', ip: '192.0.2.1', userAgent: 'one' })
    expect(await listed()).toMatchObject([{ ip: '192.0.2.1', userAgent: 'one' }])
    core.clock.advance(120_000)
    await post('/v1/sessions/refresh', { refreshToken, ip: '192.0.2.2', userAgent: 'two' })
    expect(await listed()).toMatchObject([{ ip: '192.0.2.2', userAgent: 'two' }])
  })
})
