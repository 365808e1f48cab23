import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { unhurried } from '../client-support/application.ts'
import { LIFETIME } from './example.ts'
import type { Example } from './example.ts'

/** Pages of the example in one browser: their clocks are the server's, and go on from there. */
export class ExamplePages {
  /** What scripts of the pages have thrown. */
  readonly problems: string[] = []
  readonly #browser: Browser
  readonly #example: Example

  constructor(browser: Browser, example: Example) {
    this.#browser = browser
    this.#example = example
  }

  /** Opens a page in a profile, or in a new one. */
  async open(profile?: BrowserContext, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (profile ?? await this.#browser.newContext(options)).newPage()
    page.on('pageerror', error => this.problems.push(error.message))
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) this.problems.push(message.text())
    })
    page.on('request', request => {
      if (!request.url().startsWith(this.#example.origin)) this.problems.push(`a request to ${request.url()}`)
    })
    await page.clock.install({ time: this.#example.now() })
    await page.addInitScript(unhurried)
    await page.goto(this.#example.origin)
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
    await this.#example.pass(milliseconds)
    for (const page of pages) await page.clock.fastForward(milliseconds)
  }
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
