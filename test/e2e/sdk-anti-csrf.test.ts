import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './support/browser.ts'
import { startExample } from './support/example.ts'
import type { Example } from './support/example.ts'
import { bundleFrontEndSdk, SdkTab, startFrontEnd } from './support/front-end.ts'
import type { FrontEnd } from './support/front-end.ts'

const variants = [
  { antiCsrf: 'origin', withoutProof: 200 },
  { antiCsrf: 'custom-header', withoutProof: 401 },
  { antiCsrf: 'token', withoutProof: 401 },
] as const

describe.skipIf(browserPath === null)('supertokens-website with cookies in Chromium', () => {
  let browser: Browser
  let bundle: string
  let frontEnd: FrontEnd

  beforeAll(async () => {
    ;[browser, bundle, frontEnd] = await Promise.all([launchBrowser(), bundleFrontEndSdk(), startFrontEnd('localhost')])
  })

  afterAll(async () => {
    await browser?.close()
    await frontEnd?.close()
  })

  describe.each(variants)('and anti-CSRF by $antiCsrf', ({ antiCsrf, withoutProof }) => {
    let example: Example

    beforeAll(async () => {
      example = await startExample({ ANTI_CSRF: antiCsrf, ALLOWED_ORIGIN: frontEnd.origin })
    })

    afterAll(() => example?.stop())

    test.each(['same', 'allowed'])('logs in, changes, refreshes and signs out from the %s origin', async place => {
      const profile = await browser.newContext()
      const url = place === 'same' ? `${example.origin}/style.css` : frontEnd.origin
      const tab = await SdkTab.open(profile, url, { bundle, apiDomain: example.origin, method: 'cookie' })
      expect(await tab.call('POST', `${example.origin}/login`, { userId: 'ada' })).toEqual([200])
      expect((await tab.readableCookie('sAntiCsrf')).length > 0).toBe(antiCsrf === 'token')
      const refreshes = watchRefreshes(profile)

      expect(await tab.call('POST', `${example.origin}/payload`, { role: 'writer' })).toEqual([200])
      expect(await tab.refresh()).toBe(true)
      expect(await tab.call('POST', `${example.origin}/payload`, { role: 'owner' })).toEqual([200])
      expect(await tab.session()).toMatchObject({ exists: true, userId: 'ada', payload: { role: 'owner' } })
      expect(await refreshes.statuses()).toEqual([200])

      expect(await tab.callWithoutProof('POST', `${example.origin}/payload`)).toBe(withoutProof)
      expect(await tab.session()).toMatchObject({ exists: true })

      await tab.signOut()
      expect(await tab.session()).toMatchObject({ exists: false })
      expect(await copyCookies(tab.page)).toBe('')
    })
  })

  test('a form on another origin of the same site cannot change anything', async () => {
    const example = await startExample({})
    onTestFinished(() => example.stop())
    const profile = await browser.newContext()
    const settings = { bundle, apiDomain: example.origin, method: 'cookie' } as const
    const tab = await SdkTab.open(profile, `${example.origin}/style.css`, settings)
    expect(await tab.call('POST', `${example.origin}/login`, { userId: 'ada' })).toEqual([200])

    for (const path of ['/payload', '/auth/session/refresh', '/auth/signout']) {
      const attack = await profile.newPage()
      await attack.goto(frontEnd.origin)
      const answer = attack.waitForResponse(example.origin + path)
      await attack.evaluate(action => {
        const form = Object.assign(document.createElement('form'), { method: 'POST', action })
        document.body.append(form)
        form.submit()
      }, example.origin + path)
      expect([path, (await answer).status(), 'cookie' in await (await answer).request().allHeaders()])
        .toEqual([path, 403, true])
    }
    expect(await tab.session()).toMatchObject({ exists: true, payload: { role: 'reader' } })
    expect(await tab.call('POST', `${example.origin}/payload`, { role: 'writer' })).toEqual([200])
  })
})
