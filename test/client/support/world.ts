import type { Client, ClientOptions } from '../../../src/client/client.ts'
import { createClientIn } from '../../../src/client/create-client.ts'
import { Api, LIFETIME, ORIGIN } from './api.ts'
import type { Claims } from './api.ts'
import { Browser } from './browser.ts'
import type { BrowserSettings, Tab } from './browser.ts'

/** An application and one browser profile. */
export interface World {
  readonly api: Api
  readonly browser: Browser
  /** Opens a tab with a client of its own. `without`: what its environment has instead. */
  open(options?: ClientOptions, without?: Partial<Tab>): { tab: Tab; client: Client<Claims> }
  /** Lets the same time pass for the server and the browser. */
  pass(milliseconds: number): Promise<void>
  expire(): Promise<void>
}

/** Creates the application and the browser; `skew` is how far the browser's clock is ahead. */
export function createWorld(settings: BrowserSettings & { skew?: number } = {}, api: Api = new Api()): World {
  const { skew = 0, ...rest } = settings
  const browser = new Browser(api.fetch, api.now + skew, rest)
  const pass = async (milliseconds: number): Promise<void> => {
    api.now += milliseconds
    await browser.pass(milliseconds)
  }
  return {
    api,
    browser,
    open(options = {}, without = {}) {
      const tab = Object.assign(browser.openTab(), without)
      return { tab, client: createClientIn<Claims>(tab, { baseUrl: ORIGIN, ...options }) }
    },
    pass,
    expire: () => pass(LIFETIME * 1000 + 1000),
  }
}

/** Logs in with a client. */
export const logIn = (client: Client<Claims>, userId = 'ada'): Promise<Response> =>
  client.fetch('/login', { method: 'POST', body: JSON.stringify({ userId }) })
