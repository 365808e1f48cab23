import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { browserPath, launchBrowser } from '../e2e/support/browser.ts'
import { APP_ORIGIN } from '../../src/testing/framework-contract/fixture.ts'
import { ConsoleClient } from '../support/console-client.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import type { RunningApp } from '../support/serve-web.ts'
import {
  prepareContractApp, prepareExample, startContractApp, startExampleApp,
} from './support/example-app.ts'
import type { Reply } from '../support/http-client.ts'
import type { ExampleApp } from './support/example-app.ts'
import { PageBrowser, stateOf } from './support/page-browser.ts'
import { expire, serverRenderingTests } from './support/server-rendering.ts'

const start = ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1']

let isPrepared = false
function prepare(): void {
  if (!isPrepared) prepareContractApp('next')
  isPrepared = true
}

runFrameworkContract('Next.js', variant => startContractApp('next', start, variant), prepare)

describe('CON-21: the console in a route handler of Next.js', () => {
  let app: RunningApp
  let client: ConsoleClient

  beforeAll(async () => {
    prepare()
    app = await startContractApp('next', start, 'plain')
    client = new ConsoleClient(`${APP_ORIGIN}/console`, (url, init) => (
      fetch(url.replace(APP_ORIGIN, `http://127.0.0.1:${app.port}`), init)
    ))
  })
  afterAll(() => app?.close())

  test('serves the pages and their files, at a path with a slash', async () => {
    const moved = await client.call('GET', '')
    expect([moved.status, moved.headers.get('location')]).toEqual([308, 'console/'])
    const page = await client.call('GET', '/')
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("default-src 'none'")])
    const [script = ''] = /assets\/[^"]+\.js/.exec(page.text) ?? []
    expect((await client.call('GET', `/${script}`)).headers.get('content-type')).toContain('text/javascript')
  })

  test('serves the API, to whom authorize accepts, and reads bodies', async () => {
    expect((await client.get('/me')).status).toBe(401)
    const headers = { 'x-operator': 'manager' }
    const me = await client.get('/me', { headers })
    expect(me.json).toMatchObject({ name: 'ada', login: 'embedded' })
    client.token = String(me.json['changeToken'])
    const revoked = await client.call('POST', '/api/revocations', { headers, body: { userId: 'nobody' } })
    expect([revoked.status, revoked.json]).toEqual([200, { revoked: 0 }])
    const put = { headers, body: { value: {}, version: 0 } }
    expect((await client.call('PUT', '/api/sessions/hAAAAAAAAAAAAAAAAAAAAAA/info', put)).status).toBe(404)
    expect((await client.call('DELETE', '/api/sessions/hAAAAAAAAAAAAAAAAAAAAAA', { headers })).status).toBe(404)
    expect((await client.get('/events/export?kind=audit&format=csv', { headers })).headers.get('content-type')).toContain('text/csv')
  })
})

describe('Next.js, built by next build', () => {
  let app: ExampleApp

  beforeAll(async () => {
    prepareExample('next')
    app = await startExampleApp('next', start)
  }, 300_000)

  afterAll(() => app?.stop())

  serverRenderingTests(() => app)

  test.skipIf(browserPath === null)(
    'B-04: in Chromium, the badge shows the login and the logout of a server action, also after a full page load',
    async () => {
      const browser = await launchBrowser()
      try {
        const page = await browser.newPage()
        const refreshes: string[] = []
        // A reload may cut one off, which the page then repeats.
        page.on('requestfinished', request => request.url().endsWith('/session/refresh') && refreshes.push(request.url()))
        const badge = (): Promise<string | null> => page.locator('#badge').textContent()
        await page.goto(app.origin)
        await expect.poll(badge).toBe('signed-out')
        await page.getByRole('button', { name: 'log in' }).click()
        await expect.poll(badge).toBe('signed-in ada reader')
        await page.getByRole('button', { name: 'become editor' }).click()
        await expect.poll(badge).toBe('signed-in ada editor')
        await page.reload()
        await expect.poll(badge).toBe('signed-in ada editor')
        await page.getByRole('button', { name: 'log out' }).click()
        await expect.poll(badge).toBe('signed-out')
        await page.reload()
        await expect.poll(badge).toBe('signed-out')
        await expect.poll(() => page.evaluate(() => localStorage.length)).toBeGreaterThan(0)
        expect(refreshes.length, app.output()).toBeLessThanOrEqual(3)
      } finally {
        await browser.close()
      }
    },
  )

  test('HDR-01: a page that was rendered at build time is not cached with the tokens', async () => {
    const browser = new PageBrowser(app)
    await browser.post('/api/me')
    await expire(app)
    const page = await browser.open('/static')
    expect(stateOf(page), app.output()).toBe('rendered when it was built')
    expect(page.setCookies.map(line => line.split('=')[0]))
      .toContain(defaultCookieNames(new URL(app.origin)).refreshToken)
    expect(page.headers['cache-control']).toBe('private, no-store')
    expect((await browser.open('/static')).headers['cache-control']).toContain('s-maxage')
  })

  test('L-24: a page of the default template is prerendered, and the session is streamed into it', async () => {
    const browser = new PageBrowser(app)
    await browser.post('/api/me')
    const page = await browser.open()
    expect(page.headers['x-nextjs-postponed'] ?? page.headers['x-nextjs-prerender'], 'has a prerendered shell')
      .toBe('1')
    expect(stateOf(page)).toMatch(/^active grace reader /)
  })

  test('L-24: a prefetch with the cookies of a session reads no time, and contains no session', async () => {
    const browser = new PageBrowser(app)
    await browser.post('/api/me')
    const before = app.output()
    const headers = {
      ...browser.fromPage, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', rsc: '1', 'next-router-prefetch': '2',
    }
    // Next.js redirects to an address with a digest of these headers, which its router computes itself.
    const address = (await browser.open('/', headers)).headers['location'] ?? '/'
    const prefetched = await browser.open(address, headers)
    expect([prefetched.status, prefetched.headers['content-type']]).toEqual([200, 'text/x-component'])
    expect(prefetched.body).not.toContain('active grace')
    expect(app.output()).toBe(before)
  })

  test.each(['become editor', 'log out'])('L-24: the action "%s" without a session redirects to the login page',
    async button => {
      const browser = new PageBrowser(app)
      await browser.post('/api/me')
      const at = '/?page=2'
      const page = await browser.open(at)
      browser.client.jar = []
      const refused = await browser.submit(page, button, {}, at)
      const loginPage = '/login?returnTo=%2F%3Fpage%3D2'
      expect([refused.status, refused.headers['location']], app.output()).toEqual([303, loginPage])
      const login = await browser.open(loginPage)
      const entered = await browser.submit(login, 'log in', { userId: 'ada' }, loginPage)
      expect([entered.status, entered.headers['location']]).toEqual([303, at])
      expect(stateOf(await browser.open(at))).toMatch(/^active ada reader /)
    })

  test('L-24: an action without a session that a script calls redirects to the login page', async () => {
    const browser = new PageBrowser(app)
    await browser.post('/api/me')
    const [, id = ''] = /name="\$ACTION_ID_([0-9a-f]+)"/.exec((await browser.open()).body) ?? []
    browser.client.jar = []
    const reply = await browser.call(id, '/')
    // The answer contains the page to which Next.js sends the browser.
    expect([reply.status, reply.headers['x-action-redirect']]).toEqual([200, '/login?returnTo=%2F;push'])
    expect([reply.headers['content-type'], reply.body])
      .toEqual(['text/x-component', expect.stringContaining('returnTo')])
  })

  test('L-24: a login in an action costs no refresh afterwards', async () => {
    for (const before of ['no session', 'a session', 'an expired session']) {
      const browser = new PageBrowser(app)
      const names = defaultCookieNames(new URL(app.origin))
      const tokensIn = ({ setCookies }: Reply): number => (
        setCookies.filter(line => line.startsWith(`${names.refreshToken}=`)).length
      )
      const start = await browser.open('/login')
      if (before !== 'no session') await browser.post('/api/me')
      if (before === 'an expired session') await expire(app)
      const entered = await browser.submit(start, 'log in', { userId: 'ada' }, '/login')
      expect(entered.status, before).toBe(303)
      const after = [await browser.open('/'), await browser.open('/api/me'), await browser.open('/login')]
      expect(stateOf(after[0] ?? entered), before).toMatch(/^active ada reader /)
      expect(after.map(tokensIn), before).toEqual([0, 0, 0])
    }
  })
})
