import { ensure, ensureEqual } from '../assert.ts'
import type { AppClient, AppReply } from './app-client.ts'
import { appCase, AT, CROSS_SITE, ensureUntouched, HOUR, login, RT, SAME_ORIGIN } from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'
import { APP_ORIGIN, LOGIN_PATH } from './fixture.ts'

const DAY = 24 * HOUR
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const PAGE = { accept: HTML, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const LINK = { ...PAGE, 'sec-fetch-site': 'same-origin' }
const FORM = { ...LINK, origin: APP_ORIGIN, referer: `${APP_ORIGIN}/gateway/page?edit=1` }
const FETCH = { accept: '*/*', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }

/** Where a browser is sent to log in, to come back to an address. */
const loginFor = (target: string): string => `${LOGIN_PATH}?returnTo=${encodeURIComponent(target)}`
const place = (reply: AppReply): readonly [status: number, location: string | null] => (
  [reply.status, reply.header('location')]
)
const open = (client: AppClient, headers: Readonly<Record<string, string>> = LINK, jar = true): Promise<AppReply> => (
  client.send('GET', '/page?a=b', { headers, jar })
)

/** Pages that the server renders, without a script that refreshes the session. */
export const pageCases: readonly FrameworkCase[] = [
  appCase('L-09: a page that is loaded a day later is shown, with new tokens; others cost no store call', 'pages',
    async app => {
      const client = app.client()
      await login(client)
      const old = [client.cookie(AT), client.cookie(RT)]
      await app.advance(DAY)
      await app.control({})
      const reply = await open(client)
      ensureEqual([reply.status, reply.body], [200, 'alice: '], 'the page')
      ensure(client.cookie(AT) !== old[0] && client.cookie(RT) !== old[1], 'the client has new tokens')
      ensureEqual(reply.header('cache-control'), 'private, no-store', 'not cached')
      ensureEqual((await app.control({})).calls, ['rotate'], 'store calls')
      const next = await open(client)
      ensureEqual(next.status, 200, 'the next page')
      ensureUntouched(next, 'the next page')
      ensureEqual((await app.control({})).calls, [], 'store calls of the next page')
    }),

  appCase('L-09: a form that is sent a day later reaches its handler, with its method and body', 'pages', async app => {
    const client = app.client()
    await login(client)
    await app.advance(DAY)
    const old = client.cookie(RT)
    for (const headers of [{ ...PAGE, ...CROSS_SITE }, { ...FORM, origin: 'null', 'sec-fetch-site': 'cross-site' }]) {
      const forged = await client.send('POST', '/page', { headers, body: 'text=forged' })
      ensureEqual(forged.status, 403, 'a form of another site')
      ensureUntouched(forged, 'a form of another site')
    }
    const reply = await client.send('POST', '/page', { headers: FORM, body: 'text=hello\r\n' })
    ensureEqual([reply.status, reply.body], [200, 'alice: text=hello\r\n'], 'the form')
    ensure(client.cookie(RT) !== old, 'the client has new tokens')
  }),

  appCase('L-09: page loads at the same time get the same tokens', 'pages', async app => {
    const client = app.client()
    await login(client)
    await app.advance(DAY)
    const tabs = Array.from({ length: 8 }, () => {
      const tab = app.client()
      tab.jar = client.jar
      return tab
    })
    const replies = await Promise.all(tabs.map((tab, index) => index % 4 === 0
      ? tab.send('POST', '/page', { headers: FORM, body: 'text=hello' })
      : open(tab)))
    ensureEqual(replies.map(({ status }) => status), tabs.map(() => 200), 'all tabs show their pages')
    ensureEqual(new Set(tabs.map(tab => tab.cookie(RT))).size, 1, 'with one refresh token')
    ensure(tabs[0]?.cookie(RT) !== client.cookie(RT), 'which is new')
  }),

  appCase('L-09: a link on another site shows the page; what another site loads refreshes nothing', 'pages', async app => {
    const client = app.client()
    await login(client)
    await app.advance(DAY)
    const site = { 'sec-fetch-site': 'cross-site' }
    for (const headers of [
      { ...LINK, ...site, 'sec-fetch-dest': 'iframe' }, { ...FETCH, ...CROSS_SITE },
      { ...FETCH, ...site, 'sec-fetch-mode': 'no-cors' },
    ]) {
      const reply = await open(client, headers)
      ensure(reply.status === 303 || reply.status === 401, `${JSON.stringify(headers)}: no page, but ${reply.status}`)
      ensureUntouched(reply, JSON.stringify(headers))
    }
    const old = client.cookie(RT)
    ensureEqual((await open(client, { ...LINK, ...site })).body, 'alice: ', 'the link')
    ensure(client.cookie(RT) !== old, 'the client has new tokens')
  }),

  appCase('L-09: without a session, a browser is sent to log in and may come back; a script gets JSON', 'pages', async app => {
    await app.control({})
    const client = app.client()
    for (const headers of [LINK, { ...LINK, 'sec-fetch-site': 'cross-site' }, { accept: HTML }]) {
      const reply = await open(client, headers)
      ensureEqual(place(reply), [303, loginFor('/gateway/page?a=b')], JSON.stringify(headers))
      ensureEqual(reply.header('cache-control'), 'private, no-store', 'not cached')
      ensureUntouched(reply, 'without a session')
    }
    const form = await client.send('POST', '/page', { headers: FORM, body: 'text=hello' })
    ensureEqual(place(form), [303, loginFor('/gateway/page?edit=1')], 'a form comes back to its page')
    for (const headers of [
      FETCH, { ...FETCH, accept: HTML }, { accept: 'application/json' }, { ...LINK, accept: '*/*' },
    ]) {
      const reply = await open(client, headers)
      ensureEqual(place(reply), [401, null], JSON.stringify(headers))
      // Some frameworks answer with a page of their own where a script asks for HTML.
      if (headers.accept !== HTML) ensureEqual(reply.member('message'), 'unauthorised', JSON.stringify(headers))
    }
    ensureEqual((await app.control({})).calls, [], 'store calls')
  }),

  appCase('L-09: after its session was revoked, a browser is sent to log in, at once and a day later', 'pages', async app => {
    for (const wait of [0, DAY]) {
      const client = app.client()
      const { handle } = await login(client)
      await app.control({ revoke: handle })
      await app.advance(wait)
      ensureEqual(place(await open(client)), [303, loginFor('/gateway/page?a=b')], 'sent to log in')
      ensureEqual([client.cookie(AT), client.cookie(RT)], [undefined, undefined], 'the tokens are cleared')
    }
  }),

  appCase('L-09: while the store is unavailable an expired page is not shown, and no token is lost', 'pages',
    async app => {
      const client = app.client()
      await login(client)
      await app.advance(DAY)
      await app.control({ storeDown: true })
      const reply = await open(client)
      // A handler behind a proxy that has tried to refresh gets no refresh token: there, the user is sent to log in.
      ensure(reply.status === 503 || reply.status === 303, `unavailable: no page, but ${reply.status}`)
      ensureUntouched(reply, 'unavailable')
      await app.control({ storeDown: false })
      ensureEqual((await open(client)).body, 'alice: ', 'later')
    }),

  appCase('L-09: a script\'s request is refreshed, too, and needs no header of its own', 'pages', async app => {
    const client = app.client()
    await login(client)
    await app.advance(DAY)
    ensureEqual((await open(client, { ...FETCH, ...SAME_ORIGIN })).body, 'alice: ', 'the answer')
  }),
]
