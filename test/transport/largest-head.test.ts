import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { REFRESH, RT, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

/** The bytes of the head of a response, as they come over the socket. */
async function headOf(request: readonly string[]): Promise<number> {
  const socket = connect(server.port, '127.0.0.1').end([...request, 'connection: close', '', ''].join('\r\n'))
  let text = ''
  for await (const piece of socket.setEncoding('latin1')) text += String(piece)
  expect(text).toMatch(/^HTTP\/1.1 200 /)
  return text.indexOf('\r\n\r\n') + 4
}

const userId = '\u{1f600}'.repeat(127)

test('L-12: the largest head that Keyturn writes is beyond the buffer of many proxies, and within the documented size', async () => {
  server = await startSessionServer({
    antiCsrf: 'token', algorithm: 'RS256', audience: 'a'.repeat(100), origin: `https://${'a'.repeat(60)}.example.com`,
    cookie: { domain: 'example.com', olderDomain: '', sameSite: 'none', partitioned: true, refreshTokenPath: '/' },
  })
  const { origin } = server.sessions.http.policy
  const client = server.client()
  const login = (filler: number): ReturnType<typeof client.send> => client.send('POST', '/login', {
    headers: { ...SAME_ORIGIN, origin },
    body: { userId, payload: { filler: 'x'.repeat(filler) }, options: { tenantId: 't'.repeat(64) } },
  })
  // The largest payload whose access token fits into a cookie, beside such long claims.
  let filler = 2000
  let signedIn = await login(filler)
  for (; signedIn.status !== 200; signedIn = await login(filler)) filler -= 10
  const [access, refresh] = ['__Secure-sAccessToken', RT].map(name => `${name}=${client.cookie(name) ?? ''}`)
  server.clock.advance(3_600_000)
  const size = await headOf([
    `POST ${REFRESH} HTTP/1.1`, 'host: app.example.com', `origin: ${origin}`, 'content-length: 0',
    `anti-csrf: ${signedIn.headers['anti-csrf']}`,
    // Each twice, as a browser sends them that has old ones: the answer clears them in every place.
    `cookie: ${access}; ${access}; ${access}x; ${refresh}; ${refresh}x`,
  ])
  // A proxy needs one buffer for it and for what application and framework write.
  expect(size).toBeGreaterThan(8192)
  expect(size).toBeLessThan(14 * 1024)
})
