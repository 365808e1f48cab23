import { expect, test } from 'vitest'
import { copyCookies } from './support/browser.ts'
import { cardOf, describeExample, untilSignedOut } from './support/example-page.ts'
import { logInElsewhere } from './support/outsider.ts'

describeExample('the devices in the example', pages => {
  test('lists the devices with names, places and times, and revokes them', async () => {
    const page = await pages.signIn('barbara')
    const handle = await page.locator('.identifier code').first().getAttribute('title')
    const device = await logInElsewhere(pages.example.origin, 'barbara')
    const stranger = await logInElsewhere(pages.example.origin, 'mallory')
    expect(await stranger.call('DELETE', `/devices/${handle}`)).toBe(404)
    await page.reload()
    const rows = page.locator('.devices li')
    await expect.poll(() => rows.count()).toBe(2)
    const texts = (await rows.allTextContents()).map(text => text.replace(/\s+/g, ' ').trim())
    const when = String.raw`127\.0\.0\.1, this computer · just now, \d+ \w+ \d{4}, \d\d:\d\d`
    expect(texts).toEqual([
      ['Chrome on Linux This browser', 'Sign out Chrome on Linux'], ['Firefox', 'Revoke Firefox'],
    ].map(([name, action]) => expect.stringMatching(new RegExp(`^${name} ?${when} ?${action}, signed in at [\\d:]+$`))))
    await page.getByRole('button', { name: /^Revoke Firefox/ }).click()
    await expect.poll(() => rows.count()).toBe(1)
    await page.getByText('Firefox is signed out.').waitFor({ state: 'attached' })
    // The button that had the focus is gone.
    expect(await page.locator(':focus').textContent()).toBe('Your devices')
    expect(await device.call('GET', '/me')).toBe(401)
    expect(await stranger.call('GET', '/me')).toBe(200)
    await page.getByRole('button', { name: /^Sign out Chrome on Linux/ }).click()
    await untilSignedOut(page)
    expect(await copyCookies(page)).toBe('')
  })

  test('shows the exact time on focus', async () => {
    const page = await pages.signIn('barbara')
    const time = page.locator('.devices time').first()
    await time.focus()
    expect(await time.evaluate(element => getComputedStyle(element, '::after').content))
      .toMatch(/^"\w+, \d+ \w+ \d{4} at \d\d:\d\d:\d\d \S+"$/)
  })

  test('signs the other devices out after asking, and not without', async () => {
    const page = await pages.signIn('grace')
    const devices = [await logInElsewhere(pages.example.origin, 'grace'),
      await logInElsewhere(pages.example.origin, 'grace')]
    await page.reload()
    const open = page.getByRole('button', { name: 'Sign out the other 2' })
    const dialog = page.getByRole('dialog', { name: 'Sign out 2 devices?' })
    await open.click()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.locator(':focus').textContent()).toMatch(/^\s*Sign out the other/)
    expect(await devices[0]?.call('GET', '/me')).toBe(200)
    await open.click()
    await dialog.getByRole('button', { name: 'Sign out 2 devices' }).click()
    await expect.poll(() => page.locator('.devices li').count()).toBe(1)
    await page.getByText('2 devices signed out.').waitFor({ state: 'attached' })
    expect(await Promise.all(devices.map(device => device.call('GET', '/me')))).toEqual([401, 401])
  })

  test.each(['Safari on iPhone', 'Firefox on Windows', 'Edge on Windows', 'Chrome on Android'])(
    'ends the page of a second device, %s, and measures how long it took', async name => {
      const page = await pages.signIn('edsger')
      await page.getByLabel('A second device').selectOption(name)
      await page.getByRole('button', { name: 'Sign in on it' }).click()
      const frame = page.frameLocator(`iframe[title^="${name}"]`)
      await frame.getByText('Signed in as edsger').waitFor()
      const listed = name === 'Safari on iPhone' ? 'Safari on iOS' : name.replace('Edge', 'Microsoft Edge')
      await page.getByRole('button', { name: new RegExp(`^Revoke ${listed}`) }).click()
      await frame.getByText('Signed out').waitFor()
      await frame.getByText(/revoked from another device, \d+ ms after the button was pressed/).waitFor()
      await cardOf(page, 'Your devices').getByText(/The last one ended\s+\d+ ms/).waitFor()
      await page.locator('#announcer').getByText(`The page of ${name} ended after`).waitFor({ state: 'attached' })
      // The session of the page itself goes on.
      expect(await page.getByRole('heading', { name: 'Your session' }).count()).toBe(1)
    },
  )

  test('says when the list cannot be read, and reads it on request', async () => {
    const page = await pages.signIn('hedy')
    await page.getByRole('switch', { name: 'Database stopped' }).check()
    await page.getByText('The database is stopped.').first().waitFor()
    await page.reload()
    await page.getByText('The devices cannot be read: the database does not answer.').waitFor()
    await page.getByRole('switch', { name: 'Database stopped' }).uncheck()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('This browser', { exact: true }).waitFor()
  })

  test('shows the first of fifty devices, and all on request', async () => {
    const page = await pages.signIn('many')
    for (let count = 1; count < 50; count++) await logInElsewhere(pages.example.origin, 'many')
    await page.reload()
    const rows = page.locator('.devices li')
    await page.getByText('is signed in on 50 devices').waitFor()
    expect(await rows.count()).toBe(6)
    await page.getByRole('button', { name: 'Show all 50 devices' }).click()
    expect(await rows.count()).toBe(50)
  })
})
