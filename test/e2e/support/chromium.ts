import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import type { Profile, WebBrowser } from './web-browser.ts'

/** Starts Chromium for tests that run in other browsers too. */
export async function launchChromium(): Promise<WebBrowser> {
  const browser = await launchBrowser()
  return {
    newProfile: () => newProfile(browser),
    async closeProfiles() {
      await Promise.all(browser.contexts().map(context => context.close()))
    },
    close: () => browser.close(),
  }
}

async function newProfile(browser: Browser): Promise<Profile> {
  const context = await browser.newContext()
  return {
    async openTab(url) {
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
    runFirst: async script => void await context.addInitScript(script),
    setOffline: isOffline => context.setOffline(isOffline),
    cookies: () => context.cookies(),
  }
}
