import axe from 'axe-core'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { OPERATOR } from './application.ts'
import type { ConsoleApplication } from './application.ts'

declare global {
  /** What the Content-Security-Policy has refused in a page. */
  var violations: string[]
}

/** Pages of the console, which watch that nothing forbidden happens. */
export class ConsolePages {
  /** What scripts have thrown, and what the policy or the origin forbids. */
  readonly problems: string[] = []
  readonly #browser: Browser
  readonly #application: Pick<ConsoleApplication, 'origin' | 'url'>

  constructor(browser: Browser, application: Pick<ConsoleApplication, 'origin' | 'url'>) {
    this.#browser = browser
    this.#application = application
  }

  /** Opens a page of the console as an operator, in a profile of its own. */
  async open(
    hash: string, role: 'read' | 'manage' | null = 'manage', options: BrowserContextOptions = {},
  ): Promise<Page> {
    const { origin, url } = this.#application
    const profile = await this.#browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options })
    if (role !== null) await profile.addCookies([{ name: OPERATOR, value: `${role}-ada%40example.com`, url: origin }])
    const page = await profile.newPage()
    page.on('pageerror', error => this.problems.push(error.message))
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) this.problems.push(message.text())
    })
    page.on('request', request => {
      if (new URL(request.url()).origin !== origin) this.problems.push(`a request to ${request.url()}`)
    })
    await page.addInitScript(() => {
      globalThis.violations = []
      addEventListener('securitypolicyviolation', event => {
        violations.push(`${event.violatedDirective} ${event.blockedURI}`)
      })
    })
    await page.goto(`${url}${hash}`)
    await untilRead(page)
    return page
  }

  /** Goes to another page of the console. */
  async go(page: Page, hash: string): Promise<void> {
    await page.goto(`${this.#application.url}${hash}`)
    await untilRead(page)
  }
}

/** Waits until the page has what it reads. */
export async function untilRead(page: Page): Promise<void> {
  await page.locator('h1').waitFor()
  await page.locator('[aria-busy]').waitFor({ state: 'detached' })
}

/** What axe finds in the page, in its words. */
export async function problemsIn(page: Page): Promise<string[]> {
  // Going to another address of the console keeps the document, and axe with it.
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })')
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html}`))
}

/** Presses a button by its name. */
export function press(page: Page | Locator, name: string | RegExp): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click()
}

/** The rows of a table, by its caption. */
export function rowsOf(page: Page, caption: string | RegExp): Locator {
  return page.getByRole('table', { name: caption }).getByRole('row').filter({ has: page.getByRole('cell') })
}

/** The sentence that the page begins with. */
export async function answerOf(page: Page): Promise<string> {
  return (await page.locator('.answer').first().textContent() ?? '').replace(/\s+/g, ' ').trim()
}

/** What the live region has said, without what was dropped. */
export function spoken(page: Page): Promise<string[]> {
  return page.locator('#announcer p').allTextContents()
}
