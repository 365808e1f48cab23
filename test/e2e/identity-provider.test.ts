import { createServer } from 'node:https'
import type { Browser, Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/servers/workspace.ts'
import { browserPath, launchBrowser } from './support/browser.ts'
import { createCertificate } from './support/certificate.ts'
import { codeOf, startDocumentedApplication } from './support/documented-application.ts'
import type { DocumentedApplication } from './support/documented-application.ts'
import { startIdentityProvider } from './support/identity-provider.ts'
import type { Running } from './support/identity-provider.ts'

// The code of docs/log-in-with-an-identity-provider.md, with a real provider. The application, the provider and the
// mail are on three sites, over https; the names of all three lead to this machine.

const hosts = ['app.example.com', 'id.identity.example', 'mail.example.org'] as const
const certificate = createCertificate(hosts)
const code = codeOf('log-in-with-an-identity-provider.md', 'server.mjs')
const client = { CLIENT_ID: 'keyturn-guide', CLIENT_SECRET: 'a client secret of the tests' }

describe.skipIf(browserPath === null)('the guide to identity providers in Chromium', () => {
  const running: Running[] = []
  let browser: Browser
  let application: DocumentedApplication
  let cautious: DocumentedApplication
  let mail: Running
  let mailbox = ''

  beforeAll(async () => {
    const at = async (host: string): Promise<string> => `https://${host}:${await freePort()}`
    const [origin, otherOrigin, issuer, mailOrigin] = [
      await at(hosts[0]), await at(hosts[0]), await at(hosts[1]), await at(hosts[2]),
    ]
    running.push(await startIdentityProvider(issuer, certificate, {
      id: client.CLIENT_ID, secret: client.CLIENT_SECRET, origins: [origin, otherOrigin],
    }))
    const settings = { ...client, ISSUER: issuer }
    application = await startDocumentedApplication(code, origin, certificate, settings)
    const without = code.replace(', {}, { allowCrossSitePost: true })', ')')
    expect(without).not.toBe(code)
    cautious = await startDocumentedApplication(without, otherOrigin, certificate, settings)
    mail = await startMail(mailOrigin, () => mailbox)
    running.push(application, cautious, mail)
    browser = await launchBrowser([], [
      '--ignore-certificate-errors', `--host-resolver-rules=${hosts.map(host => `MAP ${host} 127.0.0.1`).join(',')}`,
    ])
  })

  afterEach(async () => {
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    for (const each of running) await each.close()
  })

  /** Opens an address of an application, as soon as it listens. */
  async function open(url: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await expect.poll(() => page.goto(url).then(() => 'open', () => application.output() + cautious.output())).toBe(
      'open',
    )
    return page
  }

  /** Logs in at the provider; resolves to the response to the callback. */
  async function logInAtProvider(page: Page): Promise<Response> {
    const callback = page.waitForResponse(response => new URL(response.url()).pathname.endsWith('/callback'))
    await page.getByPlaceholder('Enter any login').fill('ada')
    await page.getByPlaceholder('and password').fill('any')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    return callback
  }

  /** The method of a request, and where the browser says that it came from. */
  async function cameFrom(response: Response): Promise<readonly (string | undefined)[]> {
    const headers = await response.request().allHeaders()
    return [response.request().method(), headers['sec-fetch-site'], headers['sec-fetch-mode'],
      headers['sec-fetch-dest']]
  }

  test('L-01: a login by redirect, and a sign-out at the provider too', async () => {
    const page = await open(application.origin)
    await page.getByRole('link', { name: 'Log in' }).click()
    const callback = await logInAtProvider(page)
    expect(await cameFrom(callback)).toEqual(['GET', 'cross-site', 'navigate', 'document'])
    await page.getByText('Hello, ada').waitFor()
    const names = (await page.context().cookies(application.origin)).map(({ name }) => name)
    expect(names).toContain('__Host-sAccessToken')
    expect(names).not.toContain('__Host-login')

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Yes, sign me out' }).click()
    await page.getByRole('link', { name: 'Log in' }).waitFor()
    expect(new URL(page.url()).origin).toBe(application.origin)
    const left = (await page.context().cookies(application.origin)).map(({ name }) => name)
    expect(left.filter(name => name.includes('sAccessToken') || name.includes('sRefreshToken'))).toEqual([])
  })

  test('L-01: a login with response_mode=form_post', async () => {
    const page = await open(`${application.origin}/login/form`)
    const callback = await logInAtProvider(page)
    expect(await cameFrom(callback)).toEqual(['POST', 'cross-site', 'navigate', 'document'])
    await page.getByText('Hello, ada').waitFor()
  })

  test('L-01: without allowCrossSitePost, the same form is refused', async () => {
    const page = await open(`${cautious.origin}/login/form`)
    const callback = await logInAtProvider(page)
    expect(callback.status()).toBe(403)
    await page.getByText('cross-site request refused').waitFor()
    const names = (await page.context().cookies(cautious.origin)).map(({ name }) => name)
    expect(names).not.toContain('__Host-sAccessToken')
  })

  test('L-01: a login by a link in a web mail, in the browser that asked for it', async () => {
    const page = await open(application.origin)
    await page.evaluate(() => {
      document.body.innerHTML =
        '<form method="post" action="/login/mail"><input name="address" value="ada@example.org"></form>'
      document.forms[0]?.submit()
    })
    await page.getByText('We have sent you a mail').waitFor()
    await expect.poll(() => application.links.length).toBe(1)
    mailbox = application.links[0] ?? ''

    const stranger = await open(mail.origin)
    await stranger.getByRole('link').click()
    await stranger.getByText('was asked for in another browser').waitFor()

    await page.goto(mail.origin)
    const landing = page.waitForResponse(response => response.url() === mailbox)
    await page.getByRole('link').click()
    expect(await cameFrom(await landing)).toEqual(['GET', 'cross-site', 'navigate', 'document'])
    await page.getByText('Hello, ada@example.org').waitFor()
  })

  test('a callback that this browser did not begin is refused by the state', async () => {
    const page = await open(`${application.origin}/login/callback?code=stolen&state=other`)
    await page.getByText('This login has expired').waitFor()
    expect(await page.context().cookies(application.origin)).toEqual([])
  })
})

/** A web mail on a third site, whose page has the link of the mail. */
async function startMail(origin: string, link: () => string): Promise<Running> {
  const server = createServer(certificate, (_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html><title>Mail</title><a href="${link()}">log in</a>`)
  })
  await new Promise<void>(resolve => server.listen(Number(new URL(origin).port), '127.0.0.1', resolve))
  return {
    origin,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
