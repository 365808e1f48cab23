import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClientSession } from '../../src/client/index.ts'
import { Application } from './client-support/application.ts'
import { bundleClient, logIn, openTab } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

declare global {
  /** Hands a session that the server has rendered to the component of the page. */
  var rendered: (session: ClientSession<object> | null) => void
  /** What the component of the page has shown, without repetitions. */
  var shown: string[]
  /** How often components have rendered. */
  var renders: number
}

describe.skipIf(browserPath === null)('components in Chromium', () => {
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

  /** Each shows the status and the user, is given `initialSession`, and takes a later one by `rendered`. */
  const mounts: readonly [
    name: string, mount: (page: Page, initial: ClientSession<object> | null | undefined) => Promise<void>,
  ][] = [
    ['React', (page, initial) => page.evaluate(initial => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      globalThis.shown = []
      const View = (): string => {
        const { status, session } = useSession<unknown>()
        const text = `${status} ${session?.userId ?? ''}`.trim()
        if (shown.at(-1) !== text) shown.push(text)
        return text
      }
      const root = createRoot(document.getElementById('app') ?? document.body)
      globalThis.rendered = initialSession =>
        root.render(createElement(SessionProvider, { client, initialSession, children: createElement(View) }))
      if (initial !== undefined) rendered(initial)
      else root.render(createElement(SessionProvider, { client, children: createElement(View) }))
    }, initial)],
    ['Vue', (page, initial) => page.evaluate(initial => {
      const { createApp, h, ref, useVueSession } = keyturn
      const given = ref(initial)
      globalThis.rendered = session => given.value = session
      createApp({
        setup() {
          const view = useVueSession<object>(client, given)
          return () => h('p', `${view.value.status} ${view.value.session?.userId ?? ''}`.trim())
        },
      }).mount('#app')
    }, initial)],
    ['a Svelte store', (page, initial) => page.evaluate(initial => {
      const store = keyturn.sessionStore<object>(client, initial)
      globalThis.rendered = store.rendered
      store.subscribe(({ status, session }) => {
        document.getElementById('app')?.replaceChildren(`${status} ${session?.userId ?? ''}`.trim())
      })
    }, initial)],
  ]

  /** What a server action does: it changes the cookies, and no script of the client's sees the response. */
  const act = (page: Page, path: string, body?: string): Promise<void> => page.evaluate(async ([path, body]) => {
    await fetch(path, { method: 'POST', ...body === undefined ? {} : { body } })
  }, [path, body] as const)
  const session = (userId: string): ClientSession<object> =>
    ({ userId, handle: `c-${userId}`, jwtPayload: { role: 'reader' }, timeCreated: 0 })

  test.each(mounts)('B-04: %s shows what the server rendered later: a login, then a logout of an action', async (_, mount) => {
    const page = await open()
    await mount(page, null)
    await shows(page, 'signed-out')
    await act(page, '/login', '{"userId":"ada"}')
    const before = application.refreshes.length
    await page.evaluate(session => rendered(session), session('ada'))
    await shows(page, 'signed-in ada')
    // The contradiction asks the server once, and the client knows the session then.
    await expect.poll(() => page.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    await shows(page, 'signed-in ada')
    expect(application.refreshes.length - before).toBe(1)
    await page.evaluate(() => fetch(`/auth/signout`, { method: 'POST', headers: { rid: 'session' } }))
    await page.evaluate(() => rendered(null))
    await shows(page, 'signed-out')
    await expect.poll(() => page.evaluate(() => client.peekSession())).toBeNull()
    expect(application.refreshes.length - before).toBe(2)
  })

  test.each(mounts)('B-04: %s: a full page load with null wins over a remembered session', async (_, mount) => {
    const page = await open()
    await logIn(page)
    await page.evaluate(() => fetch(`/auth/signout`, { method: 'POST', headers: { rid: 'session' } }))
    await page.reload()
    expect(await page.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    const before = application.refreshes.length
    await mount(page, null)
    await shows(page, 'signed-out')
    await expect.poll(() => page.evaluate(() => client.peekSession())).toBeNull()
    expect(application.refreshes.length - before).toBe(1)
  })

  test('B-04: React shows no other session in between', async () => {
    const page = await open()
    const mount = mounts[0]?.[1] ?? expect.fail()
    await mount(page, null)
    await shows(page, 'signed-out')
    await act(page, '/login', '{"userId":"ada"}')
    await page.evaluate(session => rendered(session), session('ada'))
    await expect.poll(() => page.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const texts = await page.evaluate(() => shown)
    expect(texts.slice(texts.lastIndexOf('signed-out'))).toEqual(['signed-out', 'signed-in ada'])
  })

  test('B-11: a React component with a selector renders again only if the selected value changes', async () => {
    const page = await open()
    await logIn(page)
    await page.evaluate(() => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      globalThis.renders = 0
      const Role = (): string => {
        renders++
        return useSession<unknown, string>(({ session }) => String(session?.jwtPayload['role']))
      }
      createRoot(document.getElementById('app') ?? document.body)
        .render(createElement(SessionProvider, { client, children: createElement(Role) }))
    })
    await shows(page, 'reader')
    await page.evaluate(async () => {
      await client.refresh()
      await client.fetch('/payload', { method: 'POST', body: '{"role":"reader","other":1}' })
    })
    expect(await page.evaluate(() => renders)).toBe(1)
    await page.evaluate(() => client.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' }))
    await shows(page, 'admin')
    expect(await page.evaluate(() => renders)).toBe(2)
  })

  test('B-12: the view of a Vue store lives as long as its scope, not as the component that used it first', async () => {
    const page = await open()
    const texts = await page.evaluate(async () => {
      const { createApp, effectScope, h, useVueSession } = keyturn
      const scope = effectScope(true)
      let view: ReturnType<typeof useVueSession> | undefined
      const app = createApp({
        setup() {
          view = scope.run(() => useVueSession<object>(client))
          return () => h('p', view?.value.status)
        },
      })
      const element = document.createElement('div')
      app.mount(element)
      app.unmount()
      const outside = useVueSession<object>(client)
      const texts = [view?.value.status, outside.value.status]
      await client.fetch('/login', { method: 'POST', body: '{"userId":"ada"}' })
      await new Promise(resolve => setTimeout(resolve))
      texts.push(view?.value.status, outside.value.status)
      scope.stop()
      await client.signOut()
      await new Promise(resolve => setTimeout(resolve))
      return [...texts, view?.value.status, outside.value.status]
    })
    expect(texts).toEqual(['signed-out', 'signed-out', 'signed-in', 'signed-in', 'signed-in', 'signed-out'])
  })

  test('B-15: React parts show their children by the session, and say why it ended', async () => {
    const page = await open()
    await page.evaluate(() => {
      const { createElement, createRoot, IfSignedIn, IfSignedOut, SessionProvider, useSessionEnd } = keyturn
      const Watch = (): null => {
        useSessionEnd(reason => document.body.append(`ended: ${reason}`))
        return null
      }
      createRoot(document.getElementById('app') ?? document.body).render(createElement(SessionProvider, {
        client,
        children: [
          createElement(IfSignedIn, { key: 1, children: 'in' }), createElement(IfSignedOut, { key: 2, children: 'out' }),
          createElement(Watch, { key: 3 }),
        ],
      }))
    })
    await shows(page, 'out')
    await logIn(page)
    await shows(page, 'in')
    await page.evaluate(() => client.signOut())
    await page.getByText('ended: signed-out').waitFor()
  })
})
