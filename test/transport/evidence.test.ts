import { afterEach, expect, test } from 'vitest'
import type { SessionEventMap, SessionEvents } from '../../src/session/events.ts'
import { parseRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { refreshKeyIn } from '../support/key-ring.ts'
import { R } from '../support/lose-answers.ts'
import { AT, REFRESH, RT, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

// Events about refreshes contain the client: address and user agent of real requests.

let server: SessionServer
afterEach(() => server.close())

type Evidence = 'onTokenTheft' | 'onRefreshShared' | 'onRefreshRejected'
const heard: { [Name in Evidence]: SessionEventMap[Name][] } = {
  onTokenTheft: [], onRefreshShared: [], onRefreshRejected: [],
}
const events: SessionEvents = {
  onTokenTheft: event => heard.onTokenTheft.push(event),
  onRefreshShared: event => heard.onRefreshShared.push(event),
  onRefreshRejected: event => heard.onRefreshRejected.push(event),
}

async function start(options: Parameters<typeof startSessionServer>[0] = {}): Promise<HttpClient> {
  for (const list of Object.values(heard)) list.length = 0
  server = await startSessionServer({ events, ...options })
  return server.client()
}

const owner = { ...SAME_ORIGIN, 'user-agent': 'owner', 'x-peer': '192.0.2.1' }
const thief = { ...SAME_ORIGIN, 'user-agent': `thief\u00ad${'x'.repeat(600)}`, 'x-peer': '198.51.100.2' }
const thiefAgent = `thief?${'x'.repeat(506)}`

async function login(client: HttpClient): Promise<string> {
  const reply = await client.send('POST', '/login', { headers: owner, body: {} })
  return String(JSON.parse(reply.body).handle)
}

/** Refreshes with the cookies of the client; the cookies of the response go into its jar. */
const refresh = (client: HttpClient, headers: Record<string, string>): Promise<Reply> =>
  client.send('POST', REFRESH, { headers })

/** A second party with the cookies of a client. */
function copyOf(client: HttpClient): HttpClient {
  const copy = server.client()
  copy.jar = client.jar
  return copy
}

test('ROT-01: the event of a theft contains address and user agent of the thief and of the owner', async () => {
  const client = await start()
  const handle = await login(client)
  const copy = copyOf(client)
  server.clock.advance(1000)
  await refresh(client, owner)
  server.clock.advance(2 * R + 1)
  const rotatedAt = server.clock()
  await refresh(client, owner)
  server.clock.advance(5000)
  expect((await refresh(copy, thief)).status).toBe(401)
  expect(heard.onTokenTheft).toEqual([{
    userId: 'alice', handle, revoked: true,
    presented: { generation: 0, branch: 0, at: rotatedAt + 5000, by: { ip: '127.0.0.1', userAgent: thiefAgent } },
    current: { generation: 2, branch: 0, at: rotatedAt, by: { ip: '127.0.0.1', userAgent: 'owner' } },
  }])
})

test('S-05: a child that was delivered to two networks is reported, with the addresses that clientIp returns', async () => {
  const clientIp = ({ headers }: { headers: NodeJS.Dict<string | string[]> }): string => String(headers['x-peer'])
  const client = await start({ clientIp })
  const handle = await login(client)
  const copy = copyOf(client)
  await refresh(client, owner)
  const rotatedAt = server.clock()
  server.clock.advance(3000)
  for (const peer of ['192.0.2.200', '198.51.100.2']) {
    expect((await refresh(copyOf(copy), { ...owner, 'x-peer': peer })).status).toBe(200)
  }
  expect(heard.onRefreshShared, 'another address of the same network is not reported').toEqual([{
    userId: 'alice', handle, revoked: false,
    presented: { generation: 0, branch: 0, at: server.clock(), by: { ip: '198.51.100.2', userAgent: 'owner' } },
    current: { generation: 1, branch: 0, at: rotatedAt, by: { ip: '192.0.2.1', userAgent: 'owner' } },
  }])
})

test('S-05: a child that was delivered to two user agents is reported; with `sharedRefresh: revoke`, the session is revoked', async () => {
  const client = await start({ sharedRefresh: 'revoke' })
  await login(client)
  const copy = copyOf(client)
  await refresh(client, owner)
  const reply = await refresh(copy, thief)
  expect([reply.status, JSON.parse(reply.body)]).toEqual([401, { message: 'token theft detected' }])
  expect(heard.onRefreshShared).toMatchObject([{
    revoked: true,
    presented: { by: { ip: '127.0.0.1', userAgent: thiefAgent } },
    current: { by: { ip: '127.0.0.1', userAgent: 'owner' } },
  }])
  expect((await client.send('GET', '/me')).status).toBe(401)
})

test('S-02: a token made with a leaked key is reported; no session is revoked, no cookie is changed', async () => {
  const client = await start()
  const handle = await login(client)
  const key = await refreshKeyIn(server.cut.store)
  const ours = parseRefreshToken(client.cookie(RT) ?? '')
  if (ours === null) throw new Error('there is no refresh token')
  const forged = async (generation: number): Promise<Reply> => client.send('POST', REFRESH, {
    jar: false,
    headers: {
      ...thief,
      // The handle is public, the anchor is not.
      cookie: `${AT}=${client.cookie(AT)}; ${RT}=${await key.write({ ...ours, generation, anchor: ours.secret })}`,
    },
  })
  const ahead = await forged(7)
  expect([ahead.status, ahead.setCookies]).toEqual([401, []])
  server.clock.advance(R + 1)
  expect((await forged(0)).status).toBe(401)
  const by = { ip: '127.0.0.1', userAgent: thiefAgent }
  const current = { by: { ip: '127.0.0.1', userAgent: 'owner' } }
  expect(heard.onRefreshRejected).toMatchObject([
    { reason: 'forged', userId: 'alice', handle, presented: { generation: 7, by }, current },
    { reason: 'superseded', userId: 'alice', handle, presented: { generation: 0, by }, current },
  ])
  expect((await refresh(client, owner)).status).toBe(200)
  expect([heard.onTokenTheft, heard.onRefreshShared]).toEqual([[], []])
})
