import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser } from '../e2e/support/browser.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import {
  prepareContractApp, prepareExample, startContractApp, startExampleApp,
} from './support/example-app.ts'
import type { ExampleApp } from './support/example-app.ts'
import { viaProxy } from './support/page-browser.ts'
import { expire, serverRenderingTests } from './support/server-rendering.ts'

runFrameworkContract('SvelteKit', variant => startContractApp('sveltekit', ['build'], variant), () => {
  prepareContractApp('sveltekit')
})

describe('SvelteKit, built by vite build', () => {
  let app: ExampleApp

  beforeAll(async () => {
    prepareExample('sveltekit')
    app = await startExampleApp('sveltekit', ['build'], {
      PROTOCOL_HEADER: 'x-forwarded-proto',
    })
  }, 300_000)

  afterAll(() => app?.stop())

  serverRenderingTests(() => app)

  test.skipIf(browserPath === null)(
    'B-15: in Chromium, the guard of docs/client.md sends visitors to the login page and back, and says why',
    async () => {
      const browser = await launchBrowser()
      try {
        const page = await browser.newPage({ extraHTTPHeaders: viaProxy })
        await page.clock.install({ time: app.now() })
        await page.goto(`${app.origin}/account?page=2`)
        await untilAt(page, '/login?returnTo=%2Faccount%3Fpage%3D2')
        await page.getByRole('button', { name: 'log in' }).click()
        await untilAt(page, '/account?page=2')
        await page.getByText('signed-in grace').waitFor()

        // Another device, or an administrator, revokes the session.
        const cookie = await copyCookies(page)
        const headers = { ...viaProxy, cookie, origin: app.origin, 'sec-fetch-site': 'same-origin' }
        const body = new URLSearchParams()
        expect((await fetch(`${app.origin}/?/logout`, { method: 'POST', headers, body, redirect: 'manual' })).status)
          .toBeLessThan(400)
        await expire(app)
        await page.clock.fastForward('01:00:01')
        await page.getByRole('link', { name: 'orders' }).click()
        await untilAt(page, '/login?returnTo=%2Faccount%2Forders&reason=revoked')
        await page.getByText('revoked', { exact: true }).waitFor()

        await page.getByRole('button', { name: 'log in' }).click()
        await untilAt(page, '/account/orders')
        await page.getByRole('link', { name: 'account' }).click()
        await page.getByRole('button', { name: 'sign out' }).click()
        await page.getByText('signed-out').waitFor()
        await page.getByRole('link', { name: 'orders' }).click()
        await untilAt(page, '/login?returnTo=%2Faccount%2Forders&reason=signed-out')
      } finally {
        await browser.close()
      }
    },
  )
})

/** Waits until the address of the page has this path and query. */
async function untilAt(page: Page, address: string): Promise<void> {
  const current = (): string => page.url().slice(new URL(page.url()).origin.length)
  await expect.poll(current).toBe(address)
}
