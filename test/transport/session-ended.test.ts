import { execFile } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Scheduler } from '../../src/base/scheduler.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions, revocationStream } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { REFRESH, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

/** Writes the event log as it is due. */
const schedule: Scheduler = (task, delay) => {
  const timer = setTimeout(task, delay)
  return () => clearTimeout(timer)
}

let server: SessionServer

afterEach(() => server.close())

const HOUR = 3_600_000

/** Logs in. Resolves to the session's handle. */
async function login(client: HttpClient, userId = 'alice'): Promise<string> {
  const reply = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId } })
  return JSON.parse(atob(reply.headers['front-token'] ?? '')).up.sid
}

const post = (client: HttpClient, path: string): Promise<Reply> => client.send('POST', path, { headers: SAME_ORIGIN })

/** Logs in, and refreshes twice. `stolen`: a copy of the first tokens. */
async function loginThatWasCopied(): Promise<{ client: HttpClient; handle: string; stolen: HttpClient['jar'] }> {
  const client = server.client()
  const handle = await login(client)
  const stolen = client.jar
  for (let round = 0; round < 2; round++) {
    server.clock.advance(HOUR)
    expect((await post(client, REFRESH)).status).toBe(200)
  }
  return { client, handle, stolen }
}

describe('B-10: a response that ends a session says which one, and why', () => {
  test.each([
    ['revoked', async (handle: string) => void await server.sessions.revokeSession(handle)],
    ['expired', async () => server.clock.advance(400 * 24 * HOUR)],
  ] as const)('a refresh: %s', async (reason, cause) => {
    server = await startSessionServer()
    const client = server.client()
    const handle = await login(client)
    const { jar } = client
    await cause(handle)
    client.jar = jar.map(cookie => ({ ...cookie, expires: null }))
    const reply = await post(client, REFRESH)
    expect(reply.status).toBe(401)
    expect([reply.headers['front-token'], reply.headers['session-ended']]).toEqual(['remove', `${reason} ${handle}`])
    expect(reply.headers['access-control-expose-headers']).toContain('session-ended')
    expect(client.jar).toEqual([])
  })

  test('a refresh: theft, for both parties', async () => {
    server = await startSessionServer({ schedule })
    const { client, handle, stolen } = await loginThatWasCopied()
    const owner = client.jar
    client.jar = stolen
    expect((await post(client, REFRESH)).headers['session-ended']).toBe(`theft ${handle}`)
    // The evidence is in the event log soon after the response.
    await expect.poll(async () => {
      client.jar = owner
      return (await post(client, REFRESH)).headers['session-ended']
    }).toBe(`theft ${handle}`)
  })

  test('a refresh: revoked, after a theft that was only observed', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ theft: 'observe', schedule, store })
    const { client, handle, stolen } = await loginThatWasCopied()
    const owner = client.jar
    client.jar = stolen
    expect((await post(client, REFRESH)).headers['session-ended']).toBeUndefined()
    const query = { kinds: ['theft'], userId: null, handle: null } as const
    await expect.poll(async () => (await store.pageEvents(query, { after: null, limit: 2 })).events.length).toBe(1)
    await server.sessions.revokeSession(handle)
    client.jar = owner
    expect((await post(client, REFRESH)).headers['session-ended']).toBe(`revoked ${handle}`)
  })

  test('a sign-out, and revokeSession; a login in the same response ends nothing', async () => {
    server = await startSessionServer({
      routes: sessions => ({
        'POST /leave': async (request, response) => {
          await (await sessions.getSession(request, response)).revokeSession()
          send(response, {})
        },
        'POST /switch': async (request, response) => {
          await (await sessions.getSession(request, response)).revokeSession()
          await sessions.createNewSession(request, response, 'bob')
          send(response, {})
        },
      }),
    })
    const client = server.client()
    const handles = [await login(client)]
    expect((await post(client, '/auth/signout')).headers['session-ended']).toBe(`signed-out ${handles[0]}`)
    handles.push(await login(client))
    expect((await post(client, '/leave')).headers['session-ended']).toBe(`signed-out ${handles[1]}`)
    await login(client)
    const switched = await post(client, '/switch')
    expect(switched.headers['session-ended']).toBeUndefined()
    expect(JSON.parse(atob(switched.headers['front-token'] ?? '')).uid).toBe('bob')
  })

  test('without a session there is nothing to name, and a refresh that succeeds ends nothing', async () => {
    server = await startSessionServer()
    const client = server.client()
    const none = await post(client, REFRESH)
    expect([none.headers['front-token'], none.headers['session-ended']]).toEqual(['remove', undefined])
    await login(client)
    expect((await post(client, REFRESH)).headers['session-ended']).toBeUndefined()
  })
})

describe('B-06: a sign-out that names its session', () => {
  test('ends that one, and no other: then it is 401, and nothing is cleared', async () => {
    server = await startSessionServer()
    const client = server.client()
    const old = await login(client)
    const handle = await login(client, 'bob')
    const late = await post(client, `/auth/signout?session=${old}`)
    expect([late.status, late.setCookies, late.headers['front-token']]).toEqual([401, [], undefined])
    expect(await server.sessions.getAllSessionHandlesForUser('bob')).toEqual([handle])
    expect((await post(client, `/auth/signout?session=${handle}`)).status).toBe(200)
    expect(await server.sessions.getAllSessionHandlesForUser('bob')).toEqual([])
    await login(client)
    expect((await post(client, '/auth/signout?session=')).status).toBe(200)
  })
})

test('B-13: what an EventSource is answered, which its page cannot read, leaves the cookies to the next refresh', async () => {
  server = await startSessionServer()
  const client = server.client()
  const handle = await login(client)
  await server.sessions.revokeSession(handle)
  const { jar } = client
  const refused = await client.send('GET', '/me', { headers: { accept: 'text/event-stream' } })
  expect([refused.status, refused.setCookies, refused.headers['session-ended']]).toEqual([401, [], `revoked ${handle}`])
  expect(client.jar).toEqual(jar)
  const asked = await post(client, REFRESH)
  expect([asked.status, asked.headers['session-ended'], client.jar]).toEqual([401, `revoked ${handle}`, []])
})

describe('B-13: revocationStream', () => {
  test('L-37: a process that ends does not wait for the timers of a stream', async () => {
    const program = `
      import { revocationStream } from '${new URL('../../src/index.ts', import.meta.url).href}'
      const stream = revocationStream({ getExpiry: () => Date.now() + 3_600_000, onRevoked: () => () => {} })
      console.log((await stream.getReader().read()).value.length)
    `
    const options = ['--conditions=keyturn-source', '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: 20_000 })
    expect(stdout).toBe('3\n')
  })

  test('ends with the next heartbeat after a response that is piped to is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
    try {
      let listeners = 0
      const onRevoked = (): () => void => {
        listeners++
        return () => void listeners--
      }
      const response = new PassThrough().resume()
      const piping = pipeline(revocationStream({ getExpiry: () => Infinity, onRevoked }), response)
      const failure = piping.catch((error: unknown) => error)
      response.destroy()
      await vi.advanceTimersByTimeAsync(25_000)
      expect(await failure).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
      expect([listeners, vi.getTimerCount()]).toEqual([0, 0])
    } finally {
      vi.useRealTimers()
    }
  })

  test('counts by the clock of the sessions: a clock of tests that stands still ends no stream', async () => {
    const sessions = webSessions(createSessions({ origin: 'https://app.example.com', ...inMemory() }))
    const { headers, handle } = await signIn(sessions, 'ada')
    const session = await sessions.getSession(new Request('https://app.example.com', { headers }), new Headers())
    expect(session.getExpiry()).toBeLessThan(Date.now())
    const text = new Response(revocationStream(session)).text()
    await sessions.revokeSession(handle)
    expect(await text).toBe(':\n\nevent: ended\ndata: {}\n\n')
  })

  test('sends an event when the session is revoked, and ends; it ends with the access token too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
    try {
      server = await startSessionServer()
      let revoke = (): unknown => undefined
      let listeners = 0
      const expiry = Date.now() + 100_000
      const session = {
        getExpiry: () => expiry,
        onRevoked: (listener: () => unknown) => {
          revoke = listener
          listeners++
          return () => void listeners--
        },
      }
      const read = async (cause: () => unknown): Promise<string> => {
        const text = new Response(revocationStream(session)).text()
        await vi.advanceTimersByTimeAsync(60_000)
        cause()
        return text
      }
      expect(await read(() => revoke())).toBe(':\n\n:\n\n:\n\nevent: ended\ndata: {}\n\n')
      expect(await read(() => vi.advanceTimersByTime(40_001))).toBe(':\n\n:\n\n:\n\n:\n\n')
      await revocationStream(session).cancel()
      expect([listeners, vi.getTimerCount()]).toEqual([0, 0])
    } finally {
      vi.useRealTimers()
    }
  })
})
