import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { SessionEvents } from '../../src/session/events.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { assertSignedIn } from '../../src/testing/session-change.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { R } from '../support/lose-answers.ts'
import { AT, ORIGIN, REFRESH, RT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

// Applications and processes on one SQLite file, so with the same keys.

const folder = mkdtempSync(join(tmpdir(), 'keyturn-applications-'))
afterAll(() => rmSync(folder, { recursive: true }))

const running: SessionServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

let files = 0
const newFile = (): string => join(folder, `${++files}.db`)

/** The events of all processes of the test. */
const reported: string[] = []
const note = (name: string) => () => reported.push(name)
const events: SessionEvents = {
  onTokenTheft: note('theft'), onRefreshShared: note('shared'), onRefreshRejected: note('rejected'),
  onSessionRevoked: note('revoked'),
}

/** A process, with its own connection to the file. */
async function start(file: string, options: Parameters<typeof startSessionServer>[0] = {}): Promise<SessionServer> {
  reported.length = 0
  const server = await startSessionServer({ store: openSqliteStore(file), events, ...options })
  running.push(server)
  return server
}

interface Pair { readonly access: string; readonly refresh: string }

/** The two transfer modes: how a user logs in, and how a refresh request contains a pair of tokens. */
const ways = {
  cookies: {
    async login(client: HttpClient, origin: string): Promise<Pair> {
      await client.send('POST', '/login', { headers: { origin }, body: {} })
      return { access: client.cookie(AT) ?? '', refresh: client.cookie(RT) ?? '' }
    },
    refresh: (client: HttpClient, origin: string, { access, refresh }: Pair): Promise<Reply> =>
      client.send('POST', REFRESH, { jar: false, headers: { origin, cookie: `${AT}=${access}; ${RT}=${refresh}` } }),
  },
  headers: {
    async login(client: HttpClient, origin: string): Promise<Pair> {
      const options = { headers: { origin, 'st-auth-mode': 'header' }, body: {} }
      const { headers } = await client.send('POST', '/login', options)
      return { access: headers['st-access-token'] ?? '', refresh: headers['st-refresh-token'] ?? '' }
    },
    refresh: (client: HttpClient, _: string, { refresh }: Pair): Promise<Reply> =>
      client.send('POST', REFRESH, { headers: { authorization: `Bearer ${refresh}` } }),
  },
}
const other = 'https://other.example.com'

describe.each(['cookies', 'headers'] as const)('S-03: with tokens in %s', way => {
  const { login, refresh } = ways[way]

  test.each([
    ['names', { application: 'shop' }, { application: 'forum' }],
    ['audiences', { audience: 'shop' }, { audience: 'forum' }],
    ['audiences, one of them none', {}, { audience: 'forum' }],
  ])('applications with different %s reject each other\'s tokens, and report nothing', async (_, ours, others) => {
    const file = newFile()
    const [one, two] = [await start(file, ours), await start(file, { ...others, origin: other })]
    const mine = await login(one.client(), ORIGIN)
    const theirs = await login(two.client(), other)
    for (const [server, origin, pair] of [[two, other, mine], [one, ORIGIN, theirs]] as const) {
      const refused = await refresh(server.client(), origin, pair)
      expect([refused.status, JSON.parse(refused.body)]).toEqual([401, { message: 'unauthorised' }])
      expect(refused.setCookies).toEqual([])
    }
    // Each token still works in its own application: its use in the other did not count as its first use.
    assertSignedIn(await refresh(one.client(), ORIGIN, mine), 'alice')
    assertSignedIn(await refresh(two.client(), other, theirs), 'alice')
    expect(reported).toEqual([])
  })

  test('processes of one application with different origins accept each other\'s sessions', async () => {
    const file = newFile()
    const [before, after] = [await start(file), await start(file, { origin: other })]
    const first = await login(before.client(), ORIGIN)
    const client = after.client()
    const reply = await refresh(client, other, first)
    assertSignedIn(reply, 'alice')
    for (const line of reply.setCookies) client.keep(line)
    const second = way === 'cookies'
      ? { access: client.cookie(AT) ?? '', refresh: client.cookie(RT) ?? '' }
      : { access: reply.headers['st-access-token'] ?? '', refresh: reply.headers['st-refresh-token'] ?? '' }
    expect(second.refresh).not.toBe(first.refresh)
    // And in the other direction: the change of the origin can be reverted.
    for (const { clock } of [before, after]) clock.advance(2 * R + 1)
    const back = await refresh(before.client(), ORIGIN, second)
    assertSignedIn(back, 'alice')
    expect(reported).toEqual([])
  })
})
