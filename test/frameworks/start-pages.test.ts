// The applications of docs/start that a framework must build, with the files as they stand on the page.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driveExample } from '../support/drive-example.ts'
import { blocksOf, readPage } from '../support/samples.ts'
import { prepareDocumentedApp, startApp } from './support/example-app.ts'
import type { ExampleApp } from './support/example-app.ts'
import { PageBrowser } from './support/page-browser.ts'
import { expire } from './support/server-rendering.ts'

/** The files of a page, whatever their language. */
const filesOf = (page: string): readonly { readonly file: string; readonly code: string }[] => (
  blocksOf(readPage(page)).filter(({ info }) => /\.\w+$/.test(info)).map(({ info, code }) => ({ file: info, code })))

/** The name of the user that the first page shows; null if nobody is logged in. */
const greeted = (body: string): string | null => /Hello, (?:<!-- ?-->)?(\w+)/.exec(body)?.[1] ?? null

function rendersPages(app: () => ExampleApp): void {
  test('logs in, refreshes before a page, and logs out everywhere', async () => {
    const [one, other] = [new PageBrowser(app()), new PageBrowser(app())]
    expect((await one.open('/me')).status).toBe(401)
    for (const browser of [one, other]) {
      await browser.submit(await browser.open(), 'Log in', { userId: 'ada' })
      expect(greeted((await browser.open()).body), app().output()).toBe('ada')
    }
    expect(JSON.parse((await one.open('/me')).body)).toEqual({ userId: 'ada' })
    await expire(app())
    expect(greeted((await one.open()).body)).toBe('ada')
    expect(greeted((await other.open()).body)).toBe('ada')
    await one.submit(await one.open(), 'Log out everywhere')
    await expect.poll(async () => {
      await app().pass(1_000)
      return greeted((await other.open()).body)
    }).toBe(null)
    expect(greeted((await one.open()).body)).toBe(null)
  })
}

describe('docs/start/next.md', () => {
  let app: ExampleApp

  beforeAll(async () => {
    // `turbopack`: the library is linked from the repository, where an application has it in `node_modules`.
    const root = JSON.stringify(join(import.meta.dirname, '../..'))
    const config = `export default { cacheComponents: true, turbopack: { root: ${root} } }\n`
    const files = [...filesOf('docs/start/next.md'), { file: 'next.config.ts', code: config }]
    const directory = prepareDocumentedApp('next', files, ['app/layout.tsx'])
    app = await startApp(directory, ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1'])
  }, 300_000)

  afterAll(() => app?.stop())

  rendersPages(() => app)

  test('a page that needs a session leads to the login, and the login back to it', async () => {
    const browser = new PageBrowser(app)
    expect((await browser.open('/orders')).body).toContain('/login?returnTo=/orders')
    const login = await browser.open('/login?returnTo=/orders')
    const reply = await browser.submit(login, 'Log in', { userId: 'ada' }, '/login?returnTo=/orders')
    expect([reply.status, reply.headers['location']]).toEqual([303, '/orders'])
    expect((await browser.open('/orders')).body).toMatch(/Orders of (?:<!-- ?-->)?ada/)
  })
})

describe('docs/start/sveltekit.md', () => {
  let app: ExampleApp

  beforeAll(async () => {
    const files = filesOf('docs/start/sveltekit.md')
    const directory = prepareDocumentedApp('sveltekit', files, ['vite.config.ts', 'src/app.html'])
    // Without this, the server takes a request without TLS for one of https.
    app = await startApp(directory, ['build'], { PROTOCOL_HEADER: 'x-forwarded-proto' })
  }, 300_000)

  afterAll(() => app?.stop())

  rendersPages(() => app)
})

test('docs/start/h3.md: the application for Nitro', async () => {
  const origin = '`http://localhost:${process.env.PORT}`'
  const files = filesOf('docs/start/h3.md').filter(({ file }) => file !== 'server.ts')
    .map(({ file, code }) => ({ file, code: code.replace("'http://localhost:3000'", origin) }))
  const directory = prepareDocumentedApp('nitro', files, [])
  await driveExample('node', [join(directory, '.output/server/index.mjs')])
}, 240_000)
