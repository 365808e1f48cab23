import axe from 'axe-core'
import type { AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeExample, press, untilExpired, untilSignedIn, untilSignedOut } from './support/example-page.ts'
import { LIFETIME } from './support/example.ts'
import { describeFocus, tabTo } from './support/focus.ts'

/** 1280 pixels at 200 % zoom leave 640 for the page. */
const looks: readonly (BrowserContextOptions & { readonly look: string })[] = [
  { look: 'light', colorScheme: 'light' },
  { look: 'dark', colorScheme: 'dark' },
  { look: 'forced colours', forcedColors: 'active' },
  { look: '200 % zoom', viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
]

describeExample('the accessibility of the example', pages => {
  /** What axe finds in the page and its frames, in its words. */
  async function problemsIn(page: Page): Promise<string[]> {
    for (const frame of page.frames()) await frame.evaluate(axe.source)
    const { violations } = await page.evaluate<AxeResults>('axe.run()')
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html}`))
  }

  test.each(looks)('axe finds nothing in any state: $look', async ({ look, ...options }) => {
    const page = await pages.open(undefined, options)
    expect(await problemsIn(page), 'signed out').toEqual([])
    await page.getByLabel('Your name').fill('')
    await press(page, 'Sign in')
    await page.locator('#name-problem').waitFor()
    expect(await problemsIn(page), 'a refused sign-in').toEqual([])
    await page.getByLabel('Your name').fill(look)
    await press(page, 'Sign in')
    await untilSignedIn(page)
    await pages.pass(2000, page)
    await press(page, 'Expire the access token')
    await press(page, '10 calls at once')
    await page.getByText('All 10 requests were answered').first().waitFor()
    await press(page, 'Sign in on it')
    await page.frameLocator('iframe').getByText('Signed in as').waitFor()
    await page.getByRole('textbox', { name: 'Session info' }).fill('[1,2]')
    await press(page, 'Save the Session info')
    await page.locator('#info-problem').waitFor()
    // All of the code is open.
    await page.locator('details').evaluateAll(list => list.forEach(details => details.setAttribute('open', '')))
    expect(await problemsIn(page), 'signed in').toEqual([])
    await press(page, 'Sign out the other device')
    expect(await problemsIn(page), 'a question').toEqual([])
    await press(page, 'Cancel')
    await press(page, 'Copy the refresh token')
    for (const token of [1, 2]) {
      await pages.pass(LIFETIME / 2, page)
      await press(page, 'Refresh as the thief')
      await page.locator('.story').getByText(new RegExp(`refreshed and got token ${token + 1}`)).waitFor()
    }
    await press(page, 'Refresh as you')
    await page.locator('.evidence').waitFor()
    expect(await problemsIn(page), 'after a theft').toEqual([])
  })

  const schemes = ['light', 'dark'] as const

  test.each(schemes)('edges of fields, buttons and marks have a contrast of 3 : 1, %s', async colorScheme => {
    const page = await pages.open(undefined, { colorScheme })
    const ratios = await page.evaluate(() => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
      if (canvas === null) throw new Error('no canvas')
      const probe = document.body.appendChild(document.createElement('i'))
      const luminance = (name: string): number => {
        probe.style.color = `var(--${name})`
        canvas.fillStyle = getComputedStyle(probe).color
        canvas.fillRect(0, 0, 1, 1)
        const [red = 0, green = 0, blue = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => (
          value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
        ))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
      }
      const pairs = ['edge', 'accent', 'warning', 'danger', 'ink']
        .flatMap(front => ['card', 'ground', 'sunk'].map(back => [front, back] as const))
      return pairs.map(([front, back]) => {
        const [dark = 0, light = 0] = [luminance(front), luminance(back)].sort((one, other) => one - other)
        return { pair: `${front} on ${back}`, ratio: (light + 0.05) / (dark + 0.05) }
      })
    })
    expect(ratios.filter(({ ratio }) => ratio < 3)).toEqual([])
  })

  test('everything works with the keyboard alone, and the focus is never lost', async () => {
    const page = await pages.open()
    await tabTo(page, /^Your name/)
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('grace')
    await page.keyboard.press('Enter')
    await untilSignedIn(page)
    const focused = async (): Promise<string> => (await describeFocus(page))[0]
    await expect.poll(focused).toBe('Your session')
    await tabTo(page, /^Expire the access token$/)
    await page.keyboard.press('Enter')
    await untilExpired(page)
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByText('10 refreshes were answered').first().waitFor()
    for (const name of [/^Offline$/, /^Database stopped$/]) {
      await tabTo(page, name)
      await page.keyboard.press('Space')
      await page.getByRole('switch', { name, checked: true }).waitFor()
      await page.keyboard.press('Space')
    }
    await tabTo(page, /^Copy the refresh token$/)
    await page.keyboard.press('Enter')
    await page.locator('.story').getByText('The thief copied').waitFor()
    await tabTo(page, /^A second device/)
    await page.keyboard.press('f')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.frameLocator('iframe[title^="Firefox"]').getByText('Signed in as grace').waitFor()
    await page.locator('#devices-title').focus()
    await tabTo(page, /^Sign out the other device$/)
    await page.keyboard.press('Enter')
    await page.keyboard.press('Escape')
    await expect.poll(focused).toMatch(/Sign out the other/)
    await tabTo(page, /^Revoke Firefox on Windows, signed in at/)
    await page.keyboard.press('Enter')
    await expect.poll(focused).toBe('Your devices')
    await tabTo(page, /^Session info/)
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('{"note":"typed"}')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('#info-form').getByText('Saved at').waitFor()
    await page.getByRole('button', { name: 'Sign out', exact: true }).focus()
    await page.keyboard.press('Enter')
    await untilSignedOut(page)
    await expect.poll(focused).toBe('Sign in')
  })

  test('announces changes in one live region', async () => {
    const page = await pages.signIn('ada')
    expect(await page.locator('[aria-live], [role=status], [role=alert], [role=log]').count()).toBe(1)
    const spoken = (): Promise<string[]> => page.locator('#announcer p').allTextContents()
    expect(await spoken()).toContain('Signed in as ada')
    await press(page, 'Call a protected route')
    await expect.poll(spoken).toContain('The request was answered, with no refresh.')
    await page.getByRole('switch', { name: 'Offline' }).check()
    await expect.poll(spoken).toContain('This tab is offline.')
  })

  test('names all buttons differently', async () => {
    const page = await pages.signIn('edith')
    await press(page, 'Sign in on it')
    await page.getByRole('button', { name: /^Revoke Safari on iOS/ }).waitFor()
    const names = (await page.locator('button:visible').allTextContents()).map(text => text.trim())
    expect(new Set(names).size).toBe(names.length)
  })

  const names = { long: 'x'.repeat(200), words: 'Ada '.repeat(50).trim(), Arabic: 'ليلى بنت أحمد' }

  test.each(Object.entries(names))('nothing overflows at 320 pixels: a name of kind %s', async (_, name) => {
    const page = await pages.signIn(name, { viewport: { width: 320, height: 640 } })
    await press(page, 'Sign in on it')
    await page.getByRole('button', { name: /^Revoke Safari on iOS/ }).waitFor()
    await press(page, 'Copy the refresh token')
    await page.locator('.lineage').waitFor()
    await page.locator('.devices time').first().hover()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
    expect(await page.locator('#user-id').textContent()).toBe(name)
    const frame = page.frameLocator('iframe').locator('html')
    expect(await frame.evaluate(html => html.scrollWidth - html.clientWidth)).toBeLessThanOrEqual(0)
  })

  test('stands still for who prefers reduced motion', async () => {
    const page = await pages.signIn('ada', { reducedMotion: 'reduce' })
    expect(await page.getByRole('switch', { name: 'Offline' })
      .evaluate(element => getComputedStyle(element, '::before').transitionDuration)).toBe('0s')
  })
})
