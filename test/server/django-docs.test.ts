// The samples of docs/django.md and of the Django guide in docs/server.md, as they stand there, in projects that are
// made as these documents say.
import { execFile } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { gunicorn, pythonPackage, runserver, startDjango } from '../support/django.ts'
import type { DjangoProject } from '../support/django.ts'
import { HttpClient } from '../support/http-client.ts'
import type { Reply } from '../support/http-client.ts'
import { preparePython } from '../support/python.ts'
import { createDirectory, freePort, removeDirectory } from '../support/servers/workspace.ts'

const root = join(import.meta.dirname, '../..')
const API_KEY = 'a-key-that-no-one-guesses'
const ours = await preparePython(join(pythonPackage, 'requirements/dev.txt'))
const published = await preparePython(join(root, 'test/server/django/requirements.txt'))

/** A block of code, and the text before it since the block before. */
interface Sample {
  readonly before: string
  readonly language: string
  readonly code: string
}

function samplesOf(text: string): readonly Sample[] {
  return [...text.matchAll(/(.*?)^```(\w+)\n(.*?)^```$/gms)].map(([, before = '', language = '', code = '']) => (
    { before, language, code }
  ))
}

/** Writes the Python samples into the files that the text before them names last. */
function writeSamples(folder: string, samples: readonly Sample[]): readonly string[] {
  return samples.filter(({ language }) => language === 'python').map(({ before, code }) => {
    const name = [...before.matchAll(/`((?:\w+\/)?\w+\.py)`/g)].at(-1)?.[1]
    if (name === undefined) throw new Error(`no file is named for:\n${code}`)
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    if (/Append to/.test(before)) appendFileSync(path, `\n${code}`)
    else writeFileSync(path, code)
    return name
  })
}

/** Runs the commands of a sample with this Python. What fetches or serves is not run. */
async function runCommands(folder: string, python: string, code: string): Promise<void> {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const script = (name: string, command: string): void => (
    writeFileSync(join(bin, name), `#!/bin/sh\n${command}\n`, { mode: 0o755 })
  )
  script('python', `exec ${python} "$@"`)
  script('django-admin', `exec ${python} -m django "$@"`)
  script('pip', `echo "$@" >> ${join(bin, 'pip.txt')}`)
  const env = { ...process.env, PATH: `${bin}:/usr/bin:/bin`, PYTHONPATH: join(pythonPackage, 'src') }
  await promisify(execFile)('sh', ['-ec', code], { cwd: folder, env })
  expect(readFileSync(join(bin, 'pip.txt'), 'utf8')).toMatch(/^install keyturn\[drf\] Django$/m)
}

function startCore(port: number): Promise<KeyturnServer> {
  return startServer(
    { port, apiKeys: [API_KEY], logLevel: 'silent' }, { openStore: async () => createMemoryStore() },
  )
}

const messageOf = ({ status, body }: Reply): unknown => [status, JSON.parse(body).message]

describe.skipIf(ours === null)('docs/django.md', () => {
  const ORIGIN = 'http://localhost:8000'
  const folder = createDirectory()
  let core: KeyturnServer
  let django: DjangoProject

  beforeAll(async () => {
    const samples = samplesOf(readFileSync(join(root, 'docs/django.md'), 'utf8'))
    const commands = samples.filter(({ language }) => language === 'sh').map(({ code }) => code)
    await runCommands(folder, ours ?? '', commands.find(code => code.includes('startproject')) ?? '')
    expect(new Set(writeSamples(folder, samples)))
      .toEqual(new Set(['shop/settings.py', 'shop/views.py', 'shop/urls.py', 'shop/api.py', 'shop/live.py']))
    const deployment = commands.find(code => code.startsWith('gunicorn'))?.trim().split(' ').slice(1) ?? []
    // The default issuer contains the port.
    core = await startCore(await freePort())
    django = await startDjango({
      python: ours ?? '', folder, command: gunicorn(deployment[0] ?? '', ...deployment.slice(1)),
      environment: () => ({ KEYTURN_URL: core.url, KEYTURN_API_KEY: API_KEY }),
    })
  })

  afterAll(async () => {
    await django?.stop()
    await core?.close()
    removeDirectory(folder)
  })

  const open = (): HttpClient => new HttpClient(django.port, ORIGIN, Date.now)
  const send = (client: HttpClient, method: string, path: string, body?: unknown, headers = {}): Promise<Reply> => (
    client.send(method, path, { body, headers: { origin: ORIGIN, ...headers } })
  )
  const read = async (client: HttpClient, path: string): Promise<Record<string, unknown>> => (
    JSON.parse((await send(client, 'GET', path)).body)
  )

  async function logIn(): Promise<HttpClient> {
    const client = open()
    const reply = await send(client, 'POST', '/login', { username: 'ada', password: 'correct-horse' })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { userId: '1' }])
    return client
  }

  test('V-14: a user logs in, reads, changes and leaves', async () => {
    const client = open()
    const wrong = await send(client, 'POST', '/login', { username: 'ada', password: 'wrong' })
    expect([wrong.status, client.jar]).toEqual([403, []])
    const ada = await logIn()
    expect(ada.jar.map(({ name }) => name)).toEqual(['sAccessToken-8000', 'sRefreshToken-8000'])
    expect(await read(ada, '/me')).toEqual({ userId: '1', payload: { staff: true } })
    expect(await read(ada, '/notes')).toEqual({ notes: [] })
    expect((await send(ada, 'PUT', '/notes', ['ü'])).status).toBe(200)
    expect(await read(ada, '/notes')).toEqual({ notes: ['ü'] })
    expect(JSON.parse((await send(ada, 'POST', '/promote')).body)).toEqual({ staff: true })
    expect(await read(ada, '/devices')).toMatchObject({ devices: [{ userId: '1', ip: '127.0.0.1' }] })
    expect(await read(ada, '/api/me')).toEqual({ userId: '1', payload: { staff: true } })
    expect(await read(ada, '/live/me')).toEqual({ userId: '1', info: { notes: ['ü'] } })
    expect((await send(ada, 'POST', '/auth/session/refresh')).status).toBe(200)
    expect((await send(ada, 'POST', '/auth/signout')).status).toBe(200)
    expect(ada.jar).toEqual([])
    for (const path of ['/me', '/api/me', '/live/me']) {
      expect(messageOf(await send(ada, 'GET', path))).toEqual([401, 'unauthorised'])
    }
  })

  test('V-01: a session that was revoked gets 401 from every view', async () => {
    const [kept, lost] = [await logIn(), await logIn()]
    const { jar } = lost
    const revoked = await send(kept, 'POST', '/log-out-everywhere')
    expect([revoked.status, JSON.parse(revoked.body)]).toEqual([200, { revoked: 1 }])
    for (const [method, path] of [['GET', '/notes'], ['PUT', '/notes'], ['POST', '/promote']] as const) {
      lost.jar = jar
      const reply = await send(lost, method, path, [])
      expect([path, messageOf(reply)]).toEqual([path, [401, 'unauthorised']])
      expect(lost.jar).toEqual([])
    }
    expect((await send(kept, 'GET', '/me')).status).toBe(200)
  })

  test('V-14: pages of other origins cannot use the session, unless they are trusted', async () => {
    const ada = await logIn()
    for (const [origin, status] of [['https://evil.example', 403], ['https://www.example.com', 200]] as const) {
      expect((await send(ada, 'PUT', '/notes', [], { origin })).status).toBe(status)
      const preflight = await send(ada, 'OPTIONS', '/notes', undefined, {
        origin,
        'access-control-request-method': 'PUT',
      })
      expect(preflight.headers['access-control-allow-origin']).toBe(status === 200 ? origin : undefined)
      expect(preflight.headers['access-control-allow-headers']?.includes('st-auth-mode') === true).toBe(status === 200)
    }
  })

  test('V-14: every setting of the package is in the table', () => {
    const table = readFileSync(join(root, 'docs/django.md'), 'utf8').split('## Settings')[1]?.split('## Limits')[0]
      ?? ''
    const source = readFileSync(join(pythonPackage, 'src/keyturn/options.py'), 'utf8')
    const names = [...source.matchAll(/^ {4}(\w+): .* = _\w+\(/gm)].map(([, name = '']) => name.toUpperCase())
    expect([...table.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name)).toEqual(names)
    expect(names.length).toBeGreaterThan(10)
  })
})

describe.skipIf(published === null)('the Django guide of docs/server.md', () => {
  const ORIGIN = 'http://localhost:8000'
  const guide = readFileSync(join(root, 'docs/server.md'), 'utf8').split(/^## /m)
    .find(section => section.startsWith('Django')) ?? ''
  let core: KeyturnServer

  beforeAll(async () => {
    core = await startCore(0)
  })

  afterAll(() => core?.close())

  /** Runs the guide's project. `edit` changes its settings as the guide says. */
  async function start(edit: (code: string) => string): Promise<DjangoProject> {
    const folder = createDirectory()
    onTestFinished(() => removeDirectory(folder))
    writeFileSync(join(folder, 'settings.py'), [
      'SECRET_KEY = "only for this test"', 'ALLOWED_HOSTS = ["*"]', 'ROOT_URLCONF = "urls"', 'USE_TZ = True',
      'INSTALLED_APPS = ["rest_framework"]', 'DATABASES = {}', '',
      'REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": [], '
        + '"UNAUTHENTICATED_USER": None}', '',
    ].join('\n'))
    const samples = samplesOf(guide).map(sample => ({
      ...sample,
      before: sample.before.replace('Views:', '`views.py`:').replace('`settings.py`', 'Append to `settings.py`'),
      code: edit(sample.code).replace('http://127.0.0.1:3567', core.url).replace('"..."', `"${API_KEY}"`),
    }))
    expect(writeSamples(folder, samples)).toEqual(['settings.py', 'views.py'])
    const names = ['login', 'claims', 'notes', 'logout']
    writeFileSync(join(folder, 'urls.py'), ['from django.urls import path', 'import views', '', 'urlpatterns = [',
      ...names.map(name => `    path("${name}", views.${name}),`), '    path("me", views.Me.as_view()),', ']', '',
    ].join('\n'))
    writeFileSync(join(folder, 'manage.py'), readFileSync(join(root, 'test/server/django/manage.py')))
    const django = await startDjango({ python: published ?? '', folder, command: runserver, environment: () => ({}) })
    onTestFinished(() => django.stop())
    return django
  }

  test('V-01: the view that gets the session without the decorator answers 401 for a revoked session', async () => {
    const { port } = await start(code => code)
    const client = new HttpClient(port, ORIGIN, Date.now)
    const headers: Record<string, string> = { 'st-auth-mode': 'cookie', rid: 'session' }
    const send = async (method: string, path: string, body?: unknown): Promise<Reply> => {
      const reply = await client.send(method, path, { body, headers })
      headers['anti-csrf'] = reply.headers['anti-csrf'] ?? headers['anti-csrf'] ?? ''
      return reply
    }
    const login = await send('POST', '/login', { user_id: 'ada' })
    const { handle } = JSON.parse(login.body)
    expect(JSON.parse((await send('GET', '/notes')).body)).toEqual({ notes: [] })
    expect(JSON.parse((await send('PUT', '/notes', { notes: [1] })).body)).toEqual({ notes: [1] })
    expect((await send('PATCH', '/claims', { a: 1 })).status).toBe(200)
    expect(JSON.parse((await send('GET', '/me')).body)).toMatchObject({ user: 'ada', payload: { a: 1 } })
    await fetch(`${core.url}/v1/sessions/${handle}`, { method: 'DELETE', headers: { 'api-key': API_KEY } })
    for (const method of ['GET', 'PUT']) expect((await send(method, '/notes', {})).status).toBe(401)
    expect((await send('POST', '/logout')).status).toBe(401)
  })

  test('V-14: the status of an expired session can be 440, as the guide says, and samples send no telemetry', async () => {
    const setting = /`(session_expired_status_code=\d+)` to `session.init`/.exec(guide)?.[1] ?? ''
    const { port } = await start(code => code.replace('session.init(', `session.init(${setting}, `))
    expect((await new HttpClient(port, ORIGIN, Date.now).send('GET', '/me')).status).toBe(440)
    const samples = samplesOf(readFileSync(join(root, 'docs/server.md'),
      'utf8')).filter(({ code }) => /\binit\(/.test(code))
    expect(samples.map(({ language, code }) => [language, /\btelemetry(?:=False|: false)/.test(code)]))
      .toEqual([['python', true], ['python', true], ['python', true], ['js', true]])
  })

  test.each([
    ['shop_fastapi.py', (port: number) => ['-m', 'uvicorn', '--port', `${port}`, 'shop_fastapi:app']],
    ['shop_flask.py', (port: number) => ['-u', '-m', 'flask', '--app', 'shop_flask', 'run', '--port', `${port}`]],
  ])('the program %s runs', async (name, command) => {
    const folder = createDirectory()
    onTestFinished(() => removeDirectory(folder))
    const text = readFileSync(join(root, 'docs/server.md'), 'utf8').split(/^## /m)
      .find(section => section.startsWith('FastAPI and Flask')) ?? ''
    const samples = samplesOf(text).filter(({ before }) => before.includes(name)).map(sample => ({
      ...sample, code: sample.code.replace('http://127.0.0.1:3567', core.url).replace('"..."', `"${API_KEY}"`),
    }))
    expect(writeSamples(folder, samples)).toEqual([name])
    const app = await startDjango({ python: published ?? '', folder, command, environment: () => ({}) })
    onTestFinished(() => app.stop())
    const client = new HttpClient(app.port, ORIGIN, Date.now)
    const send = (method: string, path: string): Promise<Reply> => (
      client.send(method, path, { headers: { 'st-auth-mode': 'cookie', rid: 'session' } })
    )
    expect((await send('GET', '/me')).status).toBe(401)
    expect((await send('POST', '/login')).status).toBe(200)
    expect(JSON.parse((await send('GET', '/me')).body)).toEqual({ user: 'ada' })
    expect((await send('POST', '/auth/session/refresh')).status).toBe(200)
    expect((await send('POST', '/auth/signout')).status).toBe(200)
    expect((await send('GET', '/me')).status).toBe(401)
  })
})
