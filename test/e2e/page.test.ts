import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copyCookies, watchRefreshes } from './support/browser.ts'
import { describeExample, press, stepsOf, untilExpired, untilSignedIn, untilSignedOut } from './support/example-page.ts'
import { logInElsewhere } from './support/outsider.ts'

// With the page's own module. It is text, because the test runner would transform an `import` here. The addresses
// differ, because Chromium sends requests for the same address one after the other.
const tenCalls = `import('/session.js').then(async ({ request }) => {
  const responses = await Promise.all(Array.from({ length: 10 }, (_, number) => request('/me?' + number)))
  return responses.map(({ status }) => status)
})`

/** A piece of code that a card shows. */
interface Piece {
  readonly file: string
  readonly line: number
  readonly text: string
}

const expired = 'The access token had expired'

describeExample('the page of the example in Chromium', pages => {
  test('shows the session after sign-in, counts down, refreshes at the next call', async () => {
    const page = await pages.signIn('ada lovelace')
    const meter = page.getByRole('meter', { name: 'Time left on the access token' })
    const left = async (): Promise<number> => Number.parseInt(await meter.getAttribute('aria-valuetext') ?? '', 10)
    expect(await page.locator('#user-id').textContent()).toBe('ada lovelace')
    await expect.poll(left).toBeGreaterThan(0)
    const before = await left()
    await page.clock.fastForward(10_000)
    await expect.poll(left).toBeLessThanOrEqual(before - 10)
    const refreshes = watchRefreshes(page.context())
    await pages.expire(page)
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered, with 1 refresh.').first().waitFor()
    expect(await refreshes.statuses()).toEqual([200])
    expect(await stepsOf(page, 'it refreshed first')).toEqual(['refresh 200 token 1', 'GET /me 200'])
    await expect.poll(left).toBeGreaterThan(0)
  })

  test('shows that ten refused calls cost one refresh', async () => {
    const page = await pages.signIn('grace')
    await press(page, 'Expire the access token')
    await untilExpired(page)
    await press(page, '10 calls at once')
    await page.getByText('All 10 requests were answered, with 1 refresh.').first().waitFor()
    expect(await stepsOf(page, `${expired}: 10 times 401, one refresh`))
      .toEqual(['10 × GET /me 401', 'refresh 200 token 1', '10 × again GET /me 200'])
  })

  test('refreshes once for the calls of two tabs, and shows both', async () => {
    const page = await pages.signIn('grace')
    const other = await pages.open(page.context())
    await untilSignedIn(other)
    // Browsers slow the pages down that nobody sees.
    await page.bringToFront()
    const refreshes = watchRefreshes(page.context())
    await press(page, 'Expire the access token')
    await untilExpired(other)
    await press(page, '10 calls in every tab')
    await page.getByText('All 10 requests were answered').first().waitFor()
    const rows = page.getByRole('listitem')
    for (const tab of ['Tab 1', 'Tab 2']) {
      await rows.filter({ hasText: tab }).filter({ hasText: /again GET \/me 200/ }).waitFor()
    }
    expect(await refreshes.statuses()).toEqual([200])
  })

  test('refreshes once for the parallel calls of 2 tabs after expiry', async () => {
    const page = await pages.signIn('grace')
    const other = await pages.open(page.context())
    await untilSignedIn(other)
    const refreshes = watchRefreshes(page.context())
    await pages.expire(page, other)
    const statuses = await Promise.all([page, other].map(tab => tab.evaluate(tenCalls)))
    expect(statuses.flat()).toEqual(Array(20).fill(200))
    expect(await refreshes.statuses()).toEqual([200])
  })

  test('keeps the session when ten refreshes race past the client, round after round', async () => {
    const page = await pages.signIn('donald')
    for (let round = 0; round < 3; round++) {
      await press(page, '10 refreshes at once')
      await page.getByText('10 refreshes were answered, with one and the same new refresh token.').first().waitFor()
    }
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered').first().waitFor()
  })

  test('keeps the session when an answer is lost, and gets the same token again', async () => {
    const page = await pages.signIn('edith')
    await press(page, 'Lose the next answer')
    await page.getByText('its answer will be lost').first().waitFor()
    await press(page, 'Expire the access token')
    await press(page, 'Call a protected route')
    await page.getByText('0 of 1 requests were answered. The session is kept.').first().waitFor()
    expect(await stepsOf(page, 'its answer was lost')).toEqual(['GET /me 401', 'refresh 504'])
    // The client tries again by itself.
    await pages.pass(4000, page)
    await page.getByRole('listitem').filter({ hasText: 'refresh 200' }).first().waitFor()
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered').first().waitFor()
  })

  test('keeps the session offline, and says so', async () => {
    const page = await pages.signIn('hedy')
    await page.getByRole('switch', { name: 'Offline' }).check()
    await press(page, 'Call a protected route')
    await page.getByText('0 of 1 requests were answered. The session is kept.').first().waitFor()
    await stepsOf(page, 'Offline: nothing was sent.')
    await page.getByRole('button', { name: 'Save the Session info' }).click()
    await page.getByText('The server cannot be reached. Your session is kept.').first().waitFor()
    await page.getByRole('switch', { name: 'Offline' }).uncheck()
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered').first().waitFor()
  })

  test('answers protected routes while the database is stopped, and says what does not work', async () => {
    const page = await pages.signIn('barbara')
    await page.getByRole('switch', { name: 'Database stopped' }).check()
    await page.getByText('The database is stopped. Requests with a valid access token').waitFor()
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered, with no refresh.').first().waitFor()
    await page.getByRole('button', { name: 'Save the Session info' }).click()
    await page.getByText('The database does not answer. Your session is kept.').first().waitFor()
    await pages.pass(2000, page)
    await press(page, 'Expire the access token')
    await press(page, 'Call a protected route')
    const words = 'The server cannot refresh now, and says when to try again.'
    await expect.poll(async () => (await stepsOf(page, words))[0], { timeout: 20_000 }).toBe('GET /me 401')
    const stranger = await pages.open()
    await press(stranger, 'Sign in')
    await stranger.getByText('The database does not answer.').first().waitFor()
    await page.getByRole('switch', { name: 'Database stopped' }).uncheck()
    await pages.pass(60_000, page)
    await press(page, 'Call a protected route')
    await page.getByText('The request was answered').first().waitFor()
  })

  test('changes the payload and the info across reloads, and refuses in words what is no object', async () => {
    const page = await pages.signIn('ada')
    const payload = page.getByRole('textbox', { name: 'JWT payload' })
    const info = page.getByRole('textbox', { name: 'Session info' })
    await expect.poll(async () => [await payload.inputValue(), await info.inputValue()])
      .toEqual(['{"role":"reader"}', '{"note":""}'])
    const save = (name: string): Promise<void> => page.getByRole('button', { name: `Save the ${name}` }).click()
    const problemOf = (id: string): Promise<string | null> => page.locator(`#${id}-problem`).textContent()

    await payload.fill('no JSON')
    await save('JWT payload')
    expect(await problemOf('payload')).toMatch(/^This is not JSON: /)
    expect(await payload.getAttribute('aria-describedby')).toBe('payload-hint payload-problem')
    for (const [id, field] of [['payload', payload], ['info', info]] as const) {
      await field.fill('[1,2]')
      await save(id === 'info' ? 'Session info' : 'JWT payload')
      await expect.poll(() => problemOf(id)).toMatch(/must be/)
    }

    await payload.fill('{ "role": "writer" }')
    await save('JWT payload')
    await page.locator('#payload-form').getByText('Saved at').waitFor()
    await info.fill('{ "note": "hello" }')
    await save('Session info')
    await page.locator('#info-form').getByText('Saved at').waitFor()
    await page.reload()
    await untilSignedIn(page)
    await expect.poll(async () => [await payload.inputValue(), await info.inputValue()])
      .toEqual(['{"role":"writer"}', '{"note":"hello"}'])
  })

  test('shows the code that runs, with its place in the file', async () => {
    const answer = await fetch(`${pages.example.origin}/demonstration/code`)
    const cards: Readonly<Record<string, readonly Piece[]>> = await answer.json()
    expect(Object.keys(cards)).toEqual(['session', 'refresh', 'theft', 'devices', 'data'])
    for (const { file, line, text } of Object.values(cards).flat()) {
      const lines = readFileSync(join(import.meta.dirname, '../../examples/express', file), 'utf8').split('\n')
      const shown = text.split('\n')
      const depth = lines[line - 1]?.search(/\S/) ?? 0
      expect(lines.slice(line - 1, line - 1 + shown.length).map(each => each.slice(depth))).toEqual(shown)
      expect(text).not.toMatch(/\n$/)
    }
    const page = await pages.signIn('ada')
    // On a wide screen it is open, beside the card.
    await page.getByText("app.get('/me', async (request, response) => {").waitFor()
  })

  test('ends at once, and says why, when another device revokes the session', async () => {
    const page = await pages.signIn('edsger')
    const device = await logInElsewhere(pages.example.origin, 'edsger')
    const handle = await page.locator('.identifier code').first().getAttribute('title')
    expect(await device.call('DELETE', `/devices/${handle}`)).toBe(200)
    await untilSignedOut(page)
    await page.getByText('This session was revoked.').first().waitFor()
    expect(await copyCookies(page)).toBe('')
  })

  test('copies the handle of the session', async () => {
    const page = await pages.signIn('ada', { permissions: ['clipboard-read', 'clipboard-write'] })
    await press(page, 'Copy the session handle')
    await page.locator('#announcer').getByText('Copied the session handle').waitFor({ state: 'attached' })
    expect(await page.evaluate(() => navigator.clipboard.readText()))
      .toBe(await page.locator('.identifier code').first().getAttribute('title'))
  })

  test('signs out, in all tabs, and says where', async () => {
    const page = await pages.signIn('ada')
    const other = await pages.open(page.context())
    await untilSignedIn(other)
    await page.bringToFront()
    await press(page, 'Sign out')
    await untilSignedOut(page)
    await page.getByText('You signed out.').first().waitFor()
    await expect.poll(() => copyCookies(page)).toBe('')
    await untilSignedOut(other)
    await other.getByText('You signed out in another tab.').first().waitFor()
  })
})
