import { once } from 'node:events'
import { createServer } from 'node:http'
import { createTRPCClient, createWSClient, httpLink, wsLink } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { trpcSessions } from '../../src/frameworks/trpc.ts'
import type { TrpcContext } from '../../src/frameworks/trpc.ts'
import { wsSessions } from '../../src/frameworks/ws.ts'
import { createSessions } from '../../src/index.ts'
import { listen, serveWeb } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { HttpClient } from '../support/http-client.ts'
import { AT, createCutStore, createTestClock, CROSS_SITE, ORIGIN, SAME_ORIGIN } from '../support/session-server.ts'
import type { Claims, Info } from '../support/session-server.ts'
import { startExampleApp } from './support/example-app.ts'

const t = initTRPC.context<TrpcContext<Claims, Info>>().create()
const userProcedure = t.procedure.use(async ({ ctx, next }) => next({ ctx: { session: await ctx.getSession() } }))
const adminOnly = { claimValidators: [{ id: 'role', validate: () => ({ isValid: false, reason: 'no' }) }] } as const

const router = t.router({
  login: t.procedure.mutation(async ({ ctx }) => {
    const session = await ctx.createNewSession('alice', { role: 'reader' })
    return session.getHandle()
  }),
  me: userProcedure.query(({ ctx: { session } }) => [session.getUserId(), session.getJwtPayload().role]),
  promote: userProcedure.mutation(({ ctx }) => ctx.session.updateJwtPayload({ role: 'editor' })),
  optional: t.procedure.query(async ({ ctx }) => (await ctx.getSession({ required: false }))?.getUserId() ?? null),
  admin: t.procedure.query(async ({ ctx }) => (await ctx.getSession(adminOnly)).getUserId()),
})

const clock = createTestClock()
const cut = createCutStore()
const sessions = trpcSessions(createSessions<Claims, Info>({
  origin: ORIGIN, clock, store: cut.store, accessTokenBlacklisting: 'strict', schedule: () => () => undefined,
}), { TRPCError })

const servers = {
  'the fetch adapter': () => serveWeb(req => fetchRequestHandler({
    endpoint: '/trpc', req, router, createContext: options => sessions.context(options),
  })),
  'the standalone adapter': () => listen(createServer(createHTTPHandler({
    basePath: '/trpc/', router, createContext: options => sessions.context(options),
  }))),
}

const codeOf = (call: Promise<unknown>): Promise<unknown> => call.then(
  () => 'no error',
  (error: { data?: { code: string; httpStatus: number }; message: string }) => (
    [error.data?.code, error.data?.httpStatus, error.message]
  ),
)

describe.each(Object.entries(servers))('%s', (_, start) => {
  let app: RunningApp

  afterEach(() => app.close())

  function connect(extra: Record<string, string> = SAME_ORIGIN) {
    const browser = new HttpClient(app.port, ORIGIN, clock)
    const client = createTRPCClient<typeof router>({
      links: [httpLink({
        url: `http://127.0.0.1:${app.port}/trpc`,
        headers: () => ({ ...extra, cookie: browser.jar.map(({ name, value }) => `${name}=${value}`).join('; ') }),
        async fetch(url, options) {
          const response = await fetch(url, { ...options, signal: options?.signal ?? null })
          for (const line of response.headers.getSetCookie()) browser.keep(line)
          return response
        },
      })],
    })
    return { browser, client }
  }

  test('carries sessions through login, query and mutation', async () => {
    app = await start()
    const { browser, client } = connect()
    expect(await client.optional.query()).toBeNull()
    const handle = await client.login.mutate()
    expect(handle).toMatch(/^c/)
    expect(browser.jar.map(({ name }) => name))
      .toEqual(['__Host-sAccessToken', '__Host-sAccessTokenMac', '__Secure-sRefreshToken'])
    expect(await client.me.query()).toEqual(['alice', 'reader'])
    await client.promote.mutate()
    expect(await client.me.query()).toEqual(['alice', 'editor'])
    expect(await client.optional.query()).toBe('alice')
  })

  test('turns errors of Keyturn into errors of tRPC', async () => {
    app = await start()
    const { browser, client } = connect()
    expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'unauthorised'])
    await client.login.mutate()
    expect(await codeOf(client.admin.query())).toEqual(['FORBIDDEN', 403, 'invalid claim'])
    const otherSite = connect(CROSS_SITE)
    otherSite.browser.jar = browser.jar
    expect(await codeOf(otherSite.client.promote.mutate())).toEqual(['FORBIDDEN', 403, 'cross-site request refused'])
    cut.down = true
    expect(await codeOf(client.me.query())).toEqual(['SERVICE_UNAVAILABLE', 503, 'session service unavailable'])
    cut.down = false
    clock.advance(3_700_000)
    expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'try refresh token'])
    expect(browser.jar).toHaveLength(3)
  })
})

/** Makes calls over one socket that a page opens. The browser sends `headers` with its handshake. */
async function calling<Result>(
  port: number,
  headers: Record<string, string>,
  call: (client: ReturnType<typeof createTRPCClient<typeof router>>) => Promise<Result>,
): Promise<Result> {
  const Page = new Proxy(globalThis.WebSocket, { construct: (_, [url]) => new WebSocket(url, { headers }) })
  const client = createWSClient({ url: `ws://127.0.0.1:${port}`, WebSocket: Page })
  try {
    return await call(createTRPCClient<typeof router>({ links: [wsLink({ client })] }))
  } finally {
    await client.close()
  }
}

describe('S-08: over a WebSocket', () => {
  let app: RunningApp
  let sockets: WebSocketServer
  let serving: { readonly port: number }
  let causes: unknown[]

  beforeEach(async () => {
    app = await servers['the standalone adapter']()
    sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(sockets, 'listening')
    const address = sockets.address()
    if (typeof address !== 'object' || address === null) throw new Error('the sockets have no port')
    serving = address
    causes = []
    applyWSSHandler({
      wss: sockets, router, createContext: options => sessions.context(options), onError: ({ error }) => {
        causes.push(error.cause)
      },
    })
  })

  afterEach(async () => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
    await app.close()
  })

  async function login(mode: 'cookie' | 'header'): Promise<Record<string, string>> {
    const browser = new HttpClient(app.port, ORIGIN, clock)
    const headers = { ...SAME_ORIGIN, 'st-auth-mode': mode }
    const reply = await browser.send('POST', '/trpc/login', { headers, body: {} })
    expect(reply.status).toBe(200)
    if (mode === 'header') return { authorization: `Bearer ${reply.headers['st-access-token']}` }
    return { cookie: `${AT}=${browser.cookie(AT)}` }
  }

  const refused = ['FORBIDDEN', 403, 'cross-site request refused']

  test('queries and mutations of the application’s own pages find the session', async () => {
    const cookie = await login('cookie')
    await calling(serving.port, { ...cookie, origin: ORIGIN }, async client => {
      expect(await client.me.query()).toEqual(['alice', 'reader'])
      await client.promote.mutate()
    })
    expect(await calling(serving.port, await login('header'), client => client.me.query())).toEqual(['alice', 'reader'])
    expect(await calling(serving.port, { origin: ORIGIN }, client => client.optional.query())).toBeNull()
  })

  test('another site cannot call queries or mutations that need the session', async () => {
    const cookie = await login('cookie')
    for (const headers of [CROSS_SITE, { origin: 'https://evil.tld' }, { origin: 'null' }, {}]) {
      await calling(serving.port, { ...cookie, ...headers }, async client => {
        expect(await codeOf(client.promote.mutate())).toEqual(refused)
        expect(await codeOf(client.me.query())).toEqual(refused)
        expect(await codeOf(client.optional.query())).toEqual(refused)
      })
    }
    const own = await calling(serving.port, { ...cookie, origin: ORIGIN }, client => client.me.query())
    expect(own).toEqual(['alice', 'reader'])
  })

  test('a login fails with an error that recommends HTTP, and creates no session', async () => {
    cut.calls.length = 0
    const error = await calling(serving.port, { origin: ORIGIN }, client => codeOf(client.login.mutate()))
    expect(error).toEqual(['INTERNAL_SERVER_ERROR', 500, 'internal error'])
    expect(cut.calls).toEqual([])
    expect(causes).toEqual([expect.objectContaining({
      code: 'MISUSE', message: expect.stringContaining('over HTTP, with httpLink'),
    })])
  })

  test('a call on an open socket fails if the session has ended or the access token has expired', async () => {
    const headers = { ...await login('cookie'), origin: ORIGIN }
    await calling(serving.port, headers, async client => {
      expect(await client.me.query()).toEqual(['alice', 'reader'])
      clock.advance(3_700_000)
      expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'try refresh token'])
    })
    await calling(serving.port, { ...await login('cookie'), origin: ORIGIN }, async client => {
      expect(await client.me.query()).toEqual(['alice', 'reader'])
      await sessions.revokeAllSessionsForUser('alice')
      expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'unauthorised'])
    })
  })
})

test('S-08: with wsSessions.upgrade in front, another site cannot open a socket', async () => {
  const both = wsSessions(sessions)
  const wss = new WebSocketServer({ noServer: true })
  const app = await listen(createServer(createHTTPHandler({
    basePath: '/trpc/', router, createContext: options => both.context(options),
  })).on('upgrade', both.upgrade(wss)))
  applyWSSHandler({ wss, router, createContext: options => both.context(options) })
  try {
    const browser = new HttpClient(app.port, ORIGIN, clock)
    await browser.send('POST', '/trpc/login', { headers: SAME_ORIGIN, body: {} })
    const cookie = `${AT}=${browser.cookie(AT)}`
    const own = await calling(app.port, { cookie, origin: ORIGIN }, client => client.me.query())
    expect(own).toEqual(['alice', 'reader'])
    const otherSite = new WebSocket(`ws://127.0.0.1:${app.port}`, { headers: { cookie, ...CROSS_SITE } })
    const [, answer] = await once(otherSite, 'unexpected-response')
    expect(answer.statusCode).toBe(403)
    otherSite.on('error', () => undefined).terminate()
  } finally {
    for (const socket of wss.clients) socket.terminate()
    await app.close()
  }
})

describe('S-09: responseMeta', () => {
  const asked = 'public, s-maxage=60'
  const metas: Readonly<Record<string, () => { headers: Headers | Record<string, string> }>> = {
    'as Headers': () => ({ headers: new Headers({ 'cache-control': asked }) }),
    'as an object': () => ({ headers: { 'cache-control': asked } }),
  }
  const adapters = {
    fetch: (meta: (typeof metas)[string]) => serveWeb(req => fetchRequestHandler({
      endpoint: '/trpc', req, router, createContext: options => sessions.context(options), responseMeta: meta,
    })),
    standalone: (meta: (typeof metas)[string]) => listen(createServer(createHTTPHandler({
      basePath: '/trpc/', router, createContext: options => sessions.context(options), responseMeta: meta,
    }))),
  }
  const cases = Object.entries(adapters).flatMap(([adapter, start]) => (
    Object.entries(metas).map(([form, meta]) => [adapter, form, start, meta] as const)
  ))

  test.each(cases)('of the %s adapter, %s, cannot make tokens cacheable', async (_adapter, _form, start, meta) => {
    const app = await start(meta)
    try {
      const browser = new HttpClient(app.port, ORIGIN, clock)
      const login = await browser.send('POST', '/trpc/login', { headers: SAME_ORIGIN, body: {} })
      expect([login.status, login.headers['cache-control']]).toEqual([200, 'private, no-store'])
      const query = await browser.send('GET', '/trpc/me')
      expect([query.status, query.headers['cache-control']]).toEqual([200, asked])
      const change = await browser.send('POST', '/trpc/promote', { headers: SAME_ORIGIN, body: {} })
      expect([change.status, change.headers['cache-control']]).toEqual([200, 'private, no-store'])
    } finally {
      await app.close()
    }
  })

  test.each(Object.entries(servers))('is absent: %s sends `private` with a session', async (_, start) => {
    const app = await start()
    try {
      const browser = new HttpClient(app.port, ORIGIN, clock)
      await browser.send('POST', '/trpc/login', { headers: SAME_ORIGIN, body: {} })
      expect((await browser.send('GET', '/trpc/me')).headers['cache-control']).toBe('private')
      expect((await browser.send('GET', '/trpc/optional', { jar: false })).headers['cache-control']).toBeUndefined()
    } finally {
      await app.close()
    }
  })
})

test('toTrpcError returns other errors unchanged', () => {
  const other = new Error('the application failed')
  expect(sessions.toTrpcError(other)).toBe(other)
})

test('the example answers a client of tRPC', async () => {
  const example = await startExampleApp('trpc', ['server.mjs'])
  try {
    const browser = new HttpClient(example.port, example.origin, example.now)
    expect((await browser.send('GET', '/trpc/me')).status).toBe(401)
    const call = { body: {}, headers: { origin: example.origin } }
    expect((await browser.send('POST', '/trpc/login', call)).status).toBe(200)
    const me = await browser.send('GET', '/trpc/me')
    expect(JSON.parse(me.body)).toEqual({ result: { data: { userId: 'ada', role: 'reader' } } })
    expect((await browser.send('POST', '/trpc/logout', call)).status).toBe(200)
    expect(browser.jar).toEqual([])
  } finally {
    await example.stop()
  }
})
