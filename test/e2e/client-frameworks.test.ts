import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { SessionProvider, useSession } from '../../src/client/react.ts'
import { createClient } from '../../src/client/index.ts'
import { describeInBrowsers } from './client-support/describe-in-browsers.ts'
import { logIn } from './client-support/tab.ts'
import type { Profile, Tab } from './support/web-browser.ts'

describeInBrowsers('frameworks', world => {
  const openIn = (profile: Profile): Promise<Tab> => profile.openTab(world.application.origin)
  const shows = (tab: Tab, text: string): Promise<void> => (
    expect.poll(() => tab.evaluate(() => document.getElementById('app')?.textContent)).toBe(text)
  )

  const mounts: readonly [name: string, mount: (tab: Tab) => Promise<void>][] = [
    ['React', tab => tab.evaluate(() => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      const View = (): string => {
        const { status, session } = useSession()
        return `${status} ${session?.userId ?? ''}`.trim()
      }
      createRoot(document.getElementById('app') ?? document.body)
        .render(createElement(SessionProvider, { client, children: createElement(View) }))
    })],
    ['Vue', tab => tab.evaluate(() => {
      const { createApp, h, useVueSession } = keyturn
      createApp({
        setup() {
          const view = useVueSession(client)
          return () => h('p', `${view.value.status} ${view.value.session?.userId ?? ''}`.trim())
        },
      }).mount('#app')
    })],
    ['a Svelte store', tab => tab.evaluate(() => {
      keyturn.sessionStore(client).subscribe(({ status, session }) => {
        document.getElementById('app')?.replaceChildren(`${status} ${session?.userId ?? ''}`.trim())
      })
    })],
  ]

  test.each(mounts)('%s shows the session, whichever tab changes it', async (_, mount) => {
    const profile = await world.browser.newProfile()
    const tab = await openIn(profile)
    await mount(tab)
    await shows(tab, 'signed-out')
    const other = await openIn(profile)
    await logIn(other)
    await shows(tab, 'signed-in ada')
    await other.evaluate(() => client.signOut())
    await shows(tab, 'signed-out')
  })

  test('a page that React rendered on the server is hydrated without a flicker or a warning', async () => {
    const profile = await world.browser.newProfile()
    const earlier = await openIn(profile)
    await logIn(earlier)
    const session = await earlier.evaluate(() => client.peekSession()) ?? expect.fail()
    const seen: string[] = []
    const View = (): string => {
      seen.push(useSession().status)
      return 'x'
    }
    const rendered = renderToString(createElement(SessionProvider, {
      client: createClient({ baseUrl: world.application.origin }), initialSession: session,
      children: createElement(View),
    }))
    expect([rendered, seen]).toEqual(['x', ['signed-in']])

    for (const known of [true, false]) {
      if (!known) await earlier.evaluate(() => localStorage.clear())
      const tab = await openIn(profile)
      const result = await tab.evaluate(async session => {
        const { createElement, hydrateRoot, SessionProvider, useEffect, useSession } = keyturn
        const seen: string[] = []
        let taken = (): void => undefined
        const takenOver = new Promise<void>(resolve => taken = resolve)
        const View = (): string => {
          const { status, session } = useSession()
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
