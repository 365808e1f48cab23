// The documentation site, built as `npm run docs` builds it.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { dirname, extname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, launchBrowser } from '../e2e/support/browser.ts'
import { examine, failedAudits } from '../e2e/support/lighthouse.ts'
import { addresses, listed, readSidebar } from '../../site/sidebar.ts'

const root = join(import.meta.dirname, '../..')
const built = join(root, 'site/dist')
let output = ''
let status: number | null = null

beforeAll(() => {
  const docs = spawnSync('node', ['scripts/docs.mjs', 'build'], { cwd: root, encoding: 'utf8', timeout: 600_000 })
  output = docs.stdout + docs.stderr
  status = docs.status
}, 600_000)

test('is built without an error: no link is dead', () => {
  expect(status, output).toBe(0)
})

test('every export is documented, and every type that a signature names is exported', () => {
  expect(output).toMatch(/TypeDoc: \d+ entries, 0 errors, 0 warnings/)
})

test('the navigation lists pages that exist', () => {
  const linked = listed.flatMap(({ items }) => items.map(({ link }) => link.replace(/#.*$/, '')))
  expect(linked.filter(link => !addresses.includes(link))).toEqual([])
  expect(readSidebar().flatMap(({ items }) => items).length).toBeGreaterThanOrEqual(addresses.length)
})

/** The pages of the site, by address. */
const readPages = (): ReadonlyMap<string, string> => new Map(
  globSync('**/*.html', { cwd: built }).map(path => [`/${path}`, readFileSync(join(built, path), 'utf8')]))

test('every link within the site leads to a page, and every anchor to a heading', () => {
  const pages = readPages()
  const ids = new Map([...pages].map(([address, html]) => (
    [address, new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id = '']) => id))]
  )))
  const dead = new Set<string>()
  for (const [address, html] of pages) {
    for (const [, href = ''] of html.matchAll(/<a\b[^>]*?\bhref="([^"]+)"/g)) {
      if (/^(?:[a-z]+:|\/\/)/i.test(href)) continue
      const { pathname, hash } = new URL(href.replaceAll('&amp;', '&'), `http://site${address}`)
      const path = decodeURI(pathname).replace(/\/$/, '/index.html')
      const file = pages.has(path) ? path : `${path}.html`
      const isThere = pages.has(file) || existsSync(join(built, path))
      const id = decodeURIComponent(hash.slice(1))
      if (!isThere || (id !== '' && ids.get(file)?.has(id) === false)) dead.add(`${address}: ${href}`)
    }
  }
  expect(pages.size).toBeGreaterThan(90)
  expect([...dead]).toEqual([])
})

test('every picture has a text for those who cannot see it', () => {
  const silent = [...readPages()].flatMap(([address, html]) => (
    [...html.matchAll(/<img\b[^>]*>/g)].filter(([image]) => !/\balt="[^"]{10,}"/.test(image))
      .map(([image]) => `${address}: ${image}`)
  ))
  expect(silent).toEqual([])
})

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
  '.webp': 'image/webp', '.json': 'application/json', '.gif': 'image/gif',
}

describe.skipIf(browserPath === null)('in Chromium', () => {
  let server: Server
  let browser: Browser
  let origin = ''

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site')
      const path = join(built, decodeURI(pathname).replace(/\/$/, '/index.html'))
      if (!existsSync(path) || dirname(path) === path) return response.writeHead(404).end()
      const type = types[extname(path)] ?? 'application/octet-stream'
      return response.writeHead(200, { 'content-type': type }).end(readFileSync(path))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  test('the pages ask no other server for anything, and report no error', async () => {
    const page = await browser.newPage()
    const asked: string[] = []
    const errors: string[] = []
    page.on('request', request => asked.push(request.url()))
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    page.on('pageerror', error => errors.push(error.message))
    const addresses = ['/', '/start/express.html', '/concepts/theft.html', '/configuration.html', '/api/keyturn.html']
    for (const address of addresses) {
      const response = await page.goto(origin + address, { waitUntil: 'networkidle' })
      expect(response?.status(), address).toBe(200)
    }
    expect(asked.filter(url => !url.startsWith(origin) && !url.startsWith('data:'))).toEqual([])
    expect(errors).toEqual([])
    await page.close()
  })

  test('the search finds a page by a word of its headings, without another server', async () => {
    const page = await browser.newPage()
    const asked: string[] = []
    page.on('request', request => asked.push(request.url()))
    await page.goto(`${origin}/start/`)
    await page.getByRole('button', { name: /search/i }).first().click()
    await page.locator('.search-input').fill('theft detection')
    const found = page.locator('.results a').filter({ hasText: 'Theft detection' })
    await found.first().click()
    await page.waitForURL(/concepts\/theft|theft/)
    expect(asked.filter(url => !url.startsWith(origin) && !url.startsWith('data:'))).toEqual([])
    await page.close()
  })

  test.each(['/', '/start/express.html', '/concepts/theft.html', '/configuration.html'])(
    'Lighthouse finds nothing to improve: %s', { timeout: 300_000 }, async address => {
      const report = await examine(origin + address, ['accessibility', 'best-practices'])
      for (const category of ['accessibility', 'best-practices']) {
        expect(report.categories[category]?.score, `${category}: ${failedAudits(report)}`).toBe(1)
      }
    },
  )
})
