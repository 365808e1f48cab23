import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createClientIn } from '../../src/client/create-client.ts'
import { isObject } from '../../src/client/front-token.ts'
import { Browser } from './support/browser.ts'

const ORIGIN = 'https://app.example.com'
const START = Date.UTC(2026, 0, 1)

/** A possible response of a server, valid or not. */
interface Answer {
  readonly status: number
  readonly front: string | null
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly delay: number
  readonly lost: boolean
}

function frontToken(uid: string, lifetime: number, serial: number): string {
  const iat = START / 1000
  return btoa(JSON.stringify({ uid, ate: START + lifetime, up: { sid: uid, iat, jti: serial } }))
}

const front = fc.oneof(
  fc.constantFrom(null, 'remove', '', 'malformed', btoa('null'), btoa('{}'), btoa('{"uid":"ada","ate":1,"up":{}}')),
  fc.tuple(fc.constantFrom('ada', 'bob'), fc.constantFrom(-1e9, 0, 1, 1000, 1e9, 1e15), fc.nat(3))
    .map(([uid, lifetime, serial]) => frontToken(uid, lifetime, serial)),
)

const busy = 'session service unavailable'
const messages = ['unauthorised', 'try refresh token', 'token theft detected', busy, 'x']

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.constantFrom(200, 200, 204, 401, 401, 401, 401, 403, 404, 429, 500, 503),
  front,
  body: fc.constantFrom('', '{}', '<html>', 'null', '[]', ...messages.map(message => JSON.stringify({ message }))),
  headers: fc.record({
    'retry-after': fc.constantFrom('0', '-1', '9e99', 'Wed, 21 Oct 2026 07:28:00 GMT', '2'),
    'anti-csrf': fc.constantFrom('', 'a', 'b'),
    'st-access-token': fc.constantFrom('', 'access'),
    'st-refresh-token': fc.constantFrom('', 'refresh'),
  }, { requiredKeys: [] }),
  delay: fc.constantFrom(0, 0, 1, 70),
  lost: fc.constantFrom(false, false, false, true),
})

const script = fc.record({
  answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
  mode: fc.constantFrom('cookie' as const, 'header' as const),
  locks: fc.boolean(),
  storage: fc.boolean(),
  stored: fc.option(fc.string()),
  calls: fc.array(fc.record({
    tab: fc.nat(2),
    pause: fc.constantFrom(0, 0, 1, 500, 40_000),
    what: fc.constantFrom('fetch', 'fetch', 'fetch', 'getSession', 'refresh', 'signOut', 'wake'),
  }), { minLength: 1, maxLength: 12 }),
})

test('whatever a server answers, a request is sent at most twice, and every call ends', async () => {
  await fc.assert(fc.asyncProperty(script, async ({ answers, mode, calls, stored, ...settings }) => {
    const sent = new Map<string, number>()
    let served = 0
    const browser = new Browser(async (input, init) => {
      const { pathname } = new URL(String(input), ORIGIN)
      sent.set(pathname, (sent.get(pathname) ?? 0) + 1)
      const { status, front, body, headers, delay, lost } = answers[served++ % answers.length] ?? expect.fail()
      await new Promise<void>(resolve => browser.after(delay, resolve))
      if (lost) throw new TypeError('Failed to fetch')
      if (init?.signal?.aborted) throw new TypeError('aborted')
      return new Response(status === 204 ? null : body, {
        status, headers: { ...headers, ...front === null ? {} : { 'front-token': front } },
      })
    }, START, settings)
    if (stored !== null) browser.disk.set('keyturn.https___app.example.com_auth', stored)
    const tabs = [0, 1, 2].map(() => browser.openTab())
    const clients = tabs.map(tab => createClientIn(tab, { mode }))

    let ended = 0
    for (const [index, { tab, pause, what }] of calls.entries()) {
      const client = clients[tab] ?? expect.fail()
      const call = {
        fetch: () => client.fetch(`/call/${index}`),
        getSession: () => client.getSession(),
        refresh: () => client.refresh(),
        signOut: () => client.signOut(),
        wake: async () => tabs[tab]?.wake(),
      }[what]
      const explain = (error: unknown): void => {
        const known = error instanceof TypeError || (isObject(error) && error['code'] === 'SESSION_UNAVAILABLE')
        if (!known) throw error
      }
      void Promise.resolve(call()).then(() => undefined, explain).then(() => ended++)
      await browser.pass(pause)
    }
    // Hidden tabs do not retry, so each call must end by itself.
    for (const tab of tabs) tab.visible = false
    await browser.pass(120_000)

    expect(ended).toBe(calls.length)
    for (const [path, times] of sent) if (path.startsWith('/call/')) expect(times).toBeLessThanOrEqual(2)
    const until = served
    await browser.pass(3_600_000)
    expect(served).toBe(until)
    clients.forEach(client => client.close())
  }), { numRuns: 300 })
})

test('whatever a server answers, a call refreshes once and once more per wait, and is sent at most twice', async () => {
  const answered = fc.array(answer, { minLength: 1, maxLength: 8 })
  const mode = fc.constantFrom('cookie' as const, 'header' as const)
  await fc.assert(fc.asyncProperty(answered, mode, async (answers, mode) => {
    let served = 0
    const log: string[] = []
    let waits = 0
    const browser = new Browser(async input => {
      const { status, front, body, headers, lost } = answers[served++ % answers.length] ?? expect.fail()
      log.push(new URL(String(input), ORIGIN).pathname)
      if (log.at(-1) === '/auth/session/refresh' && status === 503 && body.includes(busy)) waits++
      if (lost) throw new TypeError('Failed to fetch')
      return new Response(status === 204 ? null : body, {
        status, headers: { ...headers, ...front === null ? {} : { 'front-token': front } },
      })
    }, START)
    const tab = browser.openTab()
    tab.visible = false
    const client = createClientIn(tab, { mode })
    const record = (): string | undefined => browser.disk.get('keyturn.https___app.example.com_auth')
    for (let call = 0; call < 6; call++) {
      log.length = 0
      const before = record()
      waits = 0
      const ended = client.fetch('/call').catch(() => null)
      // Longer than two pauses that these responses can cause.
      await browser.pass(60_000)
      await ended
      const refreshes = log.filter(path => path === '/auth/session/refresh').length
      expect(refreshes).toBeLessThanOrEqual(Math.min(1 + waits, 3))
      const sent = log.length - refreshes
      expect(sent).toBeLessThanOrEqual(2)
      if (sent === 2) expect(record()).not.toBe(before)
    }
    client.close()
  }), { numRuns: 500 })
})
