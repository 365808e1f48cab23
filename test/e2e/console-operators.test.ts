import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { answerOf, press, rowsOf, spoken, untilRead } from './console-support/pages.ts'
import { runConsole } from './console-support/run-console.ts'
import { insertAll, sampleSessions } from './console-support/seed.ts'
import { postgres, redis, sqlite } from './console-support/stores.ts'
import { browserPath } from './support/browser.ts'

const stores = [sqlite, postgres, redis]

describe.skipIf(browserPath === null).each(stores)('two operators on $name', kind => {
  const running = runConsole(kind, store => insertAll(store, sampleSessions(100, Date.now())))

  const it = test.skipIf(!kind.isAvailable)

  async function openTogether(row: number): Promise<readonly [Page, Page]> {
    const one = await running().pages.open('#/users/ada')
    await rowsOf(one, /Sessions of the user/).nth(row).getByRole('link').click()
    await one.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    return [one, await running().pages.open(new URL(one.url()).hash)]
  }

  async function edit(page: Page, text: string): Promise<void> {
    await press(page, 'Edit the JWT payload')
    await page.locator('#payload-text').fill(text)
  }

  it('CON-33: who saves second sees both versions, and decides', async () => {
    const [one, other] = await openTogether(0)
    await edit(one, '{"plan":"free","by":"one"}')
    await edit(other, '{"plan":"free","by":"other"}')
    await press(one, 'Save the JWT payload')
    await one.getByRole('button', { name: 'Edit the JWT payload' }).waitFor()
    await press(other, 'Save the JWT payload')
    const conflict = other.locator('.conflict')
    await conflict.waitFor()
    await expect.poll(() => other.locator(':focus').textContent())
      .toBe('Somebody else has saved another version meanwhile')
    await expect.poll(() => spoken(other))
      .toContain('Somebody else has changed the JWT payload meanwhile. Both versions are shown.')
    // Only what differs in meaning is marked, however it was typed.
    for (const [name, own] of [['Theirs, saved', 'one'], ['Yours, not saved', 'other']] as const) {
      const marked = await conflict.getByRole('region', { name }).locator('mark').allTextContents()
      expect(marked.map(line => line.trim())).toEqual([`"by": "${own}"`])
    }
    await press(other, 'Save your version over theirs')
    await other.getByRole('region', { name: 'JWT payload as JSON' }).getByText('"by": "other"').waitFor()
    // The first operator now has the older version, and keeps that of the second.
    await edit(one, '{"by":"one again"}')
    await press(one, 'Save the JWT payload')
    await press(one, 'Keep theirs and discard yours')
    await one.getByRole('region', { name: 'JWT payload as JSON' }).getByText('"by": "other"').waitFor()
  })

  it('CON-33: a change of a session that the other has revoked is refused with the reason', async () => {
    const [one, other] = await openTogether(1)
    await edit(other, '{}')
    await press(one, 'Revoke this session…')
    await press(one.getByRole('dialog'), 'Revoke 1 session')
    await expect.poll(() => answerOf(one)).toMatch(/was revoked/)
    await press(other, 'Save the JWT payload')
    await other.locator('#payload-problem').getByText('There is no such session').waitFor()
    await press(other, 'Revoke this session…')
    await press(other.getByRole('dialog'), 'Revoke 1 session')
    await other.locator('#dialog-problem').getByText('There is no such session').waitFor()
    await other.reload()
    await untilRead(other)
    expect(await answerOf(other)).toBe('This session is not active.')
  })
})

describe.skipIf(browserPath === null).each([postgres, redis])('$name, stopped and back', kind => {
  const running = runConsole(kind, store => insertAll(store, sampleSessions(100, Date.now())))

  const it = test.skipIf(!kind.isAvailable)

  it('CON-34: the console says so, keeps what it shows, and goes on by itself', async () => {
    const page = await running().pages.open('#/users/ada')
    const overview = await running().pages.open('#/')
    const fresh = await running().pages.open('#/')
    await running().opened.server?.stop()
    await press(page, 'Revoke all 3 sessions…')
    await press(page.getByRole('dialog'), 'Revoke 3 sessions')
    await page.locator('#dialog-problem').getByText('The store does not answer.').waitFor()
    await press(page.getByRole('dialog'), 'Cancel')
    const banner = page.locator('main > .problem').getByText('The store does not answer.')
    await banner.waitFor()
    // What was read stays.
    expect(await rowsOf(page, /Sessions of the user/).count()).toBe(3)
    await running().pages.go(fresh, '#/sessions')
    await fresh.getByText('The sessions cannot be read.').waitFor()
    await overview.reload()
    await overview.getByText(/Something fails, for .* now/).first().waitFor()
    await running().opened.server?.restart()
    await banner.waitFor({ state: 'detached' })
    await expect.poll(() => spoken(page)).toContain('The connection is back. The page was read again.')
    await expect.poll(() => rowsOf(fresh, 'Sessions, newest login first').count()).toBe(50)
    await press(page, 'Revoke all 3 sessions…')
    await press(page.getByRole('dialog'), 'Revoke 3 sessions')
    await expect.poll(() => answerOf(page)).toBe('The user is not logged in.')
  })
})

describe.skipIf(browserPath === null)('a network that is away', () => {
  const running = runConsole(sqlite, store => insertAll(store, sampleSessions(10, Date.now())))

  test('CON-34: the console says so, keeps what it shows, and goes on by itself', async () => {
    const page = await running().pages.open('#/users/ada')
    await page.context().setOffline(true)
    await page.getByRole('link', { name: 'Keys' }).click()
    await page.getByText('The keys cannot be read.').waitFor()
    await page.getByText('The server of the console does not answer.').first().waitFor()
    await page.context().setOffline(false)
    await page.getByRole('table', { name: 'Keys' }).waitFor()
    expect(await page.locator('.problem').count()).toBe(0)
  })
})
