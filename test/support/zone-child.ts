/** A process that loads zone.js before Keyturn. Writes the responses of an application there as JSON. */
import { createClient } from '../../src/client/index.ts'
import { createVerifier } from '../../src/verify.ts'
import type { Reply } from './http-client.ts'
import { AT, REFRESH, SAME_ORIGIN, startSessionServer } from './session-server.ts'

async function requests(): Promise<Record<string, unknown>> {
  const server = await startSessionServer({ antiCsrf: 'token' })
  const client = server.client()
  const login = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { payload: { role: 'reader' } } })
  const act = async (token: string): Promise<number> => (
    (await client.send('POST', '/act', { headers: { ...SAME_ORIGIN, 'anti-csrf': token } })).status
  )
  const own = login.headers['anti-csrf'] ?? ''
  const refresh = (token: string): Promise<Reply> => (
    client.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, 'anti-csrf': token } })
  )
  const answers = {
    login: login.status,
    me: (await client.send('GET', '/me')).status,
    seenBefore: (await client.send('GET', '/me')).status,
    rightToken: await act(own),
    wrongToken: await act(`${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}`),
    noToken: (await client.send('POST', '/act', { headers: SAME_ORIGIN })).status,
    refreshWithWrongToken: (await refresh('x')).status,
    refresh: (await refresh(own)).status,
    failures: server.failures.map(String),
  }
  await server.close()
  return answers
}

async function strict(): Promise<Record<string, unknown>> {
  const server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
  const client = server.client()
  const login = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  const live = (await client.send('GET', '/me')).status
  const { handle } = JSON.parse(login.body) as { handle: string }
  await server.sessions.revokeSession(handle)
  const revoked = (await client.send('GET', '/me')).status
  await server.close()
  return { live, revoked }
}

async function verifier(): Promise<Record<string, unknown>> {
  const server = await startSessionServer()
  const client = server.client()
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  const { verify } = createVerifier({
    issuer: server.sessions.http.policy.issuer, jwks: await server.sessions.getJwks(), clock: server.clock,
  })
  const token = client.cookie(AT) ?? ''
  const kinds = [(await verify(token)).kind, (await verify(`${token.slice(0, -4)}AAAA`)).kind]
  await server.close()
  return { kinds }
}

/** For the browser client, whose storage may be asynchronous. */
async function stored(): Promise<string | undefined> {
  const now = Date.now()
  const front = btoa(JSON.stringify({ uid: 'ada', ate: now + 60_000, up: { iat: Math.floor(now / 1000) } }))
  const record = JSON.stringify({ generation: 1, at: 1, received: now, front })
  const client = createClient({
    baseUrl: 'http://localhost:1', mode: 'header',
    storage: { getItem: async () => record, setItem: async () => undefined },
  })
  const session = await client.getSession()
  client.close()
  return session?.userId
}

const native = async (): Promise<void> => undefined
console.log(JSON.stringify({
  // Shows that zone.js is active: otherwise the values below would prove nothing.
  isReplaced: !(native() instanceof Promise),
  requests: await requests(),
  strict: await strict(),
  verifier: await verifier(),
  stored: await stored(),
}))
