import type { BrowserContextOptions, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import { answerOf, press, problemsIn, rowsOf, spoken, untilRead } from './console-support/pages.ts'
import { runConsole } from './console-support/run-console.ts'
import { hostileSessions, insertAll, insertTheft, sampleSessions } from './console-support/seed.ts'
import { memory } from './console-support/stores.ts'
import { browserPath } from './support/browser.ts'
import { describeFocus, tabTo } from './support/focus.ts'

/** 1280 pixels at 200 % zoom leave 640 for the page. */
const looks: readonly (BrowserContextOptions & { readonly look: string })[] = [
  { look: 'light', colorScheme: 'light' },
  { look: 'dark', colorScheme: 'dark' },
  { look: 'forced colours', forcedColors: 'active' },
  { look: '200 % zoom', viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
]

describe.skipIf(browserPath === null)('the accessibility of the console', () => {
  const running = runConsole(memory, async store => {
    const now = Date.now()
    await insertAll(store, [...sampleSessions(500, now), ...hostileSessions(now)])
    for (const [index, { userId, handle }] of sampleSessions(3, now).entries()) {
      await insertTheft(store, { userId, handle, at: now - index * 3_600_000, apart: 90_000, generation: 4 })
    }
  })

  const addresses = [
    '#/', '#/sessions', '#/sessions?user=nobody', '#/users/ada', '#/thefts', '#/audit', '#/keys', '#/inspector',
    '#/health', '#/nowhere',
  ]

  async function openSession(page: Page): Promise<void> {
    await running().pages.go(page, '#/users/ada')
    await rowsOf(page, /Sessions of the user/).first().getByRole('link').click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
  }

  test.each(looks)('CON-35: axe finds nothing on any page: $look', async ({ look, ...options }) => {
    const page = await running().pages.open('#/', 'manage', options)
    for (const address of addresses) {
      await running().pages.go(page, address)
      expect(await problemsIn(page), `${address}, ${look}`).toEqual([])
    }
  })

  test.each(looks)('CON-35: axe finds nothing in any state: $look', async ({ look, ...options }) => {
    const page = await running().pages.open('#/', 'manage', options)
    // One of them: axe looks at each cell, and all tables have thousands.
    await press(page, /^Table of “How many log in/)
    await page.locator('.plot table').first().waitFor()
    expect(await problemsIn(page), `a table, ${look}`).toEqual([])
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    expect(await problemsIn(page), 'shortcuts').toEqual([])
    await page.keyboard.press('Escape')
    await openSession(page)
    expect(await problemsIn(page), 'a session').toEqual([])
    await press(page, 'Edit the JWT payload')
    await page.locator('#payload-text').fill('[1]')
    await press(page, 'Save the JWT payload')
    await page.locator('#payload-problem').waitFor()
    expect(await problemsIn(page), 'a refused change').toEqual([])
    await press(page, 'Revoke this session…')
    expect(await problemsIn(page), 'a question').toEqual([])
  })

  test.each(looks)('CON-35: axe finds nothing where nobody is let in: $look', async ({ look, ...options }) => {
    const page = await running().pages.open('#/', null, options)
    await page.getByText('It did not let you in.').waitFor()
    expect(await problemsIn(page), look).toEqual([])
  })

  test('CON-35: a session is found, read and revoked with the keyboard alone', async () => {
    const handle = createHandle('header', length => new Uint8Array(length).fill(200))
    const [record] = sampleSessions(1, Date.now())
    if (record === undefined) throw new Error('there is no sample')
    await insertAll(running().opened.store, [{ ...record, handle, userId: 'keyboard' }])
    const page = await running().pages.open('#/')
    await page.keyboard.press('Tab')
    expect((await describeFocus(page))[0]).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await describeFocus(page))[0]).toBe('Overview')
    await page.keyboard.press('/')
    await page.keyboard.type('keyboard')
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await describeFocus(page))[0]).toBe('Sessions')
    await untilRead(page)
    await page.keyboard.press('j')
    await expect.poll(async () => (await describeFocus(page))[0]).toMatch(/ session h/)
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await describeFocus(page))[0]).toMatch(/^Session/)
    await untilRead(page)
    await tabTo(page, /^Revoke this session…$/)
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await describeFocus(page))[0]).toBe('Cancel')
    await page.keyboard.press('Tab')
    expect((await describeFocus(page))[0]).toBe('Revoke 1 session')
    await page.keyboard.press('Enter')
    await expect.poll(() => answerOf(page)).toMatch(/was revoked\.$/)
    await expect.poll(async () => (await describeFocus(page))[0]).toMatch(/^Session/)
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await expect.poll(async () => (await describeFocus(page))[0]).toBe('Audit')
  })

  test('CON-35: single keys can be turned off, and type in fields', async () => {
    const page = await running().pages.open('#/sessions')
    await page.getByLabel('User id', { exact: true }).fill('')
    await page.keyboard.type('?/t')
    expect(await page.getByLabel('User id', { exact: true }).inputValue()).toBe('?/t')
    await page.locator('h1').focus()
    await page.keyboard.press('?')
    await page.getByRole('checkbox', { name: 'Single keys are shortcuts' }).uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('CON-35: changes are announced in one live region', async () => {
    const page = await running().pages.open('#/sessions')
    expect(await page.locator('[aria-live], [role=status], [role=alert], [role=log]').count()).toBe(1)
    await expect.poll(() => spoken(page)).toContain('50 sessions on this page.')
  })

  test('CON-35: a screen reader finds the landmarks and the headings in order', async () => {
    const page = await running().pages.open('#/')
    const landmarks = ['banner', 'navigation', 'search', 'main'] as const
    for (const landmark of landmarks) expect(await page.getByRole(landmark).count(), landmark).toBe(1)
    for (const address of addresses) {
      await running().pages.go(page, address)
      const levels = await page.locator('h1, h2, h3').evaluateAll(all => all.map(({ tagName }) => Number(tagName[1])))
      expect(levels[0], address).toBe(1)
      expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1), address).toEqual([])
    }
  })

  test('CON-35: all buttons and fields of a page have different names', async () => {
    const page = await running().pages.open('#/')
    for (const address of [...addresses, '#/users/many']) {
      await running().pages.go(page, address)
      const names = await page.locator('button:visible').evaluateAll(all => all.map(button => (
        button.getAttribute('aria-label') ?? button.textContent)))
      expect(names.filter((name, index) => names.indexOf(name) !== index), address).toEqual([])
    }
  })

  test.each([320, 768, 1024, 1920])('CON-35: nothing overflows at %d pixels, whatever the texts are', async width => {
    const page = await running().pages.open('#/', 'manage', { viewport: { width, height: 800 } })
    const texts = hostileSessions(0).map(({ userId }) => userId).filter(text => width === 320 || text.length > 50)
    for (const address of [...addresses, ...texts.map(text => `#/sessions?user=${encodeURIComponent(text)}`)]) {
      await running().pages.go(page, address)
      expect(await page.evaluate(() => document.documentElement.scrollWidth), address).toBeLessThanOrEqual(width)
    }
    await openSession(page)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  })

  test('CON-35: stands still for who prefers reduced motion', async () => {
    const page = await running().pages.open('#/', 'manage', { reducedMotion: 'reduce' })
    const durations = await page.evaluate(() => [...document.querySelectorAll('*')].flatMap(element => {
      const { animationName, transitionDuration } = getComputedStyle(element)
      return animationName === 'none' && transitionDuration === '0s' ? [] : [element.className]
    }))
    expect(durations).toEqual([])
  })

  test('times have the exact instant in the viewer’s zone', async () => {
    const page = await running().pages.open('#/', 'manage', { timezoneId: 'Asia/Kolkata' })
    await openSession(page)
    await page.locator('time').first().focus()
    await expect.poll(() => page.getByRole('tooltip').textContent())
      .toMatch(/^\w+,? \d+ \w+ \d{4} at \d\d:\d\d:\d\d\.\d{3} GMT\+05:30$/)
    expect(await page.locator('time').first().getAttribute('aria-describedby')).toBe('tip')
  })
})
