// Spans of the standalone server, sent by OpenTelemetry's own SDK to a collector on loopback.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as openTelemetry from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import { routeName } from '../../src/server/http/service.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { CoreBody } from '../support/core-server.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'
import type { OtlpReceiver, OtlpSpan } from '../support/otlp-receiver.ts'
import { serveProcess } from '../support/serve-process.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const SECRET = 'the secret of the application and longer'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-traces-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CALLER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' }
const SERVER = 2
const CLIENT = 3

describe('keyturn serve, with a collector named in the environment', () => {
  let collector: OtlpReceiver
  const secrets: string[] = [API_KEY, SECRET, 'user-of-the-test', 'cart-of-the-test']
  let exitCode: number | string | null

  beforeAll(async () => {
    collector = await startOtlpReceiver()
    const server = await serveProcess(
      folder, ['--port', '0', '--api-key', API_KEY, '--secret', SECRET, '--base-path', '/core'], {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=shop',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      },
    )
    const call = (path: string, init: RequestInit = {}): Promise<Response> => {
      const headers = new Headers(init.headers)
      headers.set('api-key', API_KEY)
      return fetch(`${server.url}${path}`, { ...init, headers })
    }
    const created = await call('/public/recipe/session', {
      method: 'POST',
      headers: { traceparent: `00-${CALLER.trace}-${CALLER.span}-01` },
      body: JSON.stringify({
        userId: 'user-of-the-test', userDataInJWT: {}, userDataInDatabase: { cart: 'cart-of-the-test' },
        enableAntiCsrf: false, useDynamicSigningKey: true,
      }),
    })
    const { session, accessToken, refreshToken } = await created.json() as CoreBody
    secrets.push(session.handle, accessToken.token, refreshToken.token)
    await call(`/v1/sessions/${session.handle}`)
    await call('/v1/sessions?userId=user-of-the-test&limit=5')
    await call(`/nothing/${session.handle}`)
    await call('/health/ready')
    await call('/metrics')
    await call('/recipe/session', { headers: { traceparent: `00-${CALLER.trace}-${CALLER.span}-00` } })
    // The remaining spans are sent before the process exits.
    exitCode = await server.end('SIGTERM')
  })
  afterAll(() => collector.close())

  const named = (name: string): OtlpSpan | undefined => collector.spans().find(span => span.name === name)

  test('a request is a server span, a child of the client\'s, by the semantic conventions', () => {
    expect(exitCode).toBe(0)
    expect(named('POST /core/recipe/session')).toMatchObject({
      traceId: CALLER.trace, parentSpanId: CALLER.span, kind: SERVER,
      attributes: {
        'http.request.method': 'POST', 'http.route': '/core/recipe/session', 'http.response.status_code': 200,
        'url.scheme': 'http',
      },
    })
  })

  test('each call of the store is a child span of it', () => {
    const request = named('POST /core/recipe/session')
    expect(named('store insert')).toMatchObject({
      traceId: CALLER.trace, parentSpanId: request?.spanId, kind: CLIENT,
      attributes: { 'db.system.name': 'sqlite', 'db.operation.name': 'insert' },
    })
    for (const span of collector.spans().filter(({ name }) => name.startsWith('store '))) {
      expect(collector.spans().map(({ spanId }) => spanId)).toContain(span.parentSpanId)
    }
  })

  test('a span has the pattern of the path, and nothing of an unknown path', () => {
    expect(named('GET /core/v1/sessions/{handle}')?.attributes).toMatchObject({ 'http.response.status_code': 200 })
    expect(named('GET /core/v1/sessions')?.attributes).toMatchObject({ 'http.request.method': 'GET' })
    expect(named('GET')?.attributes).toEqual({
      'http.request.method': 'GET', 'url.scheme': 'http', 'http.response.status_code': 404,
    })
  })

  test('probes, and requests that the client does not sample, have no spans', () => {
    expect(collector.spans().filter(({ kind }) => kind === SERVER).map(({ name }) => name).toSorted()).toEqual([
      'GET', 'GET /core/v1/sessions', 'GET /core/v1/sessions/{handle}', 'POST /core/recipe/session',
    ])
  })

  test('LOG-01: no key, secret, token, handle or user id reaches the collector, nor the command line', () => {
    expect(collector.resource()).toMatchObject({
      'service.name': 'keyturn', 'deployment.environment.name': 'test',
    })
    expect(collector.headers[0]).toBe('shop')
    const all = collector.bodies.join('')
    for (const secret of secrets) expect(all).not.toContain(secret)
    expect(all).not.toContain('command')
  })
})

test.each([
  { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test, service.name = sessions' },
  { OTEL_RESOURCE_ATTRIBUTES: 'service.name=other', OTEL_SERVICE_NAME: 'sessions' },
])('the operator can name the service: %j', async environment => {
  const collector = await startOtlpReceiver()
  const server = await serveProcess(mkdtempSync(join(folder, 'x')), ['--port', '0'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', ...environment,
  })
  await fetch(`${server.url}/hello`)
  await server.end('SIGTERM')
  expect(collector.resource()).toMatchObject({ 'service.name': 'sessions' })
  await collector.close()
})

test('if the collector cannot be reached, the server works and logs an error', async () => {
  const server = await serveProcess(mkdtempSync(join(folder, 'x')), ['--port', '0'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  })
  expect((await fetch(`${server.url}/hello`)).status).toBe(200)
  expect(await server.end('SIGTERM')).toBe(0)
  expect(server.output()).toMatch(/ECONNREFUSED.*the last spans could not be sent/)
})

test('a program may pass the API without a registered SDK', async () => {
  const server = await startServer({ port: 0, logLevel: 'silent' }, {
    openTelemetry, openStore: async () => createMemoryStore(),
  })
  expect((await fetch(`${server.url}/health/ready`)).status).toBe(200)
  expect((await fetch(`${server.url}/recipe/session/user?userId=a`)).status).toBe(200)
  await server.close()
})

test.each([
  ['/', '/'], ['/hello', '/hello'], ['/t1/recipe/session', '/recipe/session'],
  ['/appid-shop/t1/recipe/session/refresh/', '/recipe/session/refresh'], ['/RECIPE/session', '/recipe/session'],
  ['/.well-known/jwks.json', '/.well-known/jwks.json'], ['/appid-shop/v1/sessions/abc', '/v1/sessions/{handle}'],
  ['/v1/sessions/refresh', '/v1/sessions/refresh'], ['/v1/sessions/revoke', '/v1/sessions/revoke'], ['/v1/sessions/a/b', null], ['/ada@example.com', null],
])('the route of %s is %s', (path, name) => {
  expect(routeName(path)).toBe(name)
})
