import { expect, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'

const ORIGIN = 'https://app.example.com'
const DAY = 86_400_000
const PAGE = {
  accept: 'text/html', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document',
}
const SCRIPT = { accept: '*/*', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }

type Options = Partial<Parameters<typeof createSessions>[0]>

/** An application with a user who has logged in. */
async function start(options: Options = {}) {
  const clock = createFakeClock()
  const sessions = webSessions(createSessions({
    origin: ORIGIN, store: createMemoryStore(), clock, cookie: { refreshTokenPath: '/' }, ...options,
  }))
  sessions.sessionRoutes()
  const headers = new Headers()
  const login = new Request(`${ORIGIN}/login`, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } })
  const session = await sessions.createNewSession(login, headers, 'ada')
  const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  const request = (method: string, kind: Readonly<Record<string, string>>): Request => (
    new Request(`${ORIGIN}/page`, {
      method,
      headers: { ...kind, cookie, ...method === 'GET' ? {} : { origin: ORIGIN } },
    })
  )
  return { sessions, clock, session, request }
}

test('L-09: without cookie.refreshTokenPath, refresh is refused where it is asked for, with its cure', async () => {
  const { sessions, request } = await start({ cookie: {} })
  const cure = 'with refresh: true needs the refresh token in every request; browsers send its cookie only to '
    + '/auth/session/refresh. Set cookie.refreshTokenPath to "/" in createSessions'
  expect(() => sessions.requireSession(() => new Response(), { refresh: true })).toThrow(`requireSession ${cure}`)
  await expect(sessions.getSession(request('GET', PAGE), new Headers(), { refresh: true }))
    .rejects.toThrow(`getSession ${cure}`)
})

test.each(['//evil.example', 'login', 'https://evil.example/login', ''])('L-09: %j is no login page',
  async loginPath => {
    const { sessions } = await start()
    expect(() => sessions.requireSession(() => new Response(), { loginPath })).toThrow(
      `loginPath must be a path on this site such as "/login"; received ${JSON.stringify(loginPath)}`,
    )
  })

test('L-09: getSession refreshes, too; where a session is optional, one that has ended is null', async () => {
  const { sessions, clock, session, request } = await start()
  const options = { refresh: true, required: false } as const
  clock.advance(DAY)
  const sink = new Headers()
  expect((await sessions.getSession(request('GET', PAGE), sink, options))?.getUserId()).toBe('ada')
  expect(sink.getSetCookie().some(line => /^__Secure-sRefreshToken=[^;]/.test(line))).toBe(true)
  await sessions.revokeSession(session.getHandle())
  for (const kind of [PAGE, SCRIPT]) {
    const cleared = new Headers()
    expect(await sessions.getSession(request('GET', kind), cleared, options)).toBe(null)
    expect(cleared.get('front-token')).toBe('remove')
  }
})

test('L-09: a session that was revoked a moment ago is null where it is optional, not an error on a page', async () => {
  const { sessions, session, request } = await start()
  await sessions.revokeSession(session.getHandle())
  const reading = sessions.getSession(request('GET', PAGE), new Headers(), { refresh: true, required: false })
  expect(await reading).toBe(null)
})

test('L-09: claims and the age of the login are checked after a refresh as before it', async () => {
  const { sessions, clock, request } = await start()
  clock.advance(DAY)
  const refused = { id: 'role', validate: () => ({ isValid: false, reason: { message: 'no' } }) } as const
  for (const options of [{ claimValidators: [refused] }, { maxAuthenticationAge: '1h' }] as const) {
    const guard = sessions.requireSession(() => new Response(), { ...options, refresh: true, loginPath: '/login' })
    expect((await guard(request('GET', PAGE))).status).toBe(403)
  }
})

test('L-09: where forms must send an anti-CSRF token, which they cannot, only GET refreshes', async () => {
  const { sessions, clock, request } = await start({ antiCsrf: 'token' })
  clock.advance(DAY)
  const guard = sessions.requireSession(() => new Response(), { refresh: true })
  const answers = [request('POST', PAGE), request('POST', SCRIPT), request('GET', PAGE)].map(async each => {
    const response = await guard(each)
    return [response.status, await response.text()]
  })
  expect(await Promise.all(answers)).toEqual([
    [401, '{"message":"unauthorised"}'], [401, '{"message":"try refresh token"}'], [200, ''],
  ])
})
