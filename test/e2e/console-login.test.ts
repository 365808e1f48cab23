import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MANAGER_KEY, READER_KEY, startConsoleServer } from '../support/console-server.ts'
import type { ConsoleServer } from '../support/console-server.ts'
import { answerOf, ConsolePages, press, problemsIn, rowsOf, spoken, untilRead } from './console-support/pages.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

describe.skipIf(browserPath === null)('the console of the standalone server', () => {
  let browser: Browser
  let console: ConsoleServer
  let pages: ConsolePages

  beforeAll(async () => {
    ;[browser, console] = await Promise.all([launchBrowser(), startConsoleServer()])
    pages = new ConsolePages(browser, { origin: console.server.url, url: `${console.server.url}/console/` })
    for (const userId of ['ada', 'ada', 'grace']) await console.login(userId)
  })

  afterAll(async () => {
    await browser?.close()
    await console?.server.close()
    expect(pages.problems).toEqual([])
  })

  const logIn = async (hash: string, key: string): ReturnType<ConsolePages['open']> => {
    const page = await pages.open(hash, null)
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    await untilRead(page)
    return page
  }

  test('an API key opens it, at the page that the address names', async () => {
    const page = await logIn('#/users/ada', MANAGER_KEY)
    expect(await answerOf(page)).toMatch(/^2 sessions are active; /)
    await page.getByText('ada may change').waitFor()
    // Nothing of the key is in the browser but the cookies of the console session, which no script can read.
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie])))
      .toBe('[{},{},""]')
    const cookies = await page.context().cookies()
    expect(cookies.length).toBeGreaterThan(0)
    expect(cookies.filter(({ httpOnly, sameSite, value }) => (
      !httpOnly || sameSite !== 'Strict' || value.includes(MANAGER_KEY)))).toEqual([])
    await press(page, 'Log out')
    await page.getByLabel('API key').waitFor()
    await expect.poll(() => spoken(page)).toContain('Logged out of the console.')
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Log in to the console')
    await page.reload()
    await page.getByLabel('API key').waitFor()
  })

  test('CON-23: keys that are not encrypted are a warning, with the command that mends it', async () => {
    const page = await logIn('#/keys', MANAGER_KEY)
    const warning = page.getByRole('list', { name: 'Findings' }).getByRole('listitem')
    await warning.getByText('read access to the store is enough to forge access tokens').waitFor()
    expect(await warning.locator('code').allTextContents()).toEqual(['secret', '--secret', 'keyturn keys encrypt'])
    expect(await page.locator('main').textContent()).not.toContain('`')
    expect(await problemsIn(page)).toEqual([])
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await page.getByText('Signing keys are not encrypted at rest.').waitFor()
  })

  test('a session of an unknown device is one', async () => {
    await console.login('nameless')
    const page = await logIn('#/users/nameless', MANAGER_KEY)
    expect(await answerOf(page)).toMatch(/^1 session is active; the last refresh was .* from an unknown device\.$/)
  })

  test('CON-32: a key with the role read offers no change', async () => {
    const page = await logIn('#/users/ada', READER_KEY)
    await page.getByText('rae reads only').waitFor()
    expect(await page.getByRole('button', { name: /Revoke/ }).count()).toBe(0)
    await rowsOf(page, /Sessions of the user/).first().getByRole('link').click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    expect(await page.getByRole('button', { name: /Revoke|Edit/ }).count()).toBe(0)
  })

  test('a revocation ends a session of the server', async () => {
    const { refreshToken } = await console.login('leaver')
    const page = await logIn('#/users/leaver', MANAGER_KEY)
    await press(page, 'Revoke 1 session…')
    await press(page.getByRole('dialog', { name: 'Revoke 1 session?' }), 'Revoke 1 session')
    await expect.poll(() => answerOf(page)).toBe('The user is not logged in.')
    expect(await console.native('POST', '/v1/sessions/refresh', { refreshToken })).not.toHaveProperty('accessToken')
  })

  test('CON-34: a console session that has ended leads back to where it was', async () => {
    const page = await logIn('#/users/ada', MANAGER_KEY)
    console.clock.advance(16 * 60_000)
    await page.getByRole('link', { name: 'Keys' }).click()
    await page.getByText('Your console session has ended.').waitFor()
    expect(await problemsIn(page)).toEqual([])
    await page.getByLabel('API key').fill(MANAGER_KEY)
    await press(page, 'Log in')
    await page.getByRole('table', { name: 'Keys' }).waitFor()
  })

  test('a wrong key is refused, and too many are delayed', async () => {
    const page = await pages.open('#/', null)
    await press(page, 'Log in')
    await page.getByText('Enter an API key.').first().waitFor()
    const field = page.getByLabel('API key')
    await field.fill('not-a-key-at-all-0000000')
    await press(page, 'Log in')
    await page.locator('#api-key-problem').getByText('This is no API key of the console.').waitFor()
    expect(await problemsIn(page)).toEqual([])
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe('api-key')
    await expect.poll(() => spoken(page)).toContain('This is no API key of the console.')
    await expect.poll(async () => {
      await press(page, 'Log in')
      return page.locator('#api-key-problem').textContent()
    }).toMatch(/There were too many attempts/)
  })
})
