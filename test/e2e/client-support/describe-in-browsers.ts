import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { browsers } from '../support/browsers.ts'
import type { WebBrowser } from '../support/web-browser.ts'
import { Application } from './application.ts'
import type { Settings } from './application.ts'
import { bundleClient } from './tab.ts'

/** The browser and the application of a block of tests, while its tests run. */
export class ClientWorld {
  #started: { readonly browser: WebBrowser; readonly application: Application } | null = null

  get browser(): WebBrowser {
    return this.#running().browser
  }

  get application(): Application {
    return this.#running().application
  }

  async start(launch: () => Promise<WebBrowser>, settings: Settings): Promise<void> {
    const [browser, bundle] = await Promise.all([launch(), bundleClient()])
    this.#started = { browser, application: await Application.start(bundle, settings) }
  }

  /** Closes all pages, and forgets what the application has seen. */
  async reset(): Promise<void> {
    this.application.reset()
    await this.browser.closeProfiles()
  }

  async end(): Promise<void> {
    await this.#started?.browser.close()
    await this.#started?.application.end()
  }

  #running(): { readonly browser: WebBrowser; readonly application: Application } {
    if (this.#started === null) throw new Error('the browser and the application run while tests do')
    return this.#started
  }
}

/** A block of tests that runs in each browser, with an application of its own. */
export function describeInBrowsers(title: string, tests: (world: ClientWorld) => void, settings: Settings = {}): void {
  for (const { name, path, launch } of browsers) {
    describe.skipIf(path === null)(`${title} in ${name}`, () => {
      const world = new ClientWorld()
      beforeAll(() => world.start(launch, settings))
      afterEach(() => world.reset())
      afterAll(() => world.end())
      tests(world)
    })
  }
}
