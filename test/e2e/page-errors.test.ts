import { request as send } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startExample } from './support/example.ts'
import type { Example } from './support/example.ts'

let example: Example

beforeAll(async () => {
  example = await startExample({})
})

afterAll(() => example?.stop())

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Not with `fetch`, which neither sends malformed paths nor chooses its `Host`. */
async function ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  const { port } = new URL(example.origin)
  const length = { 'content-length': `${Buffer.byteLength(body)}` }
  return new Promise((resolve, reject) => {
    send({ host: '127.0.0.1', port, method, path, headers: { ...length, ...headers } }, response => {
      text(response).then(content => (
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: content })
      ), reject)
    }).on('error', reject).end(body)
  })
}

const json = { 'content-type': 'application/json' }
const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function logIn(): Promise<Record<string, string>> {
  const { headers } = await ask('POST', '/login', { ...json, 'st-auth-mode': 'header' }, '{"userId":"ada"}')
  return { ...json, authorization: `Bearer ${headers['st-access-token']}` }
}

function setDatabase(isStopped: boolean): Promise<Answer> {
  return ask('PUT', '/demonstration/database', json, JSON.stringify({ isStopped }))
}

type Case = readonly [title: string, request: Parameters<typeof ask>, status: number, message: string | RegExp]

const nameWanted = 'userId must be a name of 1 to 200 characters'

const cases: readonly Case[] = [
  ['malformed JSON', ['POST', '/login', json, '{"userId":'], 400, 'The body is not valid JSON.'],
  ['JSON that is no object', ['POST', '/login', json, '[1]'], 400, nameWanted],
  ['a name of spaces', ['POST', '/login', json, '{"userId":"  "}'], 400, nameWanted],
  ['a body that is too large', ['POST', '/login', json, `"${'x'.repeat(200_000)}"`], 413, /too large/],
  ['an encoding that does not exist', ['POST', '/login', { ...json, 'content-encoding': 'lzw' }, 'x'], 415, /encoding/],
  ['%ff in a path', ['GET', '/%ff'], 404, 'There is nothing at this address.'],
  ['%ff in a parameter', ['DELETE', '/devices/%ff'], 400, /decode/],
  ['an unknown path', ['GET', '/nothing'], 404, 'There is nothing at this address.'],
  ['no session', ['GET', '/me'], 401, 'unauthorised'],
  ['no such part of the demonstration', ['POST', '/demonstration/nothing'], 404, 'There is nothing at this address.'],
]

test.each(cases)('answers in words, and never with a stack: %s', async (_, request, status, message) => {
  const answer = await ask(...request)
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json; charset=utf-8'])
  const body: unknown = JSON.parse(answer.body)
  expect(body).toEqual({ message: typeof message === 'string' ? message : expect.stringMatching(message) })
  expect(answer.body).not.toMatch(/node_modules|\.mjs|\n\s+at /)
})

test.each([['/%ff', 404], ['/nothing', 404]])('answers a person with a page: %s', async (path, status) => {
  const answer = await ask('GET', path, browser)
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
  expect(answer.body).toContain('<h1>There is nothing at this address.</h1>')
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
})

test.each(['[1,2]', 'null', '"text"'])('refuses %s as payload and as session info, and stores nothing', async value => {
  const own = await logIn()
  for (const [method, path] of [['POST', '/payload'], ['PUT', '/info']] as const) {
    const answer = await ask(method, path, own, value)
    expect([answer.status, JSON.parse(answer.body)]).toEqual([400, { message: expect.stringMatching(/must be|JSON/) }])
  }
  expect(JSON.parse((await ask('GET', '/info', own)).body)).toEqual({ note: '' })
})

test('answers 503 while the database is stopped, and keeps the session', async () => {
  const own = await logIn()
  await setDatabase(true)
  expect((await ask('GET', '/me', own)).status).toBe(200)
  for (const request of ['GET /devices', 'GET /info', 'PUT /info', 'DELETE /devices']) {
    const [method = '', path = ''] = request.split(' ')
    const answer = await ask(method, path, own, method === 'PUT' ? '{}' : '')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([503, { message: 'session service unavailable' }])
    expect(answer.headers['retry-after']).toBe('1')
  }
  expect((await ask('POST', '/login', json, '{"userId":"ada"}')).status).toBe(503)
  await setDatabase(false)
  expect((await ask('GET', '/devices', own)).status).toBe(200)
  expect(example.output()).not.toMatch(/\n\s+at /)
})

test('refuses other origins', async () => {
  const cookies = (await ask('POST', '/login', json, '{"userId":"ada"}')).headers['set-cookie'] ?? []
  const cookie = cookies.map(line => line.split(';')[0]).join('; ')
  const other = { ...json, cookie, origin: 'https://evil.example' }
  for (const [method, path] of [['PUT', '/info'], ['DELETE', '/devices'], ['POST', '/auth/signout']] as const) {
    const answer = await ask(method, path, other, '{}')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([403, { message: 'cross-site request refused' }])
  }
  expect((await ask('GET', '/me', { cookie })).status).toBe(200)
})

const demonstrations = [
  ['PUT', '/demonstration/database'], ['POST', '/demonstration/lose'], ['POST', '/demonstration/expire'],
  ['POST', '/auth/session/refresh/copy'], ['POST', '/demonstration/thief/refresh'], ['GET', '/demonstration/code'],
] as const

test.each(demonstrations)('serves the demonstration to its own page only: %s %s', async (method, path) => {
  const refused = [403, { message: 'the demonstration serves its own page only' }]
  const others = [
    { origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' },
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of others) {
    const answer = await ask(method, path, { ...json, ...headers }, method === 'GET' ? '' : '{"isStopped":true}')
    expect([answer.status, JSON.parse(answer.body)], JSON.stringify(headers)).toEqual(refused)
  }
})

test('a port that is in use is named, without a stack', async () => {
  const { port } = new URL(example.origin)
  const { spawnSync } = await import('node:child_process')
  const { status, stderr } = spawnSync(process.execPath, ['examples/express/server.mjs'], {
    encoding: 'utf8', env: { ...process.env, PORT: port, DATABASE: ':memory:' },
  })
  expect([status, stderr]).toEqual([1, expect.stringMatching(`^Port ${port} cannot be used \\(EADDRINUSE\\)\\. .+\n$`)])
})
