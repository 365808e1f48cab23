import { build } from 'esbuild'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import type { Scripted } from '../support/web-browser.ts'

declare global {
  /** The exports of page.ts, in a page. */
  var keyturn: typeof import('./page.ts')
  /** The page's own client. */
  var client: import('./page.ts').Client<{ role?: string }>
  /** The users that the listener of the page's client got, in order. */
  var heard: (string | null)[]
}

/** The client as one script, `keyturn`. */
export async function bundleClient(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    bundle: true,
    format: 'iife',
    globalName: 'keyturn',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
    write: false,
    logLevel: 'silent',
  })
  return outputFiles.map(({ text }) => text).join('\n')
}

/** Opens a tab with a client of its own. */
export async function openTab(profile: BrowserContext, url: string): Promise<Page> {
  const page = await profile.newPage()
  await page.goto(url)
  await page.waitForFunction(() => typeof client === 'object')
  return page
}

/** Logs in with the page's client. */
export function logIn(page: Scripted, userId = 'ada'): Promise<number> {
  return page.evaluate(async userId =>
    (await client.fetch('/login', { method: 'POST', body: JSON.stringify({ userId }) })).status, userId)
}

/** Calls a route with the page's client, `times` at once. Resolves to the statuses, or the codes of errors. */
export function call(page: Scripted, path = '/me', times = 1): Promise<(number | string)[]> {
  // Different addresses, because Chromium sends requests for the same address one after the other.
  return page.evaluate(([path, times]) => {
    const callOnce = (_: unknown, number: number): Promise<number | string> =>
      client.fetch(`${path}?${number}`).then(({ status }) => status, error => String(error.code ?? error))
    return Promise.all(Array.from({ length: times }, callOnce))
  }, [path, times] as const)
}

/** The user who is signed in, as far as the page's client knows; undefined if it does not know. */
export function userOf(page: Scripted): Promise<string | null | undefined> {
  return page.evaluate(() => {
    const session = client.peekSession()
    return session && session.userId
  })
}
