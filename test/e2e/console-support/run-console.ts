import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { SessionStore } from '../../../src/session/store.ts'
import { launchBrowser } from '../support/browser.ts'
import { startConsoleApplication } from './application.ts'
import type { ConsoleApplication, ConsoleSettings } from './application.ts'
import { ConsolePages } from './pages.ts'
import type { ConsoleStore, OpenedStore } from './stores.ts'

/** A console on a store, and a browser. */
export interface RunningConsole {
  readonly browser: Browser
  readonly opened: OpenedStore
  readonly application: ConsoleApplication
  readonly pages: ConsolePages
}

/**
 * Runs a console while the tests of a block do, on a store that `seed` has filled. The block fails if a script of a
 * page has thrown, or has broken the policy. Returns what gives the running console to a test.
 */
export function runConsole(
  { isAvailable, open }: ConsoleStore,
  seed: (store: SessionStore) => Promise<void>,
  settings: ConsoleSettings = {},
): () => RunningConsole {
  let running: RunningConsole | null = null

  beforeAll(async () => {
    if (!isAvailable) return
    const [browser, opened] = await Promise.all([launchBrowser(), open()])
    await seed(opened.store)
    const application = await startConsoleApplication(opened.store, settings)
    running = { browser, opened, application, pages: new ConsolePages(browser, application) }
  })

  afterAll(async () => {
    await running?.browser.close()
    await running?.application.close()
    await running?.opened.remove()
    expect(running?.pages.problems ?? []).toEqual([])
  })

  return () => {
    if (running === null) throw new Error('the console runs while tests do')
    return running
  }
}
