import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { copyCookies } from './support/browser.ts'
import { cardOf, describeExample, press, untilSignedOut } from './support/example-page.ts'
import { LIFETIME } from './support/example.ts'

/** Two reuse intervals of the example, and a little more: afterwards a refresh is no repetition. */
const WINDOW = LIFETIME / 5 + 1000

describeExample('the theft in the example', pages => {
  const drawingOf = (page: Page): Promise<string | null> => page.locator('.lineage').getAttribute('aria-label')

  const until = (page: Page, words: string): Promise<void> => (
    page.locator('.story li').getByText(words, { exact: false }).last().waitFor()
  )

  async function expectEvidence(page: Page, presented: string, current: string): Promise<void> {
    await untilSignedOut(page)
    await page.locator('.answer').getByText('Your refresh token was used in two places.').waitFor()
    const evidence = page.locator('.evidence')
    await evidence.waitFor()
    expect((await evidence.locator('dd').allTextContents()).map(text => text.replace(/\s+/g, ' '))).toEqual([
      expect.stringContaining('revoked'), expect.stringContaining(presented), expect.stringContaining(current),
    ])
    expect(pages.example.output()).toMatch(/^theft caught: session \S+ of \S+$/m)
    expect(await copyCookies(page)).toBe('')
    // The thief has nothing any more.
    await press(page, 'Call as the thief')
    await until(page, 'The thief called a protected route: 401.')
  }

  test('catches the owner who comes with an old token, if the thief was quicker', async () => {
    const page = await pages.signIn('alan')
    await press(page, 'Copy the refresh token')
    await until(page, 'The thief copied your refresh token, number 0.')
    await press(page, 'Call as the thief')
    await until(page, 'and was answered')
    await press(page, 'Refresh as the thief')
    await until(page, 'The thief refreshed and got token 1.')
    await pages.pass(WINDOW, page)
    await press(page, 'Refresh as the thief')
    await until(page, 'The thief refreshed and got token 2.')
    expect(await drawingOf(page))
      .toBe('You: token 0, yours. Thief: token 0, copied. Thief: token 1, new. Thief: token 2, new')
    await press(page, 'Refresh as you')
    await until(page, 'Caught: you presented token 0')
    expect(await drawingOf(page)).toMatch(/You: token 0, old: theft$/)
    await expectEvidence(page, 'token 0, by Chrome on Linux', 'token 2, delivered to curl/8.14.1')
  })

  test('catches the thief who comes with an old token, and answers a repetition with the same token', async () => {
    const page = await pages.signIn('ada')
    await press(page, 'Copy the refresh token')
    await until(page, 'The thief copied')
    await press(page, 'Refresh as you')
    await until(page, 'You refreshed and got token 1.')
    await press(page, 'Refresh as the thief')
    await until(page, 'The thief refreshed and got token 1 again')
    await pages.pass(WINDOW, page)
    await press(page, 'Refresh as you')
    await until(page, 'You refreshed and got token 2.')
    await pages.pass(WINDOW, page)
    await press(page, 'Refresh as you')
    await until(page, 'You refreshed and got token 3.')
    await press(page, 'Refresh as the thief')
    await until(page, 'Caught: the thief presented token 1')
    await expectEvidence(page, 'token 1, by curl/8.14.1', 'token 3, delivered to Chrome on Linux')
  })

  test.each([
    { name: 'Play: the thief is quicker', caught: 'Caught: you presented token 0' },
    { name: 'Play: you are quicker', caught: 'Caught: the thief presented token 0' },
  ])('plays the story by itself: $name', async ({ name, caught }) => {
    const page = await pages.signIn('alan')
    await press(page, name)
    for (const words of ['The thief copied', 'and got token 1.', 'and got token 2.']) {
      await until(page, words)
      await pages.pass(WINDOW, page)
    }
    await until(page, caught)
    await page.locator('.evidence').waitFor()
    // The focus has stayed in the card, and another session can be stolen.
    await cardOf(page, 'Catch a thief').getByRole('link', { name: 'Sign in to play it again' }).click()
    await press(page, 'Sign in')
    await page.getByRole('heading', { name: 'Your session' }).waitFor()
    await press(page, 'Copy the refresh token')
    await until(page, 'The thief copied your refresh token, number 0.')
  })
})
