// Makes the pictures of docs/console.md from a console with an hour of work behind it: npm run pictures:console
// With a folder as argument, it also writes every page there, in each width and look, to be looked at.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { createMemoryStore } from '../src/stores/memory.ts'
import { startConsoleApplication } from '../test/e2e/console-support/application.ts'
import { createManualScheduler } from '../test/e2e/console-support/manual-scheduler.ts'
import { ConsolePages } from '../test/e2e/console-support/pages.ts'
import { insertAll, insertTheft, sampleSessions } from '../test/e2e/console-support/seed.ts'
import { launchBrowser } from '../test/e2e/support/browser.ts'
import { passHour } from './pictures/busy-hour.ts'
import { toWebp } from './pictures/webp.ts'

const images = join(import.meta.dirname, '../docs/images')
const [folder = null] = process.argv.slice(2)

type Scene = readonly [name: string, hash: string, act?: (page: Page) => Promise<void>]

async function openSession(page: Page): Promise<void> {
  await page.getByRole('row').filter({ has: page.getByRole('cell') }).nth(1).getByRole('link').first().click()
  await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
}

const scenes: readonly Scene[] = [
  ['overview', '#/'], ['sessions', '#/sessions'], ['user', '#/users/ada'],
  ['session', '#/users/ada', openSession],
  ['confirm', '#/users/ada', async page => {
    await openSession(page)
    await page.getByRole('button', { name: 'Revoke the other' }).click()
  }],
  ['edit', '#/users/ada', async page => {
    await openSession(page)
    await page.getByRole('button', { name: 'Edit the JWT payload' }).click()
    await page.locator('#payload-text').fill('[1]')
    await page.getByRole('button', { name: 'Save the JWT payload' }).click()
    await page.locator('#payload-problem').scrollIntoViewIfNeeded()
  }],
  ['thefts', '#/thefts'], ['audit', '#/audit'], ['keys', '#/keys'], ['health', '#/health'],
  ['inspector', '#/inspector', async page => {
    await page.getByLabel('Access token').fill(token)
    await page.getByRole('button', { name: 'Inspect the token' }).click()
    await page.locator('.verdicts').waitFor()
  }],
]

/** The scenes that docs/console.md shows. */
const kept = new Set(['overview-1440', 'overview-320', 'session-1440', 'thefts-1440', 'sessions-1440'])

async function take(browser: Browser, pages: ConsolePages): Promise<void> {
  const encoder = await browser.newPage()
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [[1440, 900], [768, 1024], [320, 800]] as const) {
      const options: BrowserContextOptions = {
        viewport: { width, height }, colorScheme, deviceScaleFactor: width < 700 ? 1.25 : 1,
      }
      for (const [name, hash, act] of scenes) {
        const page = await pages.open(hash, 'manage', options)
        await act?.(page)
        // The script of the plots comes after the page.
        if (name === 'overview') await page.locator('.plot canvas').last().waitFor()
        const png = await page.screenshot()
        if (folder !== null) writeFileSync(join(folder, `${name}-${width}-${colorScheme}.png`), png)
        if (kept.has(`${name}-${width}`)) {
          const picture = await toWebp(encoder, png)
          const file = `console-${name}-${width}-${colorScheme}.webp`
          writeFileSync(join(images, file), picture)
          console.log(`docs/images/${file}: ${Math.ceil(picture.length / 1000)} kB`)
        }
        await page.context().close()
      }
    }
  }
}

if (folder !== null) mkdirSync(folder, { recursive: true })
const store = createMemoryStore()
// Points of the overview end at whole steps of 15 seconds.
const now = Math.floor(Date.now() / 15_000) * 15_000
const sessions = sampleSessions(10_000, now - 3_600_000)
await insertAll(store, sessions)
const scheduler = createManualScheduler()
const application = await startConsoleApplication(store, { start: now - 3_600_000, schedule: scheduler.schedule })
const browser = await launchBrowser()
let token = ''
try {
  token = (await application.logIn('grace', 'Firefox/140.0 Linux')).accessToken
  await passHour(application, scheduler)
  for (const [index, { userId, handle }] of sessions.slice(100, 104).entries()) {
    const at = now - (index * 7 + 0.2) * 3_600_000
    await insertTheft(store, { userId, handle, at, apart: 94_000 * (index + 1), generation: 41 })
  }
  const pages = new ConsolePages(browser, application)
  await take(browser, pages)
  if (pages.problems.length > 0) console.error(pages.problems)
} finally {
  await browser.close()
  await application.close()
}
