import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { nodeExchange } from '../../src/frameworks/node-exchange.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

// The headers that Chromium really sends about the origin of a request, and how Keyturn treats them. The application's
// pages are on localhost; pages on 127.0.0.1 are another site.

describe.skipIf(browserPath === null)('the origin of a request in Chromium', () => {
  const servers: Server[] = []
  let browser: Browser
  let own: string
  let other: string
  let ahead = 0
  /** The statuses of the answers to logins. */
  const logins: number[] = []
  /** `Origin` and `Sec-Fetch-Site` of the last request to `/act` or `/page`. */
  let said: readonly (string | undefined)[] = []

  beforeAll(async () => {
    browser = await launchBrowser()
    own = await listen(request => serveOwn(request), 'localhost')
    other = await listen(() => async (_, response) => html(response, `
      <form method="post" action="${own}/act"></form>
      <a href="${own}/page">link</a>
      <iframe src="${own}/page"></iframe>`), '127.0.0.1')
  })

  afterAll(async () => {
    await browser?.close()
    for (const server of servers) server.close()
  })

  async function listen(route: (request: IncomingMessage) => Handler, host: string): Promise<string> {
    const listener: RequestListener = (request, response) => void route(request)(request, response)
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `http://${host}:${(server.address() as AddressInfo).port}`
  }

  type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>
  let sessions: ReturnType<typeof create> | null = null

  function create() {
    return nodeSessions(createSessions({
      origin: own, store: createMemoryStore(), cookie: { refreshTokenPath: '/' }, clock: () => Date.now() + ahead,
    }))
  }

  function serveOwn(request: IncomingMessage): Handler {
    const app = sessions ??= create()
    if (request.url === '/act' || request.url === '/page') {
      said = [request.headers.origin, request.headers['sec-fetch-site']?.toString()]
    }
    switch (request.url) {
      case '/act': return async (_, response) => {
        try {
          html(response, (await app.getSession(request, response)).getUserId())
        } catch (error) {
          app.errorHandler()(error, request, response)
        }
      }
      case '/page': return async (_, response) => {
        const { reading } = await app.http.refreshBeforeRender(nodeExchange(request, response))
        html(response, reading.kind)
      }
      case '/login':
      case '/callback': return async (_, response) => {
        response.once('finish', () => logins.push(response.statusCode))
        try {
          await app.createNewSession(request, response, {
            userId: 'ada', allowCrossSitePost: request.url === '/callback',
          })
          html(response, 'in')
        } catch (error) {
          app.errorHandler()(error, request, response)
        }
      }
      default: return async (_, response) => {
        // The default of helmet.
        response.setHeader('referrer-policy', 'no-referrer')
        html(response, '<form method="post" action="/act"></form>')
      }
    }
  }

  function html(response: ServerResponse, body: string): void {
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html><title>x</title><main>${body}</main>`)
  }

  async function loggedIn(): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${own}/login`)
    return page
  }

  async function submit(page: Page): Promise<number | undefined> {
    const answer = page.waitForResponse(`${own}/act`)
    await page.evaluate('document.forms[0].submit()')
    return (await answer).status()
  }

  test('S-18: a form of the application’s own page passes, even with no-referrer and so without origin', async () => {
    const page = await loggedIn()
    await page.goto(`${own}/form`)
    expect(await submit(page)).toBe(200)
    expect(said).toEqual(['null', 'same-origin'])
  })

  test('S-18: a form of another site is sent without the session', async () => {
    const page = await loggedIn()
    await page.goto(`${other}/`)
    // Its cookies are SameSite=Lax, so that Chromium does not send them.
    expect(await submit(page)).toBe(401)
    expect(said).toEqual([other, 'cross-site'])
  })

  test('S-20: a link on another site shows the user logged in after the access token has expired', async () => {
    const page = await loggedIn()
    const before = await page.context().cookies()
    ahead += 3_600_000
    await page.goto(`${other}/`)
    await page.frameLocator('iframe').getByText('none').waitFor()
    expect(await page.context().cookies(), 'a frame changes nothing').toEqual(before)
    await page.getByRole('link').click()
    await page.getByText('active').waitFor()
    expect(said).toEqual([undefined, 'cross-site'])
  })

  test('L-01: another site can log in by a link, not by a frame, an image or a script', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${other}/`)
    const tricks = [
      `document.body.append(Object.assign(document.createElement('iframe'), { src: '${own}/login' }))`,
      `new Image().src = '${own}/login'`,
      `void fetch('${own}/login', { mode: 'no-cors', credentials: 'include' })`,
    ]
    for (const trick of tricks) {
      logins.length = 0
      await page.evaluate(trick)
      // Chromium hides some of these responses from the page and from its driver.
      await expect.poll(() => logins, { message: trick }).toEqual([403])
    }
    const { accessToken } = defaultCookieNames(new URL(own))
    expect((await context.cookies()).map(({ name }) => name)).not.toContain(accessToken)
    const answer = page.waitForResponse(`${own}/login`)
    await page.evaluate(`location.href = '${own}/login'`)
    expect((await answer).status()).toBe(200)
    expect((await context.cookies()).map(({ name }) => name)).toContain(accessToken)
  })

  test.each([['/login', 403], ['/callback', 200]])('L-01: a form of another site, to %s: %i', async (path, status) => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${other}/`)
    const answer = page.waitForResponse(own + path)
    await page.evaluate(`document.forms[0].action = '${own}${path}'; document.forms[0].submit()`)
    expect((await answer).status()).toBe(status)
  })
})
