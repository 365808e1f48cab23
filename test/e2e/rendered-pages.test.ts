import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser } from './support/browser.ts'
import { startRenderedApplication } from './support/rendered-application.ts'
import type { RenderedApplication } from './support/rendered-application.ts'

const DAY = 86_400_000

describe.skipIf(browserPath === null)('pages that Express renders from templates, in Chromium', () => {
  let browser: Browser
  let app: RenderedApplication
  let profile: BrowserContext

  beforeAll(async () => {
    browser = await launchBrowser()
  })

  beforeEach(async () => {
    app = await startRenderedApplication()
    profile = await browser.newContext()
  })

  afterEach(async () => {
    await profile?.close()
    await app?.close()
  })

  afterAll(() => browser?.close())

  async function open(path: string): Promise<Page> {
    const page = await profile.newPage()
    await page.goto(app.origin + path)
    return page
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel('Name').fill('ada')
    await page.getByRole('button', { name: 'Log in' }).click()
  }

  const heading = (page: Page): Promise<string | null> => page.getByRole('heading').textContent()
  const address = (page: Page): string => page.url().slice(app.origin.length)

  test('L-09: a visitor logs in and comes back to the page that was asked for', async () => {
    const page = await open('/archive?year=2025&order=desc')
    expect([await heading(page), address(page)]).toEqual([
      'Log in', '/login?returnTo=%2Farchive%3Fyear%3D2025%26order%3Ddesc',
    ])
    await logIn(page)
    expect([await heading(page), address(page)]).toEqual(['Archive of ada, 2025', '/archive?year=2025&order=desc'])
  })

  test('L-09: nobody is sent to another site after the login', async () => {
    for (const target of ['//evil.example', '/\\evil.example']) {
      const page = await open(`/login?returnTo=${encodeURIComponent(target)}`)
      await logIn(page)
      expect([await heading(page), address(page)], target).toEqual(['Notes of ada', '/notes'])
    }
  })

  test('L-09: a link and a form work a day later, each on the first try', async () => {
    const page = await open('/login')
    await logIn(page)
    app.clock.advance(DAY)
    await page.getByRole('link', { name: 'Archive' }).click()
    expect([await heading(page), app.refreshes]).toEqual(['Archive of ada, 2025', ['rotate']])
    await page.getByRole('link', { name: 'Notes' }).click()
    await page.getByLabel('Note').fill('written <today>')
    app.clock.advance(DAY)
    await page.getByRole('button', { name: 'Add' }).click()
    expect([address(page), await page.locator('#notes').textContent()]).toEqual(['/notes', 'written <today>'])
    expect(app.refreshes).toEqual(['rotate', 'rotate'])
  })

  test('L-09: tabs that load at once a day later keep the session, for days', async () => {
    const first = await open('/login')
    await logIn(first)
    const others = await Promise.all(Array.from({ length: 4 }, () => open('/archive?year=2024')))
    for (let day = 0; day < 3; day++) {
      app.clock.advance(DAY)
      await Promise.all([first, ...others].map(page => page.reload()))
      expect(await Promise.all([first, ...others].map(heading))).toEqual([
        'Notes of ada', ...others.map(() => 'Archive of ada, 2024'),
      ])
    }
    expect(app.refreshes.filter(how => how === 'rotate')).toHaveLength(3)
  })

  test('L-09: after a logout in another tab, a link leads to the login, and from there to its page', async () => {
    const page = await open('/login')
    await logIn(page)
    const other = await open('/notes')
    await other.getByRole('button', { name: 'Log out' }).click()
    expect([await heading(other), await copyCookies(other)]).toEqual(['Log in', ''])
    const answer = await page.evaluate(async () => {
      const response = await fetch('/notes')
      return [response.status, await response.text()]
    })
    expect(answer).toEqual([401, '{"message":"unauthorised"}'])
    await page.getByRole('link', { name: 'Archive' }).click()
    expect(await heading(page)).toBe('Log in')
    await logIn(page)
    expect([await heading(page), address(page)]).toEqual(['Archive of ada, 2025', '/archive?year=2025&order=desc'])
  })

  test('L-09: a form of a user who has logged out elsewhere leads to the login, and back to the form', async () => {
    const page = await open('/login')
    await logIn(page)
    const other = await open('/notes')
    await other.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Note').fill('too late')
    await page.getByRole('button', { name: 'Add' }).click()
    expect(address(page)).toBe('/login?returnTo=%2Fnotes')
    await logIn(page)
    expect([await heading(page), await page.locator('#notes').textContent()]).toEqual(['Notes of ada', ''])
  })
})
