// `keyturn doctor` and applications that are set up wrongly: each of them really runs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import type { CreateSessionsOptions } from '../../src/index.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { keyturn } from '../support/command-line.ts'
import { startCoreServer } from '../support/core-server.ts'
import { freePort } from '../support/servers/workspace.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0).reverse()) await close()
})
const folder = mkdtempSync(join(tmpdir(), 'keyturn-doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function serve(server: Server, port: number): Promise<void> {
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
}

interface Setup {
  readonly options?: Partial<CreateSessionsOptions<object, object>>
  readonly withoutRoutes?: boolean
  readonly withoutCors?: boolean
  readonly withoutParser?: boolean
  /** How far its clock is ahead, in seconds. */
  readonly ahead?: number
}

/** An application in Express with a login, on this port. */
async function startApplication(port: number, setup: Setup = {}): Promise<string> {
  const origin = `http://localhost:${port}`
  const sessions = expressSessions(createSessions({
    origin, store: createMemoryStore(), events: { onMisconfiguration: () => undefined }, ...setup.options,
  }))
  const app = express()
  app.use((_, response, next) => {
    if (setup.ahead !== undefined) response.set('date', new Date(Date.now() + setup.ahead * 1000).toUTCString())
    next()
  })
  if (setup.withoutCors !== true) app.use(sessions.cors())
  if (setup.withoutRoutes !== true) app.use(sessions.sessionRoutes())
  if (setup.withoutParser !== true) app.use(express.json())
  app.post('/login', async (request, response) => {
    const { user } = request.body as { user: string }
    if (user === 'nobody') {
      response.status(401).json({})
      return
    }
    await sessions.createNewSession(request, response, user)
    response.json({})
  })
  app.get('/orders', sessions.requireSession(), (_, response) => void response.json([]))
  app.use(sessions.errorHandler())
  app.use((_error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(500).json({ message: 'failed' })
  })
  await serve(createServer(app), port)
  closing.push(() => sessions.close())
  return origin
}

/** A proxy that changes requests before it passes them on. `answer` answers a request itself; null passes it on. */
async function startProxy(
  target: number,
  change: (request: IncomingMessage) => void,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<string> {
  const port = await freePort()
  await serve(createServer((request, response) => {
    if (answer(request, response)) return
    change(request)
    pass(request, response, target)
  }), port)
  return `http://localhost:${port}`
}

function pass(request: IncomingMessage, response: ServerResponse, target: number): void {
  request.pipe(forward({
    port: target, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers,
  }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  }))
}

interface Diagnosis {
  readonly code: number
  readonly wrong: readonly string[]
  readonly words: string
  readonly sent: readonly string[]
  readonly verdict: string
  readonly next: string
}

async function examine(...args: string[]): Promise<Diagnosis> {
  const { code, out, error } = await keyturn('doctor', ...args, '--json')
  expect(error).toBe('')
  const { findings, sent, verdict, next } = JSON.parse(out) as {
    findings: { kind: string; about: string; words: string }[]; sent: string[]; verdict: string; next: string
  }
  const faults = findings.filter(({ kind }) => kind === 'wrong')
  return {
    code, sent, verdict, next, wrong: faults.map(({ about }) => about),
    words: faults.map(({ words }) => words).join('\n'),
  }
}

const login = ['--login', '/login', '--data', '{"user":"ada"}']

describe('V-11: doctor finds nothing wrong with an application that is set up rightly', () => {
  test('and tries the life of a session: it says what it sent, and what to type next', async () => {
    const origin = await startApplication(await freePort())
    const first = await examine(origin)
    expect([first.code, first.wrong, first.verdict]).toEqual([0, [], 'Nothing is wrong with what was examined.'])
    expect(first.sent).toEqual([
      `GET ${origin}/auth/.well-known/openid-configuration -> 200`,
      `POST ${origin}/auth/session/refresh (Origin: ${origin}) -> 401`,
      `POST ${origin}/auth/signout (Origin: ${origin}) -> 401`,
    ])
    expect(first.next).toBe(`keyturn doctor ${origin} --login /login --data '{"user":"..."}'`)
    const second = await examine(origin, ...login)
    expect([second.code, second.wrong]).toEqual([0, []])
    expect(second.sent.slice(-3)).toEqual([
      `POST ${origin}/login (Origin: ${origin}) -> 200`,
      `POST ${origin}/auth/session/refresh (Origin: ${origin}) -> 200`,
      `POST ${origin}/auth/signout (Origin: ${origin}) -> 200`,
    ])
    expect(second.next).toBe(`keyturn doctor --request FILE --origin ${origin}`)
  })

  test('also behind a proxy that removes a prefix, with pages of another origin, and for people', async () => {
    const port = await freePort()
    const page = 'http://localhost:4000'
    const proxy = await startProxy(port, request => { request.url = request.url?.replace(/^\/api/, '') ?? '/' })
    await startApplication(port, { options: { origin: proxy, gatewayPath: '/api', trustedOrigins: [page] } })
    const { code, out } = await keyturn('doctor', proxy, '--page', page)
    expect([code, out.split('\n').slice(-2)]).toEqual([0, [
      'Verdict: Nothing is wrong with what was examined.',
      `Next: npx keyturn doctor ${proxy} --page ${page} --login /login --data '{"user":"..."}'`,
    ]])
    expect(out).toContain(`sent   OPTIONS ${proxy}/api/auth/session/refresh (Origin: ${page}) -> 204`)
    expect(out).toContain('fine   CORS: Pages of http://localhost:4000 can use the sessions.')
  })
})

describe('V-11: doctor names what is wrong with an application', () => {
  test('the option origin is that of another host', async () => {
    const origin = await startApplication(await freePort(), { options: { origin: 'https://app.example.com' } })
    const { code, wrong, words, next } = await examine(origin)
    expect([code, wrong, next]).toEqual([1, ['origin'], `keyturn doctor ${origin}`])
    expect(words).toContain(
      `names itself https://app.example.com/auth, but browsers reach it at ${origin}/auth. `
        + `Set the option origin to ${origin}`,
    )
  })

  test('a proxy terminates TLS, and the option origin is the http one', async () => {
    const [plain, secure] = [await freePort(), await freePort()]
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
      '/CN=localhost',
      '-keyout', key, '-out', cert,
    ], { stdio: 'ignore' })
    await startApplication(plain)
    await serve(
      createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) =>
        pass(request, response, plain)),
      secure,
    )
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const { wrong, words } = await examine(`https://localhost:${secure}`)
    expect(wrong).toEqual(['TLS'])
    expect(words).toContain(`A proxy terminates TLS: set the option origin to https://localhost:${secure}.`)
  })

  test('a proxy removes a prefix that the application does not know', async () => {
    const port = await freePort()
    const proxy = await startProxy(port, request => {
      request.url = request.url?.slice('/api'.length) ?? '/'
    }, (request, response) => {
      if (request.url?.startsWith('/api/') === true) return false
      response.writeHead(404).end()
      return true
    })
    await startApplication(port, { options: { origin: proxy } })
    for (const named of [[], ['--base-path', '/api/auth']]) {
      expect((await examine(proxy, ...named)).wrong).toEqual(['proxy prefix'])
    }
    const { words } = await examine(proxy)
    expect(words).toContain('The proxy removes /api: set the option gatewayPath to /api.')
  })

  test('the routes are not mounted', async () => {
    const { wrong, words } = await examine(await startApplication(await freePort(), { withoutRoutes: true }))
    expect(wrong).toEqual(['routes'])
    expect(words).toContain('mount sessionRoutes() before your own routes')
  })

  test('the proxy passes only GET requests on', async () => {
    const port = await freePort()
    const proxy = await startProxy(port, () => undefined, (request, response) => {
      if (request.method === 'GET') return false
      response.writeHead(405, { 'content-type': 'text/html' }).end('<h1>405</h1>')
      return true
    })
    await startApplication(port, { options: { origin: proxy } })
    const { wrong, words } = await examine(proxy)
    expect(wrong).toEqual(['refresh', 'sign-out'])
    expect(words).toContain('POST /auth/session/refresh does not reach Keyturn (405, text/html)')
  })

  test('the front end\'s server answers every path with a page', async () => {
    const page = await startProxy(1, () => undefined, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<div id="root"></div>')
      return true
    })
    const { wrong, words } = await examine(page)
    expect(wrong).toEqual(['proxy'])
    expect(words).toContain('the front end\'s server takes every path')
  })

  const page = 'http://localhost:4000'
  test('pages of another origin are not trusted', async () => {
    const { wrong, words } = await examine(await startApplication(await freePort()), '--page', page)
    expect([wrong, words]).toEqual([['trusted origins'],
      `The application refuses requests of ${page}: add it to the option trustedOrigins.`])
  })

  test('CORS headers are missing', async () => {
    const setup = { withoutCors: true, options: { trustedOrigins: [page] } }
    const { wrong, words } = await examine(await startApplication(await freePort(), setup), '--page', page)
    expect(wrong).toEqual(['CORS'])
    expect(words).toContain('The answer to the preflight has no Access-Control-Allow-Origin.')
    expect(words).toContain('Mount cors() before everything else')
  })

  test('the cookies have the domain of another host', async () => {
    const options = { origin: 'https://app.example.com', cookie: { domain: 'example.com' } }
    const port = await freePort()
    const proxy = await startProxy(port, request => { request.headers.origin &&= 'https://app.example.com' })
    await startApplication(port, { options })
    const { wrong, words } = await examine(proxy, ...login)
    expect(wrong).toEqual(expect.arrayContaining(['origin', 'domain']))
    expect(words)
      .toContain('has Domain=example.com, but localhost does not belong to that domain: browsers drop the cookie.')
  })

  test('the cookies are SameSite=Lax, and the page is of another site', async () => {
    const other = 'http://front.example'
    const options = { trustedOrigins: [other], cookie: { sameSite: 'lax' as const } }
    const { wrong, words } = await examine(await startApplication(await freePort(), { options }), '--page', other,
      ...login)
    expect(new Set(wrong)).toEqual(new Set(['SameSite']))
    expect(words).toContain('front.example and localhost are different sites')
  })

  test('no body parser runs before the login', async () => {
    const { wrong, words } = await examine(await startApplication(await freePort(), { withoutParser: true }), ...login)
    expect(wrong).toEqual(['body parser'])
    expect(words).toContain('app.use(express.json()) before the route')
  })

  test('its clock is wrong', async () => {
    const { wrong, words } = await examine(await startApplication(await freePort(), { ahead: 3600 }))
    expect([wrong, words]).toEqual([['clock'], expect.stringMatching(/is 3\d{3} s ahead of this machine's/)])
  })

  test('a proxy removes the Cookie header', async () => {
    const port = await freePort()
    const proxy = await startProxy(port, request => { delete request.headers.cookie })
    await startApplication(port, { options: { origin: proxy } })
    const { wrong, words } = await examine(proxy, ...login)
    expect(wrong).toEqual(['refresh'])
    expect(words).toContain('a proxy removes the Cookie header')
  })

  test('its store does not answer', async () => {
    const down = new Proxy(createMemoryStore(), {
      get: (target, name) =>
        name === 'close' ? Reflect.get(target, name) as unknown : async () => {
          throw new Error('connect ECONNREFUSED')
        },
    })
    const { wrong, code } = await examine(await startApplication(await freePort(), { options: { store: down } }),
      ...login)
    expect([code, wrong.length]).toEqual([1, 1])
  })

  test('the login is refused, or is elsewhere', async () => {
    const origin = await startApplication(await freePort())
    expect((await examine(origin, '--login', '/login', '--data', '{"user":"nobody"}')).words)
      .toContain('log in with a user that exists')
    expect((await examine(origin, '--login', '/signin', '--data', '{"user":"ada"}')).words)
      .toContain('Name the login route with --login')
  })

  test('it is a standalone server', async () => {
    const core = await startCoreServer()
    closing.push(() => core.server.close())
    expect((await examine(core.url)).wrong).toEqual(['standalone server'])
  })
})

test('V-11: a request without credentials of the caller\'s is not blamed for having none', async () => {
  const origin = await startApplication(await freePort())
  const { wrong, sent, code } = await examine(`${origin}/me`)
  expect([code, wrong, sent[0]]).toEqual([0, [], `GET ${origin}/me -> 404`])
  expect((await examine(`${origin}/me`, '--header', 'Cookie: a=b')).wrong).toEqual(['no access token'])
})

test('V-11: a refused request is never called right, and a cookie without the port is named', async () => {
  const port = await freePort()
  const origin = await startApplication(port)
  const reply = await fetch(`${origin}/login`, {
    method: 'POST', headers: { rid: 'test', 'content-type': 'application/json' }, body: '{"user":"ada"}',
  })
  const cookie = reply.headers.getSetCookie().find(line => line.startsWith('sAccessToken'))?.split(';')[0] ?? ''
  expect(await examine(`${origin}/orders`, '--header', `Cookie: ${cookie}`)).toMatchObject({ code: 0, wrong: [] })
  const other = cookie.replace(`-${port}`, '')
  const found = await keyturn('doctor', `${origin}/orders`, '--header', `Cookie: ${other}`)
  expect([found.code, found.out]).toEqual([1, expect.stringContaining(`the name ends with the port, -${port} here`)])
  expect(await examine(`${origin}/orders`, '--header', `Cookie: ${other}`))
    .toMatchObject({ wrong: ['answer'], next: 'keyturn sessions show HANDLE' })
})

test('V-11: the examination of a store ends with a verdict and the next command', async () => {
  const file = join(folder, 'store.db')
  const missing = await examine(`sqlite:${file}`)
  expect([missing.code, missing.next, missing.verdict])
    .toEqual([1, 'keyturn migrate', 'One thing is wrong: store. Correct it, then run the next command.'])
  expect(await keyturn('migrate', `sqlite:${file}`)).toMatchObject({ code: 0 })
  expect(await examine(`sqlite:${file}`)).toMatchObject({ code: 0, next: 'keyturn doctor https://app.example.com' })
})
