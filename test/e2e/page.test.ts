import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unhurried } from './client-support/application.ts'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './support/browser.ts'
import { LIFETIME, startExample } from './support/example.ts'
import type { Example } from './support/example.ts'
import { logInElsewhere } from './support/outsider.ts'

// With the page's own module. It is text, because the test runner would transform an `import` here. The addresses
// differ, because Chromium sends requests for the same address one after the other.
const tenCalls = `import('/session.js').then(async ({ request }) => {
  const responses = await Promise.all(Array.from({ length: 10 }, (_, number) => request('/me?' + number)))
  return responses.map(({ status }) => status)
})`

describe.skipIf(browserPath === null)('the page of the example in Chromium', () => {
  let browser: Browser
  let example: Example
  const problems: string[] = []

  beforeAll(async () => {
    ;[browser, example] = await Promise.all([launchBrowser(), startExample({})])
  })

  afterAll(async () => {
    await browser?.close()
    await example?.stop()
    expect(problems).toEqual([])
  })

  /** Opens a page whose clock is the server's, and goes on from there. */
  async function open(profile: BrowserContext): Promise<Page> {
    const page = await profile.newPage()
    page.on('pageerror', error => problems.push(error.message))
    await page.clock.install({ time: example.now() })
    await page.addInitScript(unhurried)
    await page.goto(example.origin)
    return page
  }

  /** Logs in by typing, as a user with a session in no other tab. */
  async function logIn(name: string): Promise<Page> {
    const page = await open(await browser.newContext())
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('This browser').waitFor()
    return page
  }

  /** Lets the access tokens expire, for the server and for these pages. */
  async function expire(...pages: readonly Page[]): Promise<void> {
    await example.pass(LIFETIME + 1000)
    for (const page of pages) {
      await page.clock.fastForward(LIFETIME + 1000)
      await page.getByText('expired; the next call refreshes it').waitFor()
    }
  }

  async function secondsLeft(page: Page): Promise<number> {
    return Number(/^expires in (\d+) s$/.exec(await page.locator('#expiry').textContent() ?? '')?.[1])
  }

  function untilSignedOut(page: Page): Promise<void> {
    return page.getByRole('heading', { name: 'Log in' }).waitFor()
  }

  test('shows the session after login, counts down, refreshes at the next call', async () => {
    const page = await logIn('ada lovelace')
    expect(await page.locator('#user-id').textContent()).toBe('ada lovelace')
    await expect.poll(() => secondsLeft(page)).toBeGreaterThan(0)
    expect(await page.getByRole('progressbar').getAttribute('value')).toMatch(/^(1|0\.\d+)$/)
    const left = await secondsLeft(page)
    await page.clock.fastForward(10_000)
    await expect.poll(() => secondsLeft(page)).toBeLessThanOrEqual(left - 10)
    const handle = await page.locator('#handle').textContent()
    const refreshes = watchRefreshes(page.context())
    await expire(page)
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await page.getByText('answered for ada lovelace in').waitFor()
    expect(await refreshes.statuses()).toEqual([200])
    expect(await page.locator('#handle').textContent()).toBe(handle)
    await expect.poll(() => secondsLeft(page)).toBeGreaterThan(0)
  })

  test('refreshes once for the parallel calls of 2 tabs after expiry', async () => {
    const page = await logIn('grace')
    const other = await open(page.context())
    await other.getByText('This browser').waitFor()
    const refreshes = watchRefreshes(page.context())
    await expire(page, other)
    const statuses = await Promise.all([page, other].map(tab => tab.evaluate(tenCalls)))
    expect(statuses.flat()).toEqual(Array(20).fill(200))
    expect(await refreshes.statuses()).toEqual([200])
  })

  test('keeps the session when a page lets its refreshes race, round after round', async () => {
    const page = await logIn('donald')
    const refreshTokens = new Set<string | undefined>()
    for (let round = 0; round < 5; round++) {
      // More than the browser sends at once: the last ones go with what the first ones brought.
      expect(await page.evaluate(async round => {
        const refresh = (_: unknown, number: number): Promise<Response> =>
          fetch(`/auth/session/refresh?${round}.${number}`, { method: 'POST', headers: { rid: 'session' } })
        const responses = await Promise.all(Array.from({ length: 10 }, refresh))
        return responses.map(({ status }) => status)
      }, round)).toEqual(Array(10).fill(200))
      const cookies = await page.context().cookies(`${example.origin}/auth/session/refresh`)
      refreshTokens.add(cookies.find(({ name }) => name.startsWith('sRefreshToken-'))?.value)
    }
    expect([refreshTokens.size, refreshTokens.has(undefined)], 'one rotation').toEqual([1, false])
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await page.getByText('answered for donald in').waitFor()
  })

  test('changes the payload and the info, keeps them across a reload, and refuses invalid JSON', async () => {
    const page = await logIn('ada')
    const payload = page.getByRole('textbox', { name: 'JWT payload' })
    const info = page.getByRole('textbox', { name: 'Session info' })
    expect([await payload.inputValue(), await info.inputValue()]).toEqual(['{"role":"reader"}', '{"note":""}'])

    await payload.fill('no JSON')
    await page.locator('#payload button').click()
    expect(await payload.evaluate((field: HTMLTextAreaElement) => field.validationMessage)).toBe('This is not JSON')

    await payload.fill('{ "role": "writer" }')
    await page.locator('#payload button').click()
    await page.locator('#payload').getByText('changed at').waitFor()
    await info.fill('{ "note": "hello" }')
    await page.locator('#info button').click()
    await page.locator('#info').getByText('changed at').waitFor()

    await page.reload()
    await page.getByText('This browser').waitFor()
    expect([await payload.inputValue(), await info.inputValue()]).toEqual(['{"role":"writer"}', '{"note":"hello"}'])
  })

  test('lists the devices and revokes them', async () => {
    const page = await logIn('barbara')
    const device = await logInElsewhere(example.origin, 'barbara')
    const stranger = await logInElsewhere(example.origin, 'mallory')
    expect(await stranger.call('DELETE', `/devices/${await page.locator('#handle').textContent()}`)).toBe(404)

    await page.reload()
    const rows = page.locator('#devices li')
    await expect.poll(() => rows.allTextContents())
      .toEqual(Array(2).fill(expect.stringMatching(/^.+127\.0\.0\.1, since .+Revoke$/)))
    await rows.filter({ hasText: 'Firefox' }).getByRole('button').click()
    await expect.poll(() => rows.count()).toBe(1)
    expect(await device.call('GET', '/me')).toBe(401)
    expect(await stranger.call('GET', '/me')).toBe(200)

    await rows.filter({ hasText: 'This browser' }).getByRole('button').click()
    await untilSignedOut(page)
    expect(await copyCookies(page)).toBe('')
  })

  test('asks for a login at the next call after another device revoked the session', async () => {
    const page = await logIn('edsger')
    const device = await logInElsewhere(example.origin, 'edsger')
    expect(await device.call('DELETE', `/devices/${await page.locator('#handle').textContent()}`)).toBe(200)
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await untilSignedOut(page)
    expect(await copyCookies(page)).toBe('')
  })

  test('signs out, in all tabs', async () => {
    const page = await logIn('ada')
    const other = await open(page.context())
    await other.getByText('This browser').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await untilSignedOut(page)
    expect(await copyCookies(page)).toBe('')
    await untilSignedOut(other)
  })

  test('shows how the replay of an old refresh token is detected', async () => {
    const page = await logIn('alan')
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1000))
    await page.getByRole('button', { name: 'Replay an old refresh token' }).click()
    await page.getByText('The owner refreshes: the copied token is now the parent').waitFor()
    // The page waits for two reuse intervals of a brief session, and a little longer.
    await example.pass(2500)
    await page.clock.runFor(2500)
    await page.getByText('The thief presents it: 401 “token theft detected”.').waitFor()
    await page.getByText('The owner’s newest token: 401 “unauthorised”.').waitFor()
    expect(example.output()).toMatch(/^theft caught: session \S+ of alan$/m)
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await page.getByText('answered for alan in').waitFor()
    expect(await page.locator('#devices li').count()).toBe(1)
  })
})
