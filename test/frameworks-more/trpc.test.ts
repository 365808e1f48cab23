import { createServer } from 'node:http'
import { createTRPCClient, httpLink } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { afterEach, describe, expect, test } from 'vitest'
import { trpcSessions } from '../../src/frameworks/trpc.ts'
import type { TrpcContext } from '../../src/frameworks/trpc.ts'
import { createSessions } from '../../src/index.ts'
import { listen, serveWeb } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { HttpClient } from '../support/http-client.ts'
import { createCutStore, createTestClock, CROSS_SITE, ORIGIN, SAME_ORIGIN } from '../support/session-server.ts'
import type { Claims, Info } from '../support/session-server.ts'
import { buildPackage, startExampleApp } from './support/example-app.ts'

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

const servers: Readonly<Record<string, () => Promise<RunningApp>>> = {
  'the fetch adapter': () => serveWeb(req => fetchRequestHandler({
    endpoint: '/trpc', req, router, createContext: options => sessions.context(options),
  })),
  'the standalone adapter': () => listen(createServer(createHTTPHandler({
    basePath: '/trpc/', router, createContext: options => sessions.context(options),
  }))),
}

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

  const codeOf = (call: Promise<unknown>): Promise<unknown> => call.then(
    () => 'no error',
    (error: { data?: { code: string; httpStatus: number }; message: string }) => (
      [error.data?.code, error.data?.httpStatus, error.message]
    ),
  )

  test('carries sessions through login, query and mutation', async () => {
    app = await start()
    const { browser, client } = connect()
    expect(await client.optional.query()).toBeNull()
    const handle = await client.login.mutate()
    expect(handle).toMatch(/^c/)
    expect(browser.jar.map(({ name }) => name)).toEqual(['__Host-sAccessToken', '__Secure-sRefreshToken'])
    expect(await client.me.query()).toEqual(['alice', 'reader'])
    await client.promote.mutate()
    expect(await client.me.query()).toEqual(['alice', 'editor'])
    expect(await client.optional.query()).toBe('alice')
  })

  test('turns errors into those of tRPC', async () => {
    app = await start()
    const { browser, client } = connect()
    expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'unauthorised'])
    await client.login.mutate()
    expect(await codeOf(client.admin.query())).toEqual(['FORBIDDEN', 403, 'invalid claim'])
    const foreign = connect(CROSS_SITE)
    foreign.browser.jar = browser.jar
    expect(await codeOf(foreign.client.promote.mutate())).toEqual(['FORBIDDEN', 403, 'cross-site request refused'])
    cut.down = true
    expect(await codeOf(client.me.query())).toEqual(['SERVICE_UNAVAILABLE', 503, 'session service unavailable'])
    cut.down = false
    clock.advance(3_700_000)
    expect(await codeOf(client.me.query())).toEqual(['UNAUTHORIZED', 401, 'try refresh token'])
    expect(browser.jar).toHaveLength(2)
  })
})

test('toTrpcError leaves other errors alone', () => {
  const other = new Error('the application failed')
  expect(sessions.toTrpcError(other)).toBe(other)
})

test('the example answers a client of tRPC', async () => {
  buildPackage()
  const example = await startExampleApp('trpc', ['server.mjs'])
  try {
    const browser = new HttpClient(example.port, example.origin, Date.now)
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
