import { expect, test } from 'vitest'
import type { ClientSession } from '../../src/client/index.ts'
import type { StepUp } from '../../src/client/parts.ts'
import { describeInBrowsers } from './client-support/describe-in-browsers.ts'
import { logIn } from './client-support/tab.ts'
import type { Profile, Tab } from './support/web-browser.ts'

declare global {
  /** Hands a session that the server has rendered to the component of the page. */
  var rendered: (session: ClientSession<object> | null) => void
  /** What the component of the page has shown, without repetitions. */
  var shown: string[]
  /** How often components have rendered. */
  var renders: number
  /** The step-up of the page. */
  var stepUp: StepUp<'auth_time', string>
}

describeInBrowsers('components', world => {
  const openIn = (profile: Profile): Promise<Tab> => profile.openTab(world.application.origin)
  const open = async (): Promise<Tab> => openIn(await world.browser.newProfile())
  const shows = (tab: Tab, text: string): Promise<void> => (
    expect.poll(() => tab.evaluate(() => document.getElementById('app')?.textContent)).toBe(text)
  )

  /** Each shows the status and the user, is given `initialSession`, and takes a later one by `rendered`. */
  const mounts: readonly [
    name: string, mount: (tab: Tab, initial: ClientSession<object> | null | undefined) => Promise<void>,
  ][] = [
    ['React', (tab, initial) => tab.evaluate(({ initial }) => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      globalThis.shown = []
      const View = (): string => {
        const { status, session } = useSession()
        const text = `${status} ${session?.userId ?? ''}`.trim()
        if (shown.at(-1) !== text) shown.push(text)
        return text
      }
      const root = createRoot(document.getElementById('app') ?? document.body)
      globalThis.rendered = initialSession =>
        root.render(createElement(SessionProvider, { client, initialSession, children: createElement(View) }))
      if (initial !== undefined) rendered(initial)
      else root.render(createElement(SessionProvider, { client, children: createElement(View) }))
    }, { initial })],
    ['Vue', (tab, initial) => tab.evaluate(({ initial }) => {
      const { createApp, h, ref, useVueSession } = keyturn
      const given = ref(initial)
      globalThis.rendered = session => given.value = session
      createApp({
        setup() {
          const view = useVueSession<object>(client, given)
          return () => h('p', `${view.value.status} ${view.value.session?.userId ?? ''}`.trim())
        },
      }).mount('#app')
    }, { initial })],
    ['a Svelte store', (tab, initial) => tab.evaluate(({ initial }) => {
      const store = keyturn.sessionStore<object>(client, initial)
      globalThis.rendered = store.rendered
      store.subscribe(({ status, session }) => {
        document.getElementById('app')?.replaceChildren(`${status} ${session?.userId ?? ''}`.trim())
      })
    }, { initial })],
  ]

  // What a server action does: it changes the cookies, and no script of the client's sees the response.
  const logInBesides = (tab: Tab): Promise<void> => tab.evaluate(async () => {
    await fetch('/login', { method: 'POST', body: '{"userId":"ada"}' })
  })
  const signOutBesides = (tab: Tab): Promise<void> => tab.evaluate(async () => {
    await fetch('/auth/signout', { method: 'POST', headers: { rid: 'session' } })
  })
  const session = (userId: string): ClientSession<object> =>
    ({ userId, handle: `c-${userId}`, jwtPayload: { role: 'reader' }, timeCreated: 0 })
test.each(mounts)('B-04: %s shows what the server rendered later: a login, then a logout of an action',
  async (_, mount) => {
    const tab = await open()
    await mount(tab, null)
    await shows(tab, 'signed-out')
    await logInBesides(tab)
    const before = world.application.refreshes.length
    await tab.evaluate(session => rendered(session), session('ada'))
    await shows(tab, 'signed-in ada')
    // The contradiction asks the server once, and the client knows the session then.
    await expect.poll(() => tab.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    await shows(tab, 'signed-in ada')
    expect(world.application.refreshes.length - before).toBe(1)
    await signOutBesides(tab)
    await tab.evaluate(() => rendered(null))
    await shows(tab, 'signed-out')
    await expect.poll(() => tab.evaluate(() => client.peekSession())).toBeNull()
    expect(world.application.refreshes.length - before).toBe(2)
  })

  test.each(mounts)('B-04: %s: a full page load with null wins over a remembered session', async (_, mount) => {
    const profile = await world.browser.newProfile()
    const earlier = await openIn(profile)
    await logIn(earlier)
    await signOutBesides(earlier)
    await earlier.close()
    const tab = await openIn(profile)
    expect(await tab.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    const before = world.application.refreshes.length
    await mount(tab, null)
    await shows(tab, 'signed-out')
    await expect.poll(() => tab.evaluate(() => client.peekSession())).toBeNull()
    expect(world.application.refreshes.length - before).toBe(1)
  })

  test('B-04: React shows no other session in between', async () => {
    const tab = await open()
    const mount = mounts[0]?.[1] ?? expect.fail()
    await mount(tab, null)
    await shows(tab, 'signed-out')
    await logInBesides(tab)
    await tab.evaluate(session => rendered(session), session('ada'))
    await expect.poll(() => tab.evaluate(() => client.peekSession()?.userId)).toBe('ada')
    await tab.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const texts = await tab.evaluate(() => shown)
    expect(texts.slice(texts.lastIndexOf('signed-out'))).toEqual(['signed-out', 'signed-in ada'])
  })

  test('B-11: a React component with a selector renders again only if the selected value changes', async () => {
    const tab = await open()
    await logIn(tab)
    await tab.evaluate(() => {
      const { createElement, createRoot, SessionProvider, useSession } = keyturn
      globalThis.renders = 0
      const Role = (): string => {
        renders++
        return useSession<unknown, string>(({ session }) => String(session?.jwtPayload['role']))
      }
      createRoot(document.getElementById('app') ?? document.body)
        .render(createElement(SessionProvider, { client, children: createElement(Role) }))
    })
    await shows(tab, 'reader')
    await tab.evaluate(async () => {
      await client.refresh()
      await client.fetch('/payload', { method: 'POST', body: '{"role":"reader","other":1}' })
    })
    expect(await tab.evaluate(() => renders)).toBe(1)
    await tab.evaluate(async () => void await client.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' }))
    await shows(tab, 'admin')
    expect(await tab.evaluate(() => renders)).toBe(2)
  })

  test('B-12: the view of a Vue store lives as long as its scope, not as the component that used it first', async () => {
    const tab = await open()
    const texts = await tab.evaluate(async () => {
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
    const tab = await open()
    await tab.evaluate(() => {
      const { createElement, createRoot, IfSignedIn, IfSignedOut, SessionProvider, useSessionEnd } = keyturn
      globalThis.shown = []
      const Watch = (): null => {
        useSessionEnd(reason => shown.push(`ended: ${reason}`))
        return null
      }
      createRoot(document.getElementById('app') ?? document.body).render(createElement(SessionProvider, {
        client,
        children: [
          createElement(IfSignedIn, { key: 1, children: 'in' }),
          createElement(IfSignedOut, { key: 2, children: 'out' }),
          createElement(Watch, { key: 3 }),
        ],
      }))
    })
    await shows(tab, 'out')
    await logIn(tab)
    await shows(tab, 'in')
    await tab.evaluate(() => client.signOut())
    await shows(tab, 'out')
    await expect.poll(() => tab.evaluate(() => shown)).toEqual(['ended: signed-out'])
  })

  /** Each shows the question of the page's step-up. */
  const questions: readonly [name: string, mount: (tab: Tab) => Promise<void>][] = [
    ['React', tab => tab.evaluate(() => {
      const { createElement, createRoot, useStepUp } = keyturn
      const View = (): string => {
        const question = useStepUp(stepUp)
        return question ? `${question.id}: ${question.refusal?.message ?? 'your password?'}` : 'no question'
      }
      createRoot(document.getElementById('app') ?? document.body).render(createElement(View))
    })],
    ['Vue', tab => tab.evaluate(() => {
      const { createApp, h, useVueStepUp } = keyturn
      createApp({
        setup() {
          const question = useVueStepUp(stepUp)
          return () => h('p', question.value
            ? `${question.value.id}: ${question.value.refusal?.message ?? 'your password?'}`
            : 'no question')
        },
      }).mount('#app')
    })],
    ['a Svelte store', tab => tab.evaluate(() => {
      keyturn.stepUpStore(stepUp).subscribe(question => {
        document.getElementById('app')?.replaceChildren(
          question ? `${question.id}: ${question.refusal?.message ?? 'your password?'}` : 'no question')
      })
    })],
  ]

  test.each(questions)('B-15: %s shows what a step-up asks, and the request is repeated', async (_, mount) => {
    const tab = await open()
    await logIn(tab)
    world.application.pass(360_000)
    await tab.evaluate(() => {
      globalThis.stepUp = keyturn.createStepUp(client, {
        auth_time: (password: string) =>
          keyturn.reauthenticateWith(client, '/reauthenticate', { method: 'POST', body: password }),
      })
    })
    await mount(tab)
    await shows(tab, 'no question')
    const answered = tab.evaluate(async () =>
      (await stepUp.fetch('/recent', { method: 'POST', body: 'a new address' })).text())
    await shows(tab, 'auth_time: your password?')
    expect(await tab.evaluate(() => stepUp.prove('wrong'))).toBe(false)
    await shows(tab, 'auth_time: wrong password')
    expect(await tab.evaluate(() => stepUp.prove('correct horse'))).toBe(true)
    expect(await answered).toBe('a new address')
    await shows(tab, 'no question')
  })
})
