import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { unhurried } from '../client-support/documents.ts'
import { browserPath, launchBrowser } from './browser.ts'
import { LIFETIME, startExample } from './example.ts'
import type { Example } from './example.ts'

/** The example in one browser, while the tests of a block run. The clocks of its pages are the server's. */
export class ExamplePages {
  /** What scripts of the pages have thrown. */
  readonly problems: string[] = []
  #started: { readonly browser: Browser; readonly example: Example } | null = null

  get example(): Example {
    return this.#running().example
  }

  async start(): Promise<void> {
    const [browser, example] = await Promise.all([launchBrowser(), startExample({})])
    this.#started = { browser, example }
  }

  /** Ends both. Fails if a script of a page has thrown. */
  async end(): Promise<void> {
    await this.#started?.browser.close()
    await this.#started?.example.stop()
    expect(this.problems).toEqual([])
  }

  #running(): { readonly browser: Browser; readonly example: Example } {
    if (this.#started === null) throw new Error('the browser and the example run while tests do')
    return this.#started
  }

  /** Opens a page in a profile, or in a new one. */
  async open(profile?: BrowserContext, options: BrowserContextOptions = {}): Promise<Page> {
    const { browser, example } = this.#running()
    const page = await (profile ?? await browser.newContext(options)).newPage()
    page.on('pageerror', error => this.problems.push(error.message))
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) this.problems.push(message.text())
    })
    page.on('request', request => {
      if (!request.url().startsWith(example.origin)) this.problems.push(`a request to ${request.url()}`)
    })
    await page.clock.install({ time: example.now() })
    await page.addInitScript(unhurried)
    await page.goto(example.origin)
    return page
  }

  /** Signs in by typing, in a new profile. */
  async signIn(name: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(undefined, options)
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await untilSignedIn(page)
    // What comes now is another row of the timeline.
    await this.pass(2000, page)
    return page
  }

  /** Lets the access tokens expire, for the server and for these pages. */
  async expire(...pages: readonly Page[]): Promise<void> {
    await this.pass(LIFETIME + 1000, ...pages)
    for (const page of pages) await untilExpired(page)
  }

  /** Lets time pass, for the server and for these pages. */
  async pass(milliseconds: number, ...pages: readonly Page[]): Promise<void> {
    await this.example.pass(milliseconds)
    for (const page of pages) await page.clock.fastForward(milliseconds)
  }
}

/** A block of tests of the example's page in Chromium. */
export function describeExample(title: string, tests: (pages: ExamplePages) => void): void {
  describe.skipIf(browserPath === null)(title, () => {
    const pages = new ExamplePages()
    beforeAll(() => pages.start())
    afterAll(() => pages.end())
    tests(pages)
  })
}

/** Waits until the page shows a session, with its data and its devices. */
export async function untilSignedIn(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Your session' }).waitFor()
  await page.getByText('This browser', { exact: true }).waitFor()
}

/** Waits until the page says that its access token has expired. */
export function untilExpired(page: Page): Promise<void> {
  return page.locator('.countdown').getByText('The next request refreshes it.').waitFor()
}

export function untilSignedOut(page: Page): Promise<void> {
  return page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

/** A card by its heading. */
export function cardOf(page: Page, heading: string): Locator {
  return page.getByRole('region', { name: heading })
}

/** Presses a button by its name. */
export function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click()
}

/** The steps of the newest row of the timeline that has a sentence like this. */
export async function stepsOf(page: Page, sentence: string): Promise<string[]> {
  const row = page.getByRole('list', { name: 'The latest requests, newest first' }).getByRole('listitem')
    .filter({ hasText: sentence }).first()
  await row.waitFor()
  const steps = await row.locator('.step').allTextContents()
  return steps.map(text => text.replace(/\s+/g, ' ').replace(/\d+ ms/, '').trim())
}
