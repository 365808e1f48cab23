// Makes the pictures of docs/images from the example, in Chromium: npm run pictures
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchBrowser } from '../test/e2e/support/browser.ts'
import { startExample } from '../test/e2e/support/example.ts'
import { writeGif } from './pictures/animation.ts'
import type { Frame } from './pictures/animation.ts'
import { toWebp } from './pictures/webp.ts'

const folder = join(import.meta.dirname, '../docs/images')
mkdirSync(folder, { recursive: true })

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()

async function signIn(browser: Browser, origin: string, name: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage()
  await page.goto(origin)
  await page.getByLabel('Your name').fill(name)
  await press(page, 'Sign in')
  await page.getByText('This browser', { exact: true }).waitFor()
  return page
}

/** Scrolls so that a card begins at the top. */
async function show(page: Page, card: string): Promise<void> {
  await page.locator(`section[aria-labelledby=${card}-title]`).evaluate(element => {
    scrollTo({ top: element.getBoundingClientRect().top + scrollY - 16, behavior: 'instant' })
  })
}

/** Ten calls of two tabs, before and after the access token was expired. */
async function refresh(page: Page, pause: (milliseconds: number) => Promise<void>): Promise<void> {
  await pause(1500)
  await press(page, '10 calls in every tab')
  await pause(2500)
  await press(page, 'Expire the access token')
  await pause(1500)
  await press(page, '10 calls in every tab')
  await pause(3000)
  // On a busy machine, the other tab takes longer.
  await page.locator('.step.pending').first().waitFor({ state: 'detached' })
}

async function openSecondTab(page: Page): Promise<void> {
  const other = await page.context().newPage()
  await other.goto(page.url())
  await other.getByText('This browser', { exact: true }).waitFor()
  await page.bringToFront()
}

/** Plays the theft, until its evidence is there. */
async function steal(page: Page, pause: (milliseconds: number) => Promise<void>): Promise<void> {
  await press(page, 'Play: the thief is quicker')
  for (let second = 0; second < 60 && await page.locator('.evidence').count() === 0; second++) await pause(1000)
}

const wait = (page: Page) => (milliseconds: number): Promise<void> => page.waitForTimeout(milliseconds)

type Scene = readonly [width: number, height: number, card: string, act: (page: Page) => Promise<void>]

/** What is shown at each width. */
const scenes: readonly Scene[] = [
  [1440, 900, 'refresh', async page => {
    await openSecondTab(page)
    await refresh(page, wait(page))
  }],
  [768, 1230, 'theft', page => steal(page, wait(page))],
  [320, 800, 'devices', async page => {
    await press(page, 'Sign in on it')
    await page.getByRole('button', { name: /^Revoke Safari/ }).click()
    await page.locator('section').getByText(/The last one ended/).waitFor()
    await page.getByLabel('A second device').selectOption('Edge on Windows')
    await press(page, 'Sign in on it')
    await page.getByRole('button', { name: /^Revoke Microsoft Edge/ }).waitFor()
  }],
]

function write(name: string, content: Uint8Array): void {
  const path = join(folder, name)
  writeFileSync(path, content)
  console.log(`docs/images/${name}: ${Math.ceil(statSync(path).size / 1000)} kB`)
}

async function takeStills(browser: Browser, origin: string): Promise<void> {
  const encoder = await browser.newPage()
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height, card, act] of scenes) {
      const options = { viewport: { width, height }, colorScheme, deviceScaleFactor: width < 1000 ? 1.25 : 1 }
      const page = await signIn(browser, origin, `ada ${width} ${colorScheme}`, options)
      await act(page)
      await show(page, card)
      write(`example-${width}-${colorScheme}.webp`, await toWebp(encoder, await page.screenshot()))
      await page.context().close()
    }
  }
}

/** Records a refresh of two tabs, and a theft. */
async function record(browser: Browser, origin: string): Promise<void> {
  const page = await signIn(browser, origin, 'ada', {
    viewport: { width: 980, height: 1060 }, colorScheme: 'light', deviceScaleFactor: 0.85,
  })
  const frames: Frame[] = []
  const shoot = async (delay: number): Promise<void> => {
    frames.push({ png: await page.screenshot(), delay })
  }
  const film = (step: number, delay: number) => async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += step) {
      await page.waitForTimeout(step)
      await shoot(delay)
    }
  }
  await openSecondTab(page)
  await show(page, 'refresh')
  await refresh(page, film(500, 500))
  await shoot(2500)
  await show(page, 'theft')
  await shoot(1000)
  // While the two wait, time flies.
  await steal(page, film(1000, 350))
  await show(page, 'theft')
  await shoot(5000)
  write('example.gif', writeGif(frames))
}

const example = await startExample({})
// Its clock goes as fast as the browser's.
const ticking = setInterval(() => void example.pass(Math.max(0, Date.now() - example.now())), 50)
const browser = await launchBrowser()
try {
  await takeStills(browser, example.origin)
  await record(browser, example.origin)
} finally {
  await browser.close()
  clearInterval(ticking)
  await example.stop()
}
