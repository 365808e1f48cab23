import type { Browser, Page } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SessionProvider, useSession } from '../../src/client/react.ts'
import { createClient } from '../../src/client/index.ts'
import { Application } from './client-support/application.ts'
import { bundleClient, logIn, openTab } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

describe.skipIf(browserPath === null)('frameworks in Chromium', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    const [started, bundle] = await Promise.all([launchBrowser(), bundleClient()])
    browser = started
    application = await Application.start(bundle)
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const open = async (): Promise<Page> => openTab(await browser.newContext(), application.origin)
  const shows = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor()

  const mounts: readonly [name: string, mount: (page: Page) => Promise<void>][] = [
    ['React', page => page.evaluate(() => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      const View = (): string => {
        const { status, session } = useSession<unknown>()
        return `${status} ${session?.userId ?? ''}`.trim()
      }
      createRoot(document.getElementById('app') ?? document.body)
        .render(createElement(SessionProvider, { client, children: createElement(View) }))
    })],
    ['Vue', page => page.evaluate(() => {
      const { createApp, h, useVueSession } = keyturn
      createApp({
        setup() {
          const view = useVueSession(client)
          return () => h('p', `${view.value.status} ${view.value.session?.userId ?? ''}`.trim())
        },
      }).mount('#app')
    })],
    ['a Svelte store', page => page.evaluate(() => {
      keyturn.sessionStore(client).subscribe(({ status, session }) => {
        document.getElementById('app')?.replaceChildren(`${status} ${session?.userId ?? ''}`.trim())
      })
    })],
  ]

  test.each(mounts)('%s shows the session, whichever tab changes it', async (_, mount) => {
    const page = await open()
    await mount(page)
    await shows(page, 'signed-out')
    const other = await openTab(page.context(), application.origin)
    await logIn(other)
    await shows(page, 'signed-in ada')
    await page.evaluate(() => client.signOut())
    await shows(page, 'signed-out')
  })

  test('a page that React rendered on the server is hydrated without a flicker or a warning', async () => {
    const page = await open()
    await logIn(page)
    const session = await page.evaluate(() => client.peekSession()) ?? expect.fail()
    const seen: string[] = []
    const View = (): string => {
      seen.push(useSession().status)
      return 'x'
    }
    const rendered = renderToString(createElement(SessionProvider, {
      client: createClient({ baseUrl: application.origin }), initialSession: session, children: createElement(View),
    }))
    expect([rendered, seen]).toEqual(['x', ['signed-in']])

    for (const known of [true, false]) {
      if (!known) await page.evaluate(() => localStorage.clear())
      await page.reload()
      const result = await page.evaluate(async session => {
        const { createElement, hydrateRoot, SessionProvider, useEffect, useSession } = keyturn
        const seen: string[] = []
        let taken = (): void => undefined
        const takenOver = new Promise<void>(resolve => taken = resolve)
        const View = (): string => {
          const { status, session } = useSession<unknown>()
          seen.push(`${status} ${session?.userId}`)
          useEffect(taken, [])
          return `${status} ${session?.userId}`
        }
        const app = document.getElementById('app') ?? document.body
        app.textContent = 'signed-in ada'
        const errors: string[] = []
        const props = { client, initialSession: session, children: createElement(View) }
        hydrateRoot(app, createElement(SessionProvider, props), {
          onRecoverableError: error => errors.push(String(error)),
        })
        await takenOver
        await client.getSession()
        // React shows what has changed before the next frame.
        await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
        return { seen: [...new Set(seen)], errors }
      }, session)
      expect(result).toEqual({ seen: ['signed-in ada'], errors: [] })
    }
  })
})
