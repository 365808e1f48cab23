// Applications of standalone servers and embedded applications that share tables and keys.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/create-server.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { signIn } from '../../src/testing/sign-in.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { R } from '../support/lose-answers.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-applications-'))
  closers.push(() => rmSync(folder, { recursive: true }))
  return join(folder, 'keyturn.db')
}

interface Answer { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

interface Server {
  /** Calls the native API of an application, or CDI. */
  call(path: string, body: object): Promise<Answer>
  readonly log: string[]
}

/** A server whose applications all use the same tables. */
async function start(file: string, apps: readonly string[], clock = createFakeClock()): Promise<Server> {
  const log: string[] = []
  const server = await startServer({ port: 0, apps }, {
    clock,
    logger: createLogger('debug', clock, line => log.push(line)),
    openStore: async () => openSqliteStore(file),
  })
  closers.push(() => server.close())
  return {
    log,
    async call(path, body) {
      const isForm = /introspect|revoke$/.test(path)
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        ...isForm ? {} : { headers: { 'content-type': 'application/json' } },
        body: isForm ? new URLSearchParams(Object.entries(body)) : JSON.stringify(body),
      })
      return { status: response.status, body: await response.json() as Record<string, unknown> }
    },
  }
}

const eventsIn = (log: readonly string[]): readonly string[] => (
  log.filter(line => JSON.parse(line).level >= 40 || line.includes('revoked'))
)

test('S-03: `--app a` and `--app b` refuse each other\'s refresh tokens, in both protocols, and report nothing', async () => {
  const { call, log } = await start(newFile(), ['a', 'b'])
  const { body: { refreshToken, handle } } = await call('/appid-a/v1/sessions', { userId: 'alice' })
  for (const other of ['/appid-b', '']) {
    expect(await call(`${other}/v1/sessions/refresh`, { refreshToken })).toMatchObject({
      status: 401, body: { error: 'unauthorized' },
    })
    const fields = { refreshToken, enableAntiCsrf: false, useDynamicSigningKey: true }
    expect(await call(`${other}/recipe/session/refresh`, fields)).toMatchObject({
      status: 200, body: { status: 'UNAUTHORISED' },
    })
    expect((await call(`${other}/v1/introspect`, { token: refreshToken })).body).toEqual({ active: false })
    expect((await call(`${other}/v1/revoke`, { token: refreshToken })).status).toBe(200)
  }
  expect(await call('/appid-a/v1/sessions/refresh', { refreshToken })).toMatchObject({ status: 200, body: { handle } })
  expect(eventsIn(log)).toEqual([])
})

describe('S-03: a standalone server and an embedded application', () => {
  /** An application in this process, with its own connection to the file. */
  async function embed(
    file: string,
    clock: ReturnType<typeof createFakeClock>,
    options: { readonly application?: string; readonly audience?: string },
  ) {
    const sessions = webSessions(createSessions({
      origin: 'https://app.example.com', ...options, store: openSqliteStore(file), clock,
      schedule: () => () => undefined,
    }))
    closers.push(() => sessions.close())
    return {
      login: async () => (await signIn(sessions, 'alice', { mode: 'header' })).refreshToken,
      async refresh(refreshToken: unknown) {
        const response = await sessions.sessionRoutes()(new Request('https://app.example.com/auth/session/refresh', {
          method: 'POST', headers: { authorization: `Bearer ${String(refreshToken)}` },
        }))
        return [response?.status, response?.headers.get('st-refresh-token') ?? null] as const
      },
    }
  }

  test.each([
    ['the first application and one without a name', '', {}],
    ['`--app shop` and the application `shop`', '/appid-shop', { application: 'shop' }],
  ])('of the same name continue each other\'s sessions: %s', async (_, path, options) => {
    const [file, clock] = [newFile(), createFakeClock()]
    const server = await start(file, ['shop'], clock)
    const embedded = await embed(file, clock, options)
    const refresh = async (refreshToken: unknown): Promise<unknown> => {
      clock.advance(2 * R + 1)
      const { status, body } = await server.call(`${path}/v1/sessions/refresh`, { refreshToken })
      expect(status).toBe(200)
      return body['refreshToken']
    }
    let token: unknown = await embedded.login()
    for (let round = 0; round < 3; round++) {
      token = await refresh(token)
      clock.advance(2 * R + 1)
      const [status, next] = await embedded.refresh(token)
      expect(status).toBe(200)
      token = next
    }
    expect(eventsIn(server.log)).toEqual([])
  })

  test.each([
    ['name', { application: 'shop' }],
    ['audience', { audience: 'https://api.example.com' }],
  ])('of another %s refuse each other\'s refresh tokens', async (_, options) => {
    const [file, clock] = [newFile(), createFakeClock()]
    const server = await start(file, [], clock)
    const embedded = await embed(file, clock, options)
    const token = await embedded.login()
    expect(await server.call('/v1/sessions/refresh', { refreshToken: token })).toMatchObject({ status: 401 })
    const { body: { refreshToken } } = await server.call('/v1/sessions', { userId: 'bob' })
    expect(await embedded.refresh(refreshToken)).toEqual([401, null])
    expect((await embedded.refresh(token))[0]).toBe(200)
    expect(await server.call('/v1/sessions/refresh', { refreshToken })).toMatchObject({ status: 200 })
    expect(eventsIn(server.log)).toEqual([])
  })
})
