import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './support/browser.ts'
import { startExample } from './support/example.ts'
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
    ;[browser, example] = await Promise.all([launchBrowser(), startExample({ ACCESS_TOKEN_VALIDITY: '3' })])
  })

  afterAll(async () => {
    await browser?.close()
    await example?.stop()
    expect(problems).toEqual([])
  })

  async function open(profile: BrowserContext, origin = example.origin): Promise<Page> {
    const page = await profile.newPage()
    page.on('pageerror', error => problems.push(error.message))
    await page.goto(origin)
    return page
  }

  /** Logs in by the form, with no session in another tab. */
  async function logIn(name: string, origin = example.origin): Promise<Page> {
    const page = await open(await browser.newContext(), origin)
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('This browser').waitFor()
    return page
  }

  function untilExpired(page: Page): Promise<void> {
    return page.getByText('expired; the next call refreshes it').waitFor()
  }

  function untilSignedOut(page: Page): Promise<void> {
    return page.getByRole('heading', { name: 'Log in' }).waitFor()
  }

  test.concurrent('shows the session after login, counts down, refreshes at the next call', async ({ expect }) => {
    const page = await logIn('ada lovelace')
    expect(await page.locator('#user-id').textContent()).toBe('ada lovelace')
    await expect.poll(() => page.locator('#expiry').textContent()).toMatch(/^expires in [123] s$/)
    expect(await page.getByRole('progressbar').getAttribute('value')).toMatch(/^(1|0\.\d+)$/)
    const handle = await page.locator('#handle').textContent()
    const refreshes = watchRefreshes(page.context())
    await untilExpired(page)
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await page.getByText('answered for ada lovelace in').waitFor()
    expect(await refreshes.statuses()).toEqual([200])
    expect(await page.locator('#handle').textContent()).toBe(handle)
    await expect.poll(() => page.locator('#expiry').textContent()).toMatch(/^expires in [123] s$/)
  })

  test.concurrent('refreshes once for the parallel calls of 2 tabs after expiry', async ({ expect }) => {
    const page = await logIn('grace')
    const tabs = [page, await open(page.context())]
    await tabs[1]?.getByText('This browser').waitFor()
    const refreshes = watchRefreshes(page.context())
    await Promise.all(tabs.map(untilExpired))
    const statuses = await Promise.all(tabs.map(tab => tab.evaluate(tenCalls)))
    expect(statuses.flat()).toEqual(Array(20).fill(200))
    expect(await refreshes.statuses()).toEqual([200])
  })

  test('keeps the session if a page sends concurrent refreshes, round after round', async () => {
    // A reuse interval of 12 s: all calls of a round reach the server within it, even on a busy machine.
    const usual = await startExample({})
    try {
      const page = await logIn('donald', usual.origin)
      const refreshTokens = new Set<string | undefined>()
      for (let round = 0; round < 5; round++) {
        // More requests than the browser sends at once: the last ones carry the tokens that the first ones received.
        expect(await page.evaluate(async round => {
          const refresh = (_: unknown, number: number): Promise<Response> =>
            fetch(`/auth/session/refresh?${round}.${number}`, { method: 'POST', headers: { rid: 'session' } })
          const responses = await Promise.all(Array.from({ length: 10 }, refresh))
          return responses.map(({ status }) => status)
        }, round)).toEqual(Array(10).fill(200))
        const cookies = await page.context().cookies(`${usual.origin}/auth/session/refresh`)
        refreshTokens.add(cookies.find(({ name }) => name === 'sRefreshToken')?.value)
      }
      expect([refreshTokens.size, refreshTokens.has(undefined)], 'one rotation').toEqual([1, false])
      await page.getByRole('button', { name: 'Call a protected route' }).click()
      await page.getByText('answered for donald in').waitFor()
    } finally {
      await usual.stop()
    }
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
    await page.getByRole('button', { name: 'Replay an old refresh token' }).click()
    await page.getByText('The thief presents it: 401 “token theft detected”.').waitFor()
    await page.getByText('The owner’s newest token: 401 “unauthorised”.').waitFor()
    expect(example.output()).toMatch(/^theft caught: session \S+ of alan$/m)
    await page.getByRole('button', { name: 'Call a protected route' }).click()
    await page.getByText('answered for alan in').waitFor()
    expect(await page.locator('#devices li').count()).toBe(1)
  })
})
