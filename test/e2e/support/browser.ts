import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core'
import { environmentFor, findProgram } from '../../support/servers/programs.ts'
import { createDirectory, removeDirectory } from '../../support/servers/workspace.ts'

/** The path of the browser; null if it is missing. Then its tests are skipped, and `npm test` says so. */
export const browserPath: string | null = findProgram('chromium')

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Starts headless Chromium without a sandbox, because root cannot use one. It only opens pages of the tests. `without`
 * are default flags of the driver to omit, `extra` are more flags.
 */
export async function launchBrowser(
  without: readonly string[] = [],
  extra: readonly string[] = [],
): Promise<Browser> {
  // Chromium writes crash reports and desktop settings to the home folder, whatever the profile's folder is.
  const home = createDirectory()
  const browser = await chromium.launch({
    executablePath: browserPath ?? 'chromium',
    headless: true,
    chromiumSandbox: false,
    args: [...flags, ...extra],
    ignoreDefaultArgs: [...without],
    env: { ...process.env, ...environmentFor(browserPath ?? ''), HOME: home },
  })
  browser.once('disconnected', () => removeDirectory(home))
  return browser
}

/** Watches the refreshes of all tabs of a browser profile, from now on. */
export interface RefreshWatch {
  /** The statuses of the refreshes so far, in the order in which they were sent. */
  statuses(): Promise<number[]>
}

/** Begins to watch. */
export function watchRefreshes(profile: BrowserContext): RefreshWatch {
  const seen: Request[] = []
  profile.on('request', request => {
    if (request.method() === 'POST' && new URL(request.url()).pathname === '/auth/session/refresh') seen.push(request)
  })
  return {
    statuses: () => Promise.all(seen.map(async request => (await request.response())?.status() ?? 0)),
  }
}

/** The profile's session cookies, as `name=value; name=value`, which a thief with access to the disk could copy. */
export async function copyCookies(page: Page): Promise<string> {
  const cookies = await page.context().cookies()
  return cookies.filter(({ httpOnly }) => httpOnly).map(({ name, value }) => `${name}=${value}`).join('; ')
}
