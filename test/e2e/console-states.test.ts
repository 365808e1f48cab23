import { describe, expect, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import { answerOf, press, problemsIn, rowsOf, untilRead } from './console-support/pages.ts'
import { runConsole } from './console-support/run-console.ts'
import { insertAll, sampleSessions } from './console-support/seed.ts'
import { memory } from './console-support/stores.ts'
import { browserPath } from './support/browser.ts'

const CROWD = 1100

describe.skipIf(browserPath === null)('the states of the console', () => {
  const running = runConsole(memory, store => {
    const now = Date.now()
    return insertAll(store, [
      ...sampleSessions(100, now),
      ...sampleSessions(CROWD, now).map((record, index) => ({
        ...record, userId: 'crowd', handle: createHandle('header', length => (
          Uint8Array.from({ length }, (_, place) => place < 2 ? index >> 8 * place & 255 : 7))),
      })),
    ])
  })

  test('CON-34: what takes long shows its shape, and nothing moves when it is there', async () => {
    const page = await running().pages.open('#/health')
    let answer = (): void => undefined
    const held = new Promise<void>(resolve => answer = resolve)
    await page.route('**/api/keys', async route => {
      await held
      await route.continue()
    })
    await page.getByRole('link', { name: 'Keys' }).click()
    await page.locator('.skeleton').waitFor()
    expect(await page.getByText('Loading').count()).toBe(1)
    expect(await problemsIn(page)).toEqual([])
    const heading = await page.locator('h1').boundingBox()
    answer()
    await page.getByRole('table', { name: 'Keys' }).waitFor()
    expect(await page.locator('.skeleton').count()).toBe(0)
    expect(await page.locator('h1').boundingBox()).toMatchObject({ x: heading?.x, y: heading?.y })
  })

  test('CON-34: if only a part can be read, the page shows that part', async () => {
    const page = await running().pages.open('#/users/ada')
    await page.route('**/api/sessions?*', route => route.fulfill({
      status: 500, json: { code: 'server_error', message: 'The request failed.' },
    }))
    await rowsOf(page, /Sessions of the user/).first().getByRole('link').click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    expect(await page.getByRole('button', { name: /^Revoke/ }).allTextContents()).toEqual(['Revoke this session…'])
    await page.goBack()
    await page.getByText('The sessions cannot be read.').waitFor()
    await page.unrouteAll()
    await press(page, 'Try again now')
    await expect.poll(() => rowsOf(page, /Sessions of the user/).count()).toBe(3)
  })

  test('CON-33: more sessions than are counted are called at least so many, and all are revoked', async () => {
    const page = await running().pages.open('#/users/crowd')
    expect(await answerOf(page)).toMatch(/^At least 1,000 sessions are active; /)
    await press(page, 'Revoke all (at least 1,000 sessions)…')
    const dialog = page.getByRole('dialog', { name: 'Revoke at least 1,000 sessions?' })
    await press(dialog, 'Revoke at least 1,000 sessions')
    await page.getByText('1,100 sessions of crowd were revoked.').first().waitFor()
    await untilRead(page)
    expect(await answerOf(page)).toBe('The user is not logged in.')
  })

  test('CON-34: an open page that nobody looks at stops reading, and goes on when somebody does', async () => {
    const page = await running().pages.open('#/nowhere')
    let readings = 0
    page.on('request', request => {
      if (request.url().endsWith('/api/overview')) readings++
    })
    await page.clock.install()
    await page.reload()
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await untilRead(page)
    await page.clock.runFor(60_000)
    await expect.poll(() => readings).toBeGreaterThan(3)
    await page.clock.runFor(300_000)
    const before = readings
    await page.clock.runFor(600_000)
    expect(readings).toBe(before)
    await page.mouse.move(10, 10)
    await page.mouse.move(200, 200)
    await page.clock.runFor(60_000)
    await expect.poll(() => readings).toBeGreaterThan(before)
  })
})
