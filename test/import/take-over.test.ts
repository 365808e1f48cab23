import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { importedHandleOf, importSessions } from '../../src/import/index.ts'
import type { ImportOptions } from '../../src/import/index.ts'
import type { SessionEvents } from '../../src/index.ts'
import type { ImportRefusal } from '../../src/session/events.ts'
import { parseHandle } from '../../src/base/handle.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { AT, CROSS_SITE, REFRESH, RT, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const begin = Date.UTC(2026, 0, 1)

let old: OldSystem
let server: SessionServer
const servers: SessionServer[] = []
const refusals: ImportRefusal[] = []
const imported: string[] = []
const background: unknown[] = []
const thefts: unknown[] = []

const events: SessionEvents = {
  onImportRefused: refusal => refusals.push(refusal),
  onSessionImported: ({ userId }) => imported.push(userId),
  onBackgroundError: ({ error }) => background.push(error),
  onTokenTheft: evidence => thefts.push(evidence),
}

type Options = NonNullable<Parameters<typeof startSessionServer>[0]>

async function start(options: Partial<ImportOptions> = {}, more: Options = {}): Promise<SessionServer> {
  const started = await startSessionServer({
    events, imports: importSessions({ importers: [old], until: '2026-06-30', ...options }), ...more,
  })
  servers.push(started)
  return started
}

beforeEach(() => {
  old = new OldSystem()
  old.sessions.set('id-1', { userId: 'alice' })
  for (const list of [refusals, imported, background, thefts]) list.length = 0
})

afterEach(async () => {
  for (const each of servers.splice(0)) await each.close()
})

/** A browser with the old cookie, and no token of Keyturn. */
function browser(at: SessionServer = server, value = 'id-1'): HttpClient {
  const client = at.client()
  client.keep(`old=${value}; Path=/; Expires=${new Date(begin + 900 * DAY).toUTCString()}`)
  return client
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const userOf = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).userId]
const reasons = (): string[] => refusals.map(({ reason }) => reason)
const handlesOf = (userId = 'alice'): Promise<readonly string[]> => server.sessions.getAllSessionHandlesForUser(userId)

describe('a request with an old cookie and no token of Keyturn', () => {
  test('gets a session of its user, which goes on without the old cookie', async () => {
    server = await start()
    const client = browser()
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect(imported).toEqual(['alice'])
    expect(client.cookie('old')).toBe('id-1')
    client.jar = client.jar.filter(({ name }) => name !== 'old')
    server.clock.advance(2 * HOUR)
    expect((await me(client)).status).toBe(401)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect(await handlesOf()).toHaveLength(1)
  })

  test('is answered with Cache-Control: no-store, because it carries tokens', async () => {
    server = await start()
    expect((await me(browser())).headers['cache-control']).toMatch(/no-store/)
  })

  test('in mode retire, the old session and its cookie are deleted', async () => {
    server = await start({ mode: 'retire' })
    const client = browser()
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect(old.sessions.size).toBe(0)
    expect(client.cookie('old')).toBeUndefined()
  })

  test('with data and tenant', async () => {
    old.sessions.set('id-1', {
      userId: 'alice',
      tenantId: 'one',
      jwtPayload: { role: 'admin' },
      sessionInfo: { note: 'n' },
    })
    server = await start()
    const reply = await me(browser())
    expect(JSON.parse(reply.body)).toMatchObject({ tenantId: 'one', payload: { role: 'admin' } })
    const [handle = ''] = await handlesOf()
    expect(await server.sessions.getSessionInfo(handle)).toEqual({ note: 'n' })
  })

  test('at the refresh endpoint as well', async () => {
    server = await start()
    const client = browser()
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(userOf(await me(client))).toEqual([200, 'alice'])
  })

  test('makes the look-ups of an ordinary request no slower: with a token of Keyturn, nothing looks at the old cookie', async () => {
    server = await start()
    const client = browser()
    await me(client)
    server.cut.calls.length = old.calls.length = 0
    expect((await me(client)).status).toBe(200)
    expect([server.cut.calls, old.calls]).toEqual([[], []])
  })

  test('of a page that another site embeds or calls is not taken over; of a link it is', async () => {
    server = await start()
    const client = browser()
    expect((await client.send('GET', '/me', { headers: CROSS_SITE })).status).toBe(401)
    expect((await client.send('POST', '/act', { headers: CROSS_SITE })).status).toBe(403)
    expect((await client.send('POST', REFRESH, { headers: CROSS_SITE })).status).toBe(403)
    expect(await handlesOf()).toEqual([])
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    expect((await client.send('GET', '/me', { headers: link })).status).toBe(200)
  })

  test('selects users for a trial; the others are left alone', async () => {
    server = await start({ mode: 'retire', select: ({ userId }) => userId !== 'alice' })
    const client = browser()
    expect((await me(client)).status).toBe(401)
    expect([client.cookie('old'), old.sessions.size, refusals]).toEqual(['id-1', 1, []])
  })

  test('counts against maxSessionsPerUser', async () => {
    server = await start({}, { maxSessionsPerUser: 2 })
    for (const id of ['id-1', 'id-2', 'id-3']) {
      old.sessions.set(id, { userId: 'alice' })
      await me(browser(server, id))
      server.clock.advance(SECOND)
    }
    expect(await handlesOf()).toHaveLength(2)
  })

  test('keeps whether the cookies end with the browser, and a fixed end', async () => {
    old.sessions.set('id-1', { userId: 'alice', persistent: false, fixedEnd: begin + DAY })
    server = await start()
    const client = browser()
    await me(client)
    expect(client.jar.find(({ name }) => name === RT)?.expires).toBeNull()
    const [handle = ''] = await handlesOf()
    server.clock.advance(DAY)
    await expect(server.sessions.getSessionByHandle(handle)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })
})

describe('IMP-01: a session that has ended does not come back', () => {
  for (const mode of ['keep', 'retire'] as const) {
    test(`after sign-out, in mode ${mode}, also with a copy of the old cookie and old data`, async () => {
      server = await start({ mode })
      const client = browser()
      await me(client)
      expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
      expect(client.jar).toEqual([])
      expect(old.sessions.size).toBe(0)
      old.sessions.set('id-1', { userId: 'alice' })
      const copy = browser()
      expect((await me(copy)).status).toBe(401)
      expect([reasons(), copy.jar, await handlesOf()]).toEqual([['ended'], [], []])
    })
  }

  test('after a sign-out that came before the take-over', async () => {
    server = await start()
    const client = browser()
    await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId: 'alice' } })
    expect(client.cookie('old')).toBe('id-1')
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    old.sessions.set('id-1', { userId: 'alice' })
    expect((await me(browser())).status).toBe(401)
    expect(await handlesOf()).toEqual([])
  })

  test('after a sign-out with the old cookie alone', async () => {
    server = await start()
    const client = browser()
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    old.sessions.set('id-1', { userId: 'alice' })
    expect((await me(browser())).status).toBe(401)
  })

  test('after revocation by handle, expiry and theft', async () => {
    server = await start()
    await me(browser())
    const [handle = ''] = await handlesOf()
    await server.sessions.revokeSession(handle)
    expect((await me(browser())).status).toBe(401)
    old.sessions.set('id-2', { userId: 'bob' })
    await me(browser(server, 'id-2'))
    server.clock.advance(101 * DAY)
    await server.cut.store.removeExpired(server.clock(), 100)
    expect((await me(browser(server, 'id-2'))).status).toBe(401)
    expect(reasons()).toEqual(['ended', 'ended'])
  })

  test('after the keys of all sessions were replaced', async () => {
    server = await start()
    await me(browser())
    await server.sessions.revokeEverySession()
    expect((await me(browser())).status).toBe(401)
    expect(await handlesOf()).toEqual([])
  })

  test('as long as the import accepts anything: claims outlive it', async () => {
    server = await start()
    await me(browser())
    const [handle = ''] = await handlesOf()
    await server.sessions.revokeSession(handle)
    server.clock.advance(Date.UTC(2026, 5, 30) - begin - 1)
    await server.cut.store.removeExpired(server.clock(), 100)
    expect((await me(browser())).status).toBe(401)
    expect(reasons()).toEqual(['ended'])
  })
})

describe('IMP-04: requests that come at once', () => {
  test('15 on three processes get one session and the same refresh token, although keys rotate meanwhile', async () => {
    const store = createMemoryStore()
    server = await start({}, { store })
    const others = [await start({}, { store }), await start({}, { store })]
    // A key becomes current on one process earlier than on the others, whose clocks are slow.
    await server.sessions.rotateKeys()
    server.clock.advance(2 * HOUR)
    const clients = [server, ...others].flatMap(each => Array.from({ length: 5 }, () => browser(each)))
    const replies = await Promise.all(clients.map(client => client.send('GET', '/me')))
    expect(replies.map(userOf)).toEqual(Array(15).fill([200, 'alice']))
    expect(new Set(clients.map(client => client.cookie(RT))).size).toBe(1)
    expect(await handlesOf()).toHaveLength(1)
    expect(imported).toHaveLength(1)
  })

  test('a process whose current key is another one derives the same tokens', async () => {
    const store = createMemoryStore()
    server = await start({}, { store })
    const slow = await start({}, { store })
    await slow.sessions.ready()
    await server.sessions.rotateKeys()
    server.clock.advance(2 * HOUR)
    slow.clock.advance(6 * SECOND)
    const first = browser()
    expect(userOf(await me(first))).toEqual([200, 'alice'])
    const [handle = ''] = await handlesOf()
    const { kid } = await store.findImport(parseHandle(handle) ?? sampleHandle(0)) ?? { kid: '' }
    expect((await store.listKeys()).filter(({ purpose }) => purpose === 'refresh').map(key => key.kid).indexOf(kid))
      .toBe(1)
    const second = browser(slow)
    expect(userOf(await me(second))).toEqual([200, 'alice'])
    expect(second.cookie(RT)).toBe(first.cookie(RT))
  })

  test('one that looks at the old system after another has retired the session gets the session, too', async () => {
    server = await start({ mode: 'retire' })
    let release = (): void => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let judged = 0
    old.before = async call => {
      if (call === 'judge' && ++judged === 1) await held
    }
    const slow = me(browser())
    await expect.poll(() => judged).toBe(1)
    expect(userOf(await me(browser()))).toEqual([200, 'alice'])
    expect(old.sessions.size).toBe(0)
    release()
    expect(userOf(await slow)).toEqual([200, 'alice'])
    expect([await handlesOf(), refusals]).toEqual([[expect.any(String)], []])
  })

  test('a lost answer is repeated with the same tokens', async () => {
    server = await start({ mode: 'retire' })
    const client = browser()
    const lost = await client.send('GET', '/me', { lost: true })
    server.clock.advance(20 * SECOND)
    const repeated = await me(client)
    const rt = (reply: Reply): string | undefined => reply.setCookies.find(line => line.startsWith(RT))?.split(';')[0]
    expect([repeated.status, rt(repeated)]).toEqual([200, rt(lost)])
  })
})

describe('IMP-04: a credential that can be sent in a cookie and as a bearer token', () => {
  const bearer = { authorization: 'Bearer id-1', 'st-auth-mode': 'header' }
  const withBearer = (): Promise<Reply> => server.client().send('GET', '/me', { headers: bearer })

  test.each(['keep', 'retire'] as const)('in mode %s gives one session: the second way is refused', async mode => {
    server = await start({ mode })
    const client = browser()
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect((await withBearer()).status).toBe(401)
    const [handle] = await handlesOf()
    expect(refusals).toEqual([{ source: 'sample', reason: 'replayed', handle }])
    expect(await handlesOf()).toHaveLength(1)
    expect(userOf(await me(client))).toEqual([200, 'alice'])
  })

  test('is refused both ways after a sign-out, even if the old session could not be deleted', async () => {
    server = await start()
    old.before = async call => {
      if (call === 'retire') throw new Error('read only')
    }
    const client = browser()
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect([old.sessions.size, (await withBearer()).status, (await me(browser())).status]).toEqual([1, 401, 401])
    expect(await handlesOf()).toEqual([])
  })

  test('is ended by a login in the browser that still has the cookie, whichever way it was taken over', async () => {
    server = await start({ mode: 'retire' })
    expect(userOf(await withBearer())).toEqual([200, 'alice'])
    expect((await browser().send('POST', '/login', { body: { userId: 'bob' } })).status).toBe(200)
    expect([await handlesOf(), await handlesOf('bob')]).toEqual([[], [expect.any(String)]])
  })

  test('never gives two sessions, if both arrive at once', async () => {
    server = await start()
    let judged = 0
    let release = (): void => undefined
    const both = new Promise<void>(resolve => {
      release = resolve
    })
    old.before = async () => {
      if (++judged === 2) release()
      await both
    }
    const statuses = (await Promise.all([withBearer(), me(browser())])).map(({ status }) => status)
    expect(statuses.filter(status => status === 200).length).toBe((await handlesOf()).length)
    expect((await handlesOf()).length).toBeLessThan(2)
  })
})

describe('IMP-05: an old cookie that arrives late', () => {
  /** Takes the session over, and uses it until the client has certainly stored its tokens. */
  async function settle(): Promise<HttpClient> {
    const client = browser()
    await me(client)
    server.clock.advance(2 * MINUTE)
    await me(client)
    server.clock.advance(HOUR)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    return client
  }

  test('is refused, and the session stays', async () => {
    server = await start()
    const client = await settle()
    expect((await me(browser())).status).toBe(401)
    expect([reasons(), thefts]).toEqual([['replayed'], []])
    expect(userOf(await me(client))).toEqual([200, 'alice'])
  })

  test('revokes the session if `replay` says so', async () => {
    server = await start({ replay: 'revoke' })
    const client = await settle()
    expect((await me(browser())).status).toBe(401)
    expect(thefts).toHaveLength(1)
    expect((await me(client)).status).toBe(401)
  })

  test('after the user has authenticated again is refused, and the session stays', async () => {
    server = await start({}, { routes: sessions => ({
      'POST /again': async (request, response) => {
        await (await sessions.getSession(request, response)).reauthenticate(request, response)
        response.end()
      },
    }) })
    const client = browser()
    await me(client)
    expect((await client.send('POST', '/again', { headers: SAME_ORIGIN })).status).toBe(200)
    server.clock.advance(HOUR)
    expect((await me(browser())).status).toBe(401)
    expect(reasons()).toEqual(['replayed'])
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  })
})

describe('IMP-06: a revocation of all sessions of a user', () => {
  test('reaches sessions that were not taken over yet: by the old system, and by their age', async () => {
    old.sessions.set('id-1', { userId: 'alice', issuedAt: begin - DAY })
    server = await start()
    await server.sessions.revokeAllSessionsForUser('alice')
    expect(old.sessions.size).toBe(0)
    old.sessions.set('id-1', { userId: 'alice', issuedAt: begin - DAY })
    old.sessions.set('id-2', { userId: 'alice', issuedAt: null })
    old.sessions.set('id-3', { userId: 'alice', issuedAt: begin + MINUTE })
    server.clock.advance(2 * MINUTE)
    const statuses = [await me(browser()), await me(browser(server, 'id-2')), await me(browser(server, 'id-3'))]
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 200])
    expect(reasons()).toEqual(['revoked', 'revoked'])
    expect(await handlesOf()).toHaveLength(1)
  })

  test('spares the session that the option except names, however often the old cookie comes', async () => {
    server = await start()
    const client = browser()
    await me(client)
    const [except = ''] = await handlesOf()
    await server.sessions.revokeAllSessionsForUser('alice', { except })
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect(userOf(await me(browser()))).toEqual([200, 'alice'])
    expect(await handlesOf()).toEqual([except])
  })
})

test('IMP-08: a session without a login is left alone, and asked for again', async () => {
  old.sessions.set('id-1', {})
  server = await start({ mode: 'retire' })
  const client = browser()
  expect((await me(client)).status).toBe(401)
  expect([client.cookie('old'), old.sessions.size, refusals]).toEqual(['id-1', 1, []])
  old.sessions.set('id-1', { userId: 'alice' })
  expect(userOf(await me(client))).toEqual([200, 'alice'])
})

test('IMP-13: a recent login is never assumed', async () => {
  const routes: Options['routes'] = sessions => ({
    'GET /sure': async (request, response) => {
      await sessions.getSession(request, response, { maxAuthenticationAge: '5m' })
      response.end()
    },
  })
  server = await start({}, { routes })
  expect((await browser().send('GET', '/sure')).status).toBe(403)
  old.sessions.set('id-2', { userId: 'bob', authenticatedAt: begin - MINUTE })
  expect((await browser(server, 'id-2').send('GET', '/sure')).status).toBe(200)
  old.sessions.set('id-3', { userId: 'bob', authenticatedAt: begin - HOUR })
  expect((await browser(server, 'id-3').send('GET', '/sure')).status).toBe(403)
})

test('IMP-14: data that does not fit refuses the take-over, changes nothing, and says so', async () => {
  old.sessions.set('id-1', { userId: 'alice', jwtPayload: { filler: 'x'.repeat(2001) } })
  old.sessions.set('id-2', { userId: 'bob', jwtPayload: { sub: 'mallory' } })
  server = await start({ mode: 'retire' })
  for (const id of ['id-1', 'id-2']) {
    const client = browser(server, id)
    expect((await me(client)).status).toBe(401)
    expect(client.cookie('old')).toBe(id)
  }
  expect([reasons(), old.sessions.size]).toEqual([['unwritable', 'unwritable'], 2])
  old.sessions.set('id-1', { userId: 'alice' })
  expect(userOf(await me(browser()))).toEqual([200, 'alice'])
})

test('IMP-15: the handle of a session is known before its take-over, by application, audience and mode', async () => {
  server = await start()
  const expected = await importedHandleOf('sample', 'id-1')
  await me(browser())
  expect(await handlesOf()).toEqual([expected])
  const others = await Promise.all([
    importedHandleOf('sample', 'id-2'), importedHandleOf('other', 'id-1'),
    importedHandleOf('sample', 'id-1', { audience: 'a' }),
    importedHandleOf('sample', 'id-1', { application: 'b' }), importedHandleOf('sample', 'id-1', { mode: 'header' }),
  ])
  expect(new Set([expected, ...others]).size).toBe(6)
})

describe('IMP-16: an import ends', () => {
  test('at the time that it must have', async () => {
    expect(() => importSessions({ importers: [old] } as unknown as ImportOptions)).toThrow(/until must be a date/)
    await expect(start({ until: '2030-01-01' })).rejects.toThrow(/until must be at most 400 days ahead/)
    server = await start({ until: new Date(begin + DAY) })
    server.clock.advance(DAY - 1)
    expect((await me(browser())).status).toBe(200)
    server.clock.advance(1)
    old.sessions.set('id-2', { userId: 'bob' })
    old.calls.length = 0
    expect((await me(browser(server, 'id-2'))).status).toBe(401)
    expect(old.calls).toEqual([])
  })

  test('and says how many sessions arrive per day', async () => {
    server = await start()
    for (const id of ['id-1', 'id-2', 'id-3']) {
      old.sessions.set(id, { userId: id })
      await me(browser(server, id))
      if (id === 'id-2') server.clock.advance(DAY)
    }
    expect(await server.cut.store.countImports()).toEqual([
      { source: 'sample', day: begin, count: 2 }, { source: 'sample', day: begin + DAY, count: 1 },
    ])
  })
})

describe('failures', () => {
  test('of the old system are 503, never a logout, and the next request succeeds', async () => {
    server = await start({ mode: 'retire' })
    old.before = async () => {
      throw new Error('connect ECONNREFUSED')
    }
    const client = browser()
    const refused = await me(client)
    expect([refused.status, refused.setCookies]).toEqual([503, []])
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(503)
    old.before = async () => undefined
    expect(userOf(await me(client))).toEqual([200, 'alice'])
  })

  test('of the old system that hangs are 503 after the time limit', async () => {
    server = await start({ sourceTimeout: 0.02 })
    old.before = () => new Promise(() => undefined)
    expect((await me(browser())).status).toBe(503)
  })

  test('of retiring are reported, and the session is taken over', async () => {
    server = await start({ mode: 'retire' })
    old.before = async call => {
      if (call === 'retire') throw new Error('read only')
    }
    expect(userOf(await me(browser()))).toEqual([200, 'alice'])
    expect(background).toHaveLength(1)
    old.before = async () => undefined
    await me(browser())
    expect(old.sessions.size).toBe(0)
  })

  // Every call of store and old system, with a failure after it: what was done stays, the answer is lost.
  test('after each step neither log out nor revive', async () => {
    const steps = ['findImport', 'find', 'admitImport', 'rotate', 'retire'] as const
    for (const [index, step] of steps.entries()) {
      for (const when of ['before', 'after'] as const) {
        const id = `id-${step}-${when}`
        old = new OldSystem()
        old.sessions.set(id, { userId: id })
        let isCut = true
        const inner = createMemoryStore()
        const cut = async (name: string, at: string): Promise<void> => {
          if (isCut && name === step && at === when) throw new Error(`cut ${index}`)
        }
        const store = new Proxy(inner, {
          get(target, name, receiver) {
            const value: unknown = Reflect.get(target, name, receiver)
            if (typeof value !== 'function') return value
            return async (...args: unknown[]): Promise<unknown> => {
              await cut(String(name), 'before')
              const result: unknown = await Reflect.apply(value, target, args)
              await cut(String(name), 'after')
              return result
            }
          },
        })
        old.before = call => cut(call, 'before')
        server = await start({ mode: 'retire' }, { store })
        const client = browser(server, id)
        await me(client)
        isCut = false
        expect(userOf(await me(client)), `${step} ${when}`).toEqual([200, id])
        expect(await handlesOf(id)).toHaveLength(1)
        expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
        old.sessions.set(id, { userId: id })
        expect((await me(browser(server, id))).status).toBe(401)
        expect(await handlesOf(id)).toEqual([])
      }
    }
  })
})

test('a credential that was refused is not asked for again for some seconds', async () => {
  old.sessions.set('id-1', { isDead: true })
  server = await start()
  for (let count = 0; count < 5; count++) expect((await me(browser())).status).toBe(401)
  expect(old.calls).toEqual(['judge'])
  server.clock.advance(6 * SECOND)
  await me(browser())
  expect(old.calls).toEqual(['judge', 'judge'])
  expect(server.failures).toEqual([])
})

test('a request whose access token is for another application still finds the old cookie', async () => {
  server = await start()
  const client = browser()
  client.keep(`${AT}=not-a-token; Path=/; Secure`)
  expect(userOf(await me(client))).toEqual([200, 'alice'])
})
