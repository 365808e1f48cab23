import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startConsoleApplication } from './console-support/application.ts'
import type { Tokens } from './console-support/application.ts'
import { createManualScheduler } from './console-support/manual-scheduler.ts'
import { answerOf, ConsolePages, press, rowsOf, spoken, untilRead } from './console-support/pages.ts'
import { runConsole } from './console-support/run-console.ts'
import { insertAll, sampleSessions, userAgents } from './console-support/seed.ts'
import { postgres, redis, sqlite } from './console-support/stores.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

const stores = [sqlite, postgres, redis]
/** The distance of the points of the overview. */
const STEP = 15_000

const inBrowser = describe.skipIf(browserPath === null)

inBrowser.each(stores)('the console on $name, with 10,000 sessions', kind => {
  const running = runConsole(kind, store => insertAll(store, sampleSessions(10_000, Date.now())))

  const it = test.skipIf(!kind.isAvailable)
  const list = 'Sessions, newest login first'
  const ofUser = 'Sessions of the user, newest login first'

  it('CON-36: the overview begins with the answer, explains each number, and has a table for each plot', async () => {
    await running().application.logIn('newcomer', userAgents.firefox)
    const page = await running().pages.open('#/')
    expect(await answerOf(page)).toMatch(/^✓Everything works \d+ sessions? (?:is|are) in use here\. /)
    const number = page.locator('.tiles').getByText('Cache hits')
    await number.hover()
    await expect.poll(() => page.getByRole('tooltip').textContent()).toMatch(/found the token in the cache/)
    await page.keyboard.press('Escape')
    expect(await page.getByRole('tooltip').isVisible()).toBe(false)
    await number.focus()
    expect(await page.getByRole('tooltip').isVisible()).toBe(true)
    const plots = page.locator('.plot')
    expect(await plots.locator('canvas').count()).toBe(8)
    await page.keyboard.press('t')
    await expect.poll(() => plots.locator('table').count()).toBe(8)
    expect(await plots.first().locator('tbody tr').count()).toBe(240)
    await page.keyboard.press('t')
    await expect.poll(() => plots.locator('canvas').count()).toBe(8)
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'the dashboard' }).click()
    const dashboard = await downloading
    expect(dashboard.suggestedFilename()).toBe('keyturn.json')
    expect(JSON.parse(readFileSync(await dashboard.path(), 'utf8'))).toHaveProperty('panels')
  })

  it('CON-36: finds the newest logins of all users, page by page', async () => {
    const page = await running().pages.open('#/sessions')
    const rows = rowsOf(page, list)
    expect(await rows.count()).toBe(50)
    const first = await rows.first().textContent()
    await page.getByRole('link', { name: 'Next page' }).click()
    await expect.poll(() => rows.first().textContent()).not.toBe(first)
    expect(await rows.count()).toBe(50)
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Sessions')
    await page.goBack()
    await expect.poll(() => rows.first().textContent()).toBe(first)
  })

  it('CON-36: finds by user, handle, address, tenant and device; the address bar has the search', async () => {
    const page = await running().pages.open('#/sessions')
    const search = async (text: string): Promise<void> => {
      await page.keyboard.press('/')
      await page.keyboard.type(text)
      await page.keyboard.press('Enter')
      await expect.poll(() => page.getByLabel('Find a user id').inputValue()).toBe('')
      await untilRead(page)
    }
    await search('ada')
    expect(await answerOf(page)).toBe('Active sessions of the user ada, newest login first.')
    await expect.poll(() => rowsOf(page, list).count()).toBe(3)
    await page.getByRole('row').filter({ hasText: 'ada' }).first().getByRole('link').first().click()
    await page.getByRole('button', { name: 'Copy the session handle' }).waitFor()
    const handle = page.url().split('/').at(-1)
    await search('203.0.113.7')
    expect(page.url()).toContain('ip=203.0.113.7')
    await expect.poll(async () => (await rowsOf(page, list).allTextContents())
      .every(text => text.includes('203.0.113.7'))).toBe(true)
    await search(handle ?? '')
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    await page.goBack()
    await page.getByLabel('IP address', { exact: true }).fill('')
    await page.getByLabel('Tenant', { exact: true }).fill('acme')
    await page.getByLabel('Device', { exact: true }).fill('FIREFOX')
    await press(page, 'Apply filters')
    await expect.poll(() => answerOf(page)).toBe(
      'Active sessions of all users in the tenant acme and whose user agent contains “FIREFOX”, newest login first.',
    )
    await expect.poll(async () => (await rowsOf(page, list).allTextContents())
      .every(text => text.includes('acme') && text.includes('Firefox on Linux'))).toBe(true)
    expect(page.url()).toMatch(/#\/sessions\?tenant=acme&device=FIREFOX$/)
    await page.reload()
    await untilRead(page)
    expect(await page.getByLabel('Device', { exact: true }).inputValue()).toBe('FIREFOX')
    await page.getByRole('link', { name: 'Clear' }).click()
    await expect.poll(() => rowsOf(page, list).count()).toBe(50)
  })

  it('CON-36: says that nothing matches, and what else to try', async () => {
    const page = await running().pages.open('#/sessions?user=nobody')
    await page.getByText('No active session matches.').waitFor()
    await page.getByRole('link', { name: 'device “nobody”' }).waitFor()
    await running().pages.go(page, '#/users/nobody')
    expect(await answerOf(page)).toBe('The user is not logged in.')
    await running().pages.go(page, '#/sessions/cAAAAAAAAAAAAAAAAAAAAAA')
    expect(await answerOf(page)).toBe('This session is not active.')
    await running().pages.go(page, '#/nowhere')
    expect(await answerOf(page)).toBe('The console has no page at this address.')
  })

  /** Logs a user in so many times and opens the page of the first session. */
  async function openSession(userId: string, count: number): Promise<{ page: Page; tokens: Tokens[] }> {
    const tokens: Tokens[] = []
    for (const agent of Object.values(userAgents).slice(0, count)) {
      running().application.clock.advance(1000)
      tokens.push(await running().application.logIn(userId, agent))
    }
    const page = await running().pages.open(`#/users/${userId}`)
    await rowsOf(page, ofUser).last().getByRole('link').click()
    await page.getByRole('heading', { name: 'How long does it live?' }).waitFor()
    return { page, tokens }
  }

  it('CON-36: shows a session in words, with its lifetimes', async () => {
    const { page } = await openSession('grace', 1)
    expect(await answerOf(page)).toBe('grace is logged in on Firefox on Linux; the last refresh was just now.')
    await page.getByText('It was not refreshed since the login').waitFor()
    const meters = page.getByRole('meter')
    expect(await meters.evaluateAll(all => all.map(meter => meter.getAttribute('aria-label')))).toEqual([
      'Access token', 'Without a refresh',
    ])
    expect(await meters.first().getAttribute('aria-valuetext')).toMatch(/^ends in \d+ minutes?$|^ends in 1 hour$/)
    await press(page, 'Copy the session handle')
    await expect.poll(() => spoken(page)).toContain('Copied the session handle.')
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url().split('/').at(-1))
  })

  it('CON-33: revokes one session, the others, and all, after asking', async () => {
    const { page, tokens } = await openSession('edsger', 4)
    const statuses = (): Promise<number[]> => Promise.all(tokens.map(({ accessToken }) => (
      running().application.call(accessToken))))
    await press(page, 'Revoke this session…')
    const dialog = page.getByRole('dialog', { name: 'Revoke 1 session?' })
    await dialog.getByText('This cannot be undone.').waitFor()
    await press(dialog, 'Cancel')
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Revoke this session…')
    expect(await statuses()).toEqual([200, 200, 200, 200])
    await press(page, 'Revoke this session…')
    await press(dialog, 'Revoke 1 session')
    await expect.poll(() => answerOf(page)).toBe('The session of edsger on Firefox on Linux was revoked.')
    await expect.poll(statuses).toEqual([401, 200, 200, 200])
    await expect.poll(() => page.locator(':focus').textContent()).toMatch(/^Session/)
    await expect.poll(() => spoken(page)).toContain('The session of edsger on Firefox on Linux was revoked.')

    await running().pages.go(page, '#/users/edsger')
    expect(await answerOf(page)).toMatch(/^3 sessions are active; the last refresh was just now from/)
    await rowsOf(page, ofUser).last().getByRole('link').click()
    await press(page, 'Revoke the other 2…')
    await press(page.getByRole('dialog', { name: 'Revoke 2 other sessions?' }), 'Revoke 2 other sessions')
    await page.getByText('2 sessions of edsger were revoked.').first().waitFor()
    await expect.poll(statuses).toEqual([401, 200, 401, 401])

    await running().application.logIn('edsger', userAgents.chrome)
    await running().pages.go(page, '#/users/edsger')
    await press(page, 'Revoke all 2 sessions…')
    await press(page.getByRole('dialog', { name: 'Revoke 2 sessions?' }), 'Revoke 2 sessions')
    await expect.poll(() => answerOf(page)).toBe('The user is not logged in.')
    await expect.poll(statuses).toEqual([401, 401, 401, 401])
  })

  it('CON-36: edits payload and data, and says what is wrong before and after it is sent', async () => {
    const { page } = await openSession('barbara', 1)
    const text = page.getByLabel('JWT payload as a JSON object')
    await press(page, 'Edit the JWT payload')
    await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe('payload-text')
    await text.fill('[1]')
    await press(page, 'Save the JWT payload')
    await page.getByText('This must be a JSON object, such as {"plan": "pro"}; received an array.').first().waitFor()
    expect(await text.getAttribute('aria-invalid')).toBe('true')
    await text.fill('{"sub":"mallory"}')
    await press(page, 'Save the JWT payload')
    await page.locator('#payload-problem').getByText(/sub/).waitFor()
    await text.fill('{"plan":"pro"}')
    await press(page, 'Save the JWT payload')
    await page.getByRole('region', { name: 'JWT payload as JSON' }).getByText('"plan": "pro"').waitFor()
    await expect.poll(() => page.locator(':focus').textContent()).toBe('JWT payload')
    await press(page, 'Edit the session data')
    await page.getByLabel('Session data as a JSON object').fill('{"cart":["sku-9"]}')
    await press(page, 'Save the session data')
    await page.getByText('"sku-9"').waitFor()
  })

  it('CON-36: draws a theft as two lines that cross, and names who used which token', async () => {
    const honest = await running().application.logIn('victim', userAgents.firefox)
    running().application.clock.advance(20_000)
    const next = await running().application.refresh(honest.refreshToken, userAgents.firefox)
    running().application.clock.advance(20_000)
    // The client has the new token: its access token is used.
    expect(await running().application.call(next?.accessToken ?? '')).toBe(200)
    running().application.clock.advance(20_000)
    expect(await running().application.refresh(next?.refreshToken ?? '', userAgents.firefox)).not.toBeNull()
    running().application.clock.advance(60_000)
    expect(await running().application.refresh(honest.refreshToken, userAgents.chrome)).toBeNull()
    const page = await running().pages.open('#/thefts?user=victim')
    await expect.poll(async () => {
      await page.reload()
      await untilRead(page)
      return answerOf(page)
    }).toBe('The latest token theft of the user victim was detected just now; its session was revoked.')
    const alarm = page.getByRole('article')
    expect(await alarm.locator('figcaption').textContent())
      .toMatch(/^The lines cross: the older token was used 1 minute/)
    const [left = [], right = []] = await Promise.all(['.issued', '.used'].map(side => (
      alarm.locator(`${side} .token`).allTextContents())))
    expect(left).toEqual(['Token 0', 'Token 2'])
    expect(right.map(text => text.replace(/\s+/g, ' '))).toEqual([
      expect.stringContaining('Token 2 had become currentFirefox on Linux, 127.0.0.1'),
      expect.stringContaining('Token 0 was presentedChrome on Windows, 127.0.0.1'),
    ])
    const ends = await alarm.locator('line').evaluateAll(lines => lines.map(line => (
      [line.getAttribute('y1'), line.getAttribute('y2')])))
    expect(ends).toEqual([['25', '75'], ['75', '25']])
  })

  it('CON-36: writes down what operators did, shows it and exports it', async () => {
    const { page } = await openSession('audited', 1)
    await press(page, 'Revoke this session…')
    await press(page.getByRole('dialog'), 'Revoke 1 session')
    await page.getByText('No active session has this handle.').waitFor()
    await running().pages.go(page, '#/audit?user=audited')
    const row = rowsOf(page, 'Audit entries, newest first').first()
    const text = (await row.textContent() ?? '').replace(/\s+/g, ' ')
    expect(text).toMatch(/Revocation ?Revoke the session \S+ of the user "audited"\. The session was revoked\. ?✓Done/)
    expect(text).toContain('ada@example.com (manage)')
    for (const format of ['JSON', 'CSV'] as const) {
      const downloading = page.waitForEvent('download')
      await page.getByRole('link', { name: `Export the audit log as ${format}` }).click()
      const stream = await (await downloading).createReadStream()
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      const file = Buffer.concat(chunks).toString()
      expect(file).toContain('The session was revoked.')
      const entry = expect.objectContaining({ operator: 'ada@example.com' })
      if (format === 'JSON') expect(JSON.parse(file)).toContainEqual(entry)
    }
  })

  it('CON-36: shows the keys, and rotates them after asking', async () => {
    const page = await running().pages.open('#/keys')
    expect(await answerOf(page))
      .toMatch(/^The key that signs access tokens has been in use .* All keys are encrypted\.$/)
    const before = await rowsOf(page, 'Keys').count()
    const keySet = await page.getByRole('region', { name: 'The public key set as JSON' }).textContent()
    expect(JSON.parse(keySet ?? '')).toHaveProperty('keys')
    await press(page, 'Rotate now…')
    await press(page.getByRole('dialog', { name: 'Rotate the keys now?' }), 'Publish the next keys')
    await page.getByText('The next keys are published, and are used an hour later.').first().waitFor()
    await expect.poll(() => rowsOf(page, 'Keys').count()).toBeGreaterThan(before)
  })

  it('CON-36: judges a token, and keeps nothing of it', async () => {
    const { accessToken } = await running().application.logIn('token-owner', userAgents.firefox)
    const page = await running().pages.open('#/inspector')
    await press(page, 'Inspect the token')
    await page.getByText('Paste an access token first.').first().waitFor()
    await page.getByLabel('Access token').fill(`Bearer ${accessToken}`)
    await press(page, 'Inspect the token')
    const verdicts = page.locator('.verdicts dt')
    await expect.poll(() => verdicts.allTextContents())
      .toEqual(['Header', 'Claims', 'Signature', 'Key', 'Lifetime', 'Revocation'])
    expect(await page.locator('.verdicts .badge').allTextContents()).toEqual(Array.from({ length: 6 }, () => '✓Good'))
    await page.getByRole('region', { name: 'Claims as JSON' }).getByText('token-owner').waitFor()
    await page.getByLabel('Access token').fill(`${accessToken.slice(0, -8)}AAAAAAAA`)
    await press(page, 'Inspect the token')
    await expect.poll(() => page.locator('.verdicts .badge').nth(2).textContent()).toBe('✕Bad')
    await press(page, 'Clear')
    expect(await page.getByLabel('Access token').inputValue()).toBe('')
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await page.getByRole('link', { name: 'Token inspector' }).click()
    expect(await page.getByLabel('Access token').inputValue()).toBe('')
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).toBe('[{},{}]')
  })

  it('CON-36: shows health, findings and the configuration without secrets', async () => {
    const page = await running().pages.open('#/health')
    expect(await answerOf(page)).toMatch(/^Everything works, for .* now\. /)
    const options = rowsOf(page, 'Options')
    const all = await options.count()
    expect(all).toBeGreaterThan(10)
    expect(await page.locator('main').textContent()).not.toContain('the secret of the tests')
    await page.getByRole('checkbox', { name: /Only what differs/ }).check()
    expect(await options.count()).toBeLessThan(all)
  })
})

inBrowser('the numbers of the overview', () => {
  test('CON-20: are those of the process, in plots and in tables', async () => {
    const scheduler = createManualScheduler()
    const start = Math.floor(Date.now() / STEP) * STEP
    const application = await startConsoleApplication(createMemoryStore(), { start, schedule: scheduler.schedule })
    const browser = await launchBrowser()
    try {
      const pages = new ConsolePages(browser, application)
      // Reading the page also waits until the console is open, and measures.
      await (await pages.open('#/')).close()
      await application.logIn('newcomer', userAgents.firefox)
      application.clock.advance(STEP)
      await scheduler.pass(STEP)
      const page = await pages.open('#/')
      expect(await answerOf(page))
        .toBe('✓Everything works 0 sessions are in use here. In the last hour: 1 login, 0 revocations, no theft.')
      expect(await page.locator('.tiles dd').nth(1).textContent()).toBe('1 in the last hour')
      await page.getByRole('button', { name: 'Table of “How many log in, and how many are logged out?”' }).click()
      const rows = page.getByRole('table', { name: /How many log in/ }).locator('tbody tr')
      expect(await rows.allTextContents()).toEqual([
        expect.stringMatching(/^\d\d:\d\d:\d\d10$/),
        ...Array.from({ length: 239 }, () => expect.stringMatching(/not measurednot measured$/)),
      ])
      expect(await page.getByRole('img', { name: /How many sessions are refreshed/ }).getAttribute('aria-label'))
        .toBe('How many sessions are refreshed? per 15 seconds, in the last hour. Refreshes: from 0 to 0, last 0.')
      expect(pages.problems).toEqual([])
    } finally {
      await browser.close()
      await application.close()
    }
  })
})
