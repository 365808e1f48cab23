import { expect, test } from 'vitest'
import { describeInBrowsers } from './client-support/describe-in-browsers.ts'
import { call, logIn, userOf } from './client-support/tab.ts'
import type { Profile, Tab } from './support/web-browser.ts'

// How sessions begin and end in several tabs, where the browser applies cookies by itself.
describeInBrowsers('ends of sessions', world => {
  const openTabs = async (path = '/'): Promise<{ profile: Profile; tab: Tab; other: Tab }> => {
    const profile = await world.browser.newProfile()
    const open = (): Promise<Tab> => profile.openTab(world.application.origin + path)
    return { profile, tab: await open(), other: await open() }
  }
  const viewOf = (page: Tab): Promise<string> => page.evaluate(() => {
    const { status, reason } = client.view()
    return `${status} ${reason}`
  })

  /** Holds the answers to refreshes until `release`; `held` resolves with the first, `aborted` when the tab has aborted it. */
  function holdAnswers(): { readonly held: Promise<void>; readonly aborted: Promise<void>; readonly release: () => void } {
    let release = (): void => undefined
    let hold = (): void => undefined
    let abort = (): void => undefined
    const over = new Promise<void>(resolve => release = resolve)
    const held = new Promise<void>(resolve => hold = resolve)
    const aborted = new Promise<void>(resolve => abort = resolve)
    world.application.beforeAnswer = response => {
      hold()
      response.once('close', abort)
      return over
    }
    return { held, aborted, release: () => release() }
  }

  test.each([
    ['in the same tab', 'a dead session', true], ['in another tab', 'a dead session', true],
    ['in the same tab', 'a live session', false], ['in another tab', 'a live session', false],
  ] as const)('B-01: a login %s wins over the late answer to a refresh of %s', async (where, _, isDead) => {
    const { profile, tab, other } = await openTabs()
    await logIn(tab)
    const handle = await tab.evaluate(() => client.peekSession()?.handle ?? '')
    if (isDead) await world.application.revoke('ada')
    world.application.expireTokens()
    const { held, aborted, release } = holdAnswers()
    const asked = tab.evaluate(() => client.refresh().then(() => client.peekSession()?.userId))
    await held
    // By a `keepalive` request, which waits for no refresh: as if the page's own client knew nothing of this one.
    const login = where === 'in the same tab' ? tab : other
    await login.evaluate(async () =>
      void await client.fetch('/login', { method: 'POST', body: '{"userId":"bob"}', keepalive: true }))
    // The refresh was aborted: its caller has the new session before the answer comes.
    expect(await asked).toBe('bob')
    // Until the browser's network has heard of it, an answer would still come in.
    await aborted
    release()
    expect(await call(tab)).toEqual([200])
    expect(await call(other)).toEqual([200])
    expect([await userOf(tab), await userOf(other)]).toEqual(['bob', 'bob'])
    expect((await profile.cookies()).length).toBeGreaterThanOrEqual(2)
    expect(await tab.evaluate(() => client.peekSession()?.handle)).not.toBe(handle)
  })

  test.each([['cookie', '/'], ['header', '/header']])(
    'B-01: after a sign-out in %s mode, a late refresh shows nobody, in no tab', async (_, path) => {
      const { tab, other } = await openTabs(path)
      const userId = `leaving-${path}`
      await logIn(tab, userId)
      world.application.expireTokens()
      const { held, aborted, release } = holdAnswers()
      const asked = tab.evaluate(() => client.refresh())
      await held
      expect(await other.evaluate(() => client.signOut())).toBe(true)
      expect(await asked).toBe(false)
      await aborted
      release()
      expect([await viewOf(tab), await viewOf(other)]).toEqual(['signed-out signed-out', 'signed-out signed-out'])
      expect(await call(tab)).toEqual([401])
      expect(await world.application.count(userId)).toBe(0)
    },
  )

  test('B-06: a sign-out without a network ends the session in all tabs, and on the server when it is back', async () => {
    const { profile, tab, other } = await openTabs()
    await logIn(tab, 'eve')
    await profile.setOffline(true)
    expect(await tab.evaluate(() => client.signOut())).toBe(false)
    expect(await viewOf(tab)).toBe('signed-out signed-out')
    await expect.poll(() => viewOf(other)).toBe('signed-out signed-out')
    expect(await world.application.count('eve')).toBe(1)
    await tab.close()
    await profile.setOffline(false)
    await expect.poll(() => world.application.count('eve')).toBe(0)
    await expect.poll(async () => (await profile.cookies()).length).toBe(0)
    const later = await profile.openTab(world.application.origin)
    expect(await viewOf(later)).toBe('signed-out signed-out')
  })

  test('B-10: every end says why', async () => {
    const { tab } = await openTabs()
    await logIn(tab)
    await world.application.revoke('ada')
    world.application.expireTokens()
    expect(await call(tab)).toEqual([401])
    expect(await viewOf(tab)).toBe('signed-out revoked')
    await logIn(tab)
    await logIn(tab, 'bob')
    expect(await viewOf(tab)).toBe('signed-in replaced')
    await tab.evaluate(() => client.signOut())
    expect(await viewOf(tab)).toBe('signed-out signed-out')
  })

  test('B-14: polling a route whose own 401 means something else costs one refresh', async () => {
    const { tab } = await openTabs()
    await logIn(tab)
    for (let poll = 0; poll < 10; poll++) expect(await call(tab, '/own-401')).toEqual([401])
    expect(world.application.refreshes).toEqual([200])
  })
})
