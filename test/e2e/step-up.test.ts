import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startClockedProgram } from '../support/clocked-program.ts'
import type { ClockedProgram } from '../support/clocked-program.ts'
import { freePort } from '../support/servers/workspace.ts'
import { call } from './client-support/tab.ts'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './support/browser.ts'

// The code of docs/step-up.md as it stands. What it leaves to its reader is `yours.mjs`.

const root = join(import.meta.dirname, '../..')
const MINUTE = 60_000

const yours = `
export const isPassword = async (userId, password) => userId === 'ada' && password === 'correct horse'
export const isCode = async (userId, code) => userId === 'ada' && code === '123456'
`

/** The code blocks of the guide by file name; blocks of one file are joined. */
function filesOfGuide(): Map<string, string> {
  const guide = readFileSync(join(root, 'docs/step-up.md'), 'utf8')
  const files = new Map<string, string>()
  for (const [, name = '', code = ''] of guide.matchAll(/^```(?:js|html) (\S+)\n(.*?)^```$/gms)) {
    files.set(name, `${files.get(name) ?? ''}${code}\n`)
  }
  return files
}

describe.skipIf(browserPath === null)('the guide to step-up in Chromium', () => {
  let browser: Browser
  let program: ClockedProgram
  let origin: string
  let directory: string
  let output = ''

  beforeAll(async () => {
    mkdirSync(join(root, '.cache'), { recursive: true })
    directory = mkdtempSync(join(root, '.cache', 'step-up-'))
    for (const [name, code] of [...filesOfGuide(), ['yours.mjs', yours] as const]) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), code)
    }
    const port = await freePort()
    origin = `http://localhost:${port}`
    const env = {
      ...process.env,
      ORIGIN: origin,
      PORT: `${port}`,
      SESSION_SECRET: 'a secret of at least 32 characters',
    }
    program = startClockedProgram(['server.mjs'], { cwd: directory, env }, text => {
      output += text
    })
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    const ended = once(program.child, 'close')
    program.child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  })

  /** Opens a page, as soon as the server listens, with a client of the test beside its own. */
  async function open(profile: Awaited<ReturnType<Browser['newContext']>>): Promise<Page> {
    const page = await profile.newPage()
    await expect.poll(() => page.goto(origin).then(() => 'open', () => output)).toBe('open')
    const content = `import { createClient } from '/keyturn/client/index.js'; window.client = createClient()`
    await page.addScriptTag({ type: 'module', content })
    await page.waitForFunction(() => typeof client === 'object')
    return page
  }

  /** Types a proof into the dialog. */
  async function prove(page: Page, label: string, proof: string): Promise<void> {
    await page.getByRole('dialog').getByText(label).waitFor()
    await page.locator('dialog input').fill(proof)
    await page.getByRole('button', { name: 'Confirm' }).click()
  }

  /** Refreshes with copied cookies, as a thief does. */
  async function refreshWith(cookie: string): Promise<number> {
    const response = await fetch(`${origin}/auth/session/refresh`, {
      method: 'POST',
      headers: { cookie, rid: 'session' },
    })
    await response.arrayBuffer()
    return response.status
  }

  test('L-17: an old login is refused, the password makes it recent, other tabs go on, old tokens end without an alarm', async () => {
    const profile = await browser.newContext()
    const page = await open(profile)
    await page.getByPlaceholder('name').fill('ada')
    await page.getByPlaceholder('password').fill('correct horse')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Done').waitFor()
    const other = await open(profile)
    const refreshes = watchRefreshes(profile)

    await program.pass(6 * MINUTE)
    const stolen = await copyCookies(page)
    const refused = page.waitForResponse(response => response.url().endsWith('/email'))
    await page.getByRole('button', { name: 'Change my address' }).click()
    expect([(await refused).status(), await (await refused).json()]).toEqual([403, {
      message: 'invalid claim',
      claimValidationErrors: [{
        id: 'auth_time',
        reason: { message: 'expired', ageInSeconds: 360, maxAgeInSeconds: 300 },
      }],
    }])
    await prove(page, 'Your password', 'wrong')
    await page.getByText('wrong password').waitFor()
    await prove(page, 'Your password', 'correct horse')
    await page.getByText('The address of ada is ada@example.com').waitFor()
    expect(await refreshes.statuses()).toEqual([])

    expect(await refreshWith(stolen)).toBe(503)
    await program.pass(31_000)
    expect(await refreshWith(stolen)).toBe(401)

    await page.getByRole('button', { name: 'Delete my account' }).click()
    await prove(page, 'The code from your app', 'wrong')
    await page.getByText('wrong code').waitFor()
    expect([...await call(other, '/orders'), ...await call(page, '/orders')]).toEqual([200, 200])
    await program.pass(61 * MINUTE)
    expect([...await call(other, '/orders'), ...await call(page, '/orders')]).toEqual([200, 200])
    expect(await refreshes.statuses()).toEqual([200])

    // An hour later, the password is asked for as well.
    await page.keyboard.press('Escape')
    await page.getByText('Nothing was changed').waitFor()
    await page.getByRole('button', { name: 'Delete my account' }).click()
    await prove(page, 'Your password', 'correct horse')
    await prove(page, 'The code from your app', '123456')
    await page.getByText('Your account is deleted').waitFor()
    expect(await call(other, '/orders')).toEqual([401])
    expect(output).not.toContain('token theft')
  })
})
