import { browserPath } from './browser.ts'
import { launchChromium } from './chromium.ts'
import { firefoxPath, launchFirefox } from './firefox.ts'
import type { WebBrowser } from './web-browser.ts'

/** A browser in which the core cases of the client run. */
export interface TestedBrowser {
  readonly name: string
  /** Null if it is missing. */
  readonly path: string | null
  readonly launch: () => Promise<WebBrowser>
}

/** Those of this run. Firefox is left to `CI=true`. */
export const browsers: readonly TestedBrowser[] = [
  { name: 'Chromium', path: browserPath, launch: launchChromium },
  ...process.env['CI'] === 'true' ? [{ name: 'Firefox', path: firefoxPath, launch: launchFirefox }] : [],
]
