import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import type { SignedInOperator } from '../../src/console/api-types.ts'
import { answerOf, press, problemsIn, rowsOf, untilRead } from './console-support/pages.ts'
import { runConsole } from './console-support/run-console.ts'
import { hostileSessions, hostileTexts, insertAll, insertTheft, sampleSessions } from './console-support/seed.ts'
import { memory } from './console-support/stores.ts'
import { browserPath } from './support/browser.ts'

describe.skipIf(browserPath === null)('the safety of the console', () => {
  const running = runConsole(memory, async store => {
    const now = Date.now()
    await insertAll(store, [...sampleSessions(100, now), ...hostileSessions(now)])
    for (const { userId, handle } of hostileSessions(now)) {
      await insertTheft(store, { userId, handle, at: now - 1000, apart: 60_000, generation: 1 })
    }
  }, { path: '/ops/sessions' })

  test.each(hostileTexts)('CON-30: a text of a stranger is only ever a text: %j', async text => {
    const page = await running().pages.open(`#/sessions?user=${encodeURIComponent(text)}`)
    const rows = rowsOf(page, 'Sessions, newest login first')
    expect(await rows.count()).toBe(1)
    await rows.getByRole('link').first().click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    const payload = page.getByRole('region', { name: 'JWT payload as JSON' })
    expect(await payload.textContent()).toContain(JSON.stringify(text))
    await press(page, 'Edit the session data')
    expect(JSON.parse(await page.locator('#info-text').inputValue())).toEqual({ text: [text] })
    await page.locator('#login-title').locator('..').locator('..').getByRole('link').first().click()
    await page.locator('h1').getByText('User').waitFor()
    await untilRead(page)
    await running().pages.go(page, `#/thefts?user=${encodeURIComponent(text)}`)
    expect(await page.getByRole('article').count()).toBe(1)
    // Nothing has become an element, a script or a request.
    expect(await page.locator('img, iframe, script:not([src]), svg[onload], main b').count()).toBe(0)
    expect(await page.title()).toBe('Thefts · Keyturn console')
    expect(await page.evaluate(() => violations)).toEqual([])
    await page.context().close()
  })

  const ids = ['.', '..', '%2e', '%2E%2e', '../keys', 'a/b', '/', '?', '#', 'a&b=c', '+', ' ', '\u{1f511}'.repeat(255), '']
  test.each(ids.map((userId, index) => [userId, index] as const))(
    'CON-24: a user is found, shown and logged out, whatever the id is: %j', async (userId, index) => {
      const [record] = sampleSessions(1, Date.now())
      if (record === undefined) throw new Error('there is no sample')
      const handle = createHandle('header', length => new Uint8Array(length).fill(100 + index))
      await insertAll(running().opened.store, [{ ...record, handle, userId, createdAt: Date.now() }])
      const page = await running().pages.open('#/sessions')
      // From the list to the session, and from there to the user.
      await page.getByRole('link', { name: handle }).click()
      await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
      await page.locator('.answer').getByRole('link').click()
      await page.locator('h1').getByText(/^User/).waitFor()
      await untilRead(page)
      expect(await answerOf(page)).toMatch(/^1 session is active; /)
      expect(await problemsIn(page)).toEqual([])
      await page.reload()
      await untilRead(page)
      await press(page, 'Revoke 1 session…')
      await press(page.getByRole('dialog'), 'Revoke 1 session')
      await expect.poll(() => answerOf(page)).toBe('The user is not logged in.')
      await page.context().close()
    })

  test('CON-30: a direction that a stranger sets ends with their text', async () => {
    const page = await running().pages.open(`#/sessions?user=${encodeURIComponent('\u202Egnp.exe\u202C')}`)
    expect(await page.getByRole('table').locator('bdi').count()).toBeGreaterThan(1)
  })

  test('CON-32: an operator with the role read is offered no change, and refused each', async () => {
    const page = await running().pages.open('#/users/ada', 'read')
    expect(await page.getByRole('button', { name: /Revoke/ }).count()).toBe(0)
    await rowsOf(page, /Sessions of the user/).first().getByRole('link').click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    expect(await page.getByRole('button', { name: /Revoke|Edit/ }).count()).toBe(0)
    const handle = page.url().split('/').at(-1) ?? ''
    await running().pages.go(page, '#/keys')
    expect(await page.getByRole('button', { name: /Rotate/ }).count()).toBe(0)
    const answers = await page.evaluate(async handle => {
      const api = new URL('api/', location.href.split('#')[0]).href
      const { changeToken }: SignedInOperator = await (await fetch(`${api}me`)).json()
      const send = async (method: string, path: string, body?: object): Promise<string> => {
        const response = await fetch(`${api}${path}`, {
          method, headers: { 'x-console-token': changeToken, 'content-type': 'application/json' },
          ...body === undefined ? {} : { body: JSON.stringify(body) },
        })
        const { code }: { code: string } = await response.json()
        return `${response.status} ${code}`
      }
      return Promise.all([
        send('DELETE', `sessions/${handle}`), send('PUT', `sessions/${handle}/payload`, { value: {}, version: 0 }),
        send('PUT', `sessions/${handle}/info`, { value: {}, version: 0 }), send('POST', 'revocations', { userId: 'ada' }),
        send('POST', 'keys/rotation'),
      ])
    }, handle)
    expect(answers).toEqual(Array.from({ length: 5 }, () => '403 read_only'))
  })

  test('CON-32: a role that was taken away takes the changes along', async () => {
    const page = await running().pages.open('#/users/many')
    const { origin } = running().application
    await page.context().addCookies([{ name: 'operator', value: 'read-ada%40example.com', url: origin }])
    await press(page, /^Revoke all 60 sessions…$/)
    await press(page.getByRole('dialog'), 'Revoke 60 sessions')
    // The change token is bound to the role; the page asks who it is, and learns that it may only read.
    await expect.poll(() => page.getByRole('button', { name: /Revoke/ }).count()).toBe(0)
    await page.getByText('reads only').waitFor()
  })

  test('CON-10: the page of an operator whom the application refuses says what decides, and shows nothing', async () => {
    const page = await running().pages.open('#/users/ada', null)
    await page.getByText('It did not let you in.').waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    const statuses = await page.evaluate(async () => Promise.all(['me', 'overview', 'sessions', 'health', 'events']
      .map(async path => (await fetch(new URL(`api/${path}`, location.href.split('#')[0]))).status)))
    expect(statuses).toEqual([401, 401, 401, 401, 401])
  })

  test('CON-34: an operator whose session ends returns to where they were, with what they typed', async () => {
    const page = await running().pages.open('#/users/ada')
    await rowsOf(page, /Sessions of the user/).first().getByRole('link').click()
    await press(page, 'Edit the session data')
    await page.locator('#info-text').fill('{"typed": true}')
    const cookies = await page.context().cookies()
    await page.context().clearCookies()
    await press(page, 'Save the session data')
    await page.getByText('Your console session has ended.').waitFor()
    await page.context().addCookies(cookies)
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => page.locator('#info-text').inputValue()).toBe('{"typed": true}')
  })

  test('CON-31: the policy forbids everything that the pages do not need, and nothing that they do', async () => {
    const page = await running().pages.open('#/')
    const response = await page.request.get(running().application.url)
    const policy = response.headers()['content-security-policy']
    expect(policy).toBe("default-src 'none'; script-src 'self'; style-src 'self'; "
      + "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
    for (const address of ['#/sessions', '#/users/ada', '#/thefts', '#/audit', '#/keys', '#/inspector', '#/health']) {
      await running().pages.go(page, address)
    }
    expect(await page.evaluate(() => violations)).toEqual([])
    expect(await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "hacked"'
      document.body.append(script)
      return document.title
    })).toBe('Health · Keyturn console')
    // The one that this test has caused.
    running().pages.problems.splice(0, 1)
  })

  test('CON-31: the console is smaller than 64 kB, and the script of its first page than 46 kB', () => {
    const folder = join(import.meta.dirname, '../../dist/console')
    const size = (path: string): number => gzipSync(readFileSync(join(folder, path)), { level: 9 }).length
    const html = readFileSync(join(folder, 'index.html'), 'utf8')
    const [script = ''] = /assets\/[^"]+\.js/.exec(html) ?? []
    // What the first script loads later, by name.
    const later = [...readFileSync(join(folder, script), 'utf8').matchAll(/[\w-]+-[\w-]{8}\.(?:json|js|css)/g)]
      .map(([name]) => name)
    const files = new Set(['index.html', ...[...html.matchAll(/assets\/[^"]+/g)].map(([path]) => path),
      ...later.map(name => `assets/${name}`)])
    const total = [...files].reduce((sum, path) => sum + size(path), 0)
    const plots = [...files].find(path => /\/draw-[^/]+\.js$/.test(path)) ?? ''
    expect(total).toBeGreaterThan(20_000)
    expect(total).toBeLessThan(64_000)
    expect(size(script) + size(plots)).toBeLessThan(46_000)
  })
})
