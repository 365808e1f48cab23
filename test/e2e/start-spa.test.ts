// The page and the API of docs/start/spa.md, run as they stand there except for their ports, in Chromium.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf, readPage } from '../support/samples.ts'
import { freePort } from '../support/servers/workspace.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

const root = join(import.meta.dirname, '../..')

describe.skipIf(browserPath === null)('docs/start/spa.md', () => {
  const running: ChildProcess[] = []
  let browser: Browser
  let folder = ''
  let output = ''
  let address = ''
  let apiPort = 0

  beforeAll(async () => {
    mkdirSync(join(root, '.cache'), { recursive: true })
    folder = mkdtempSync(join(root, '.cache', 'spa-'))
    apiPort = await freePort()
    const pagePort = await freePort()
    address = `http://localhost:${pagePort}`
    for (const { info, code } of blocksOf(readPage('docs/start/spa.md'))) {
      if (!info.includes('.')) continue
      // What the page tells readers to add, so that they see a refresh.
      const short = code.replace("  trustedOrigins:", '  accessTokenLifetime: 10,\n  trustedOrigins:')
      writeFileSync(join(folder, info), short.replaceAll('3000', `${apiPort}`).replaceAll('5173', `${pagePort}`))
    }
    const start = (args: readonly string[]): void => {
      const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_ENV: 'development' } })
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => { output += text })
      }
      running.push(child)
    }
    start(['server.ts'])
    start([join(root, 'node_modules/vite/bin/vite.js'), '--port', `${pagePort}`, '--strictPort'])
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    for (const child of running) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  })

  test('logs in from another origin, refreshes, and logs out in every tab', async () => {
    const profile = await browser.newContext()
    const page = await profile.newPage()
    await expect.poll(() => page.goto(address).then(() => 'open', () => output)).toBe('open')
    const state = (): Promise<string | null> => page.locator('#state').textContent()
    const answer = (): Promise<string | null> => page.locator('output').textContent()
    await expect.poll(state, { message: output }).toBe('signed-out')
    await page.getByRole('button', { name: 'Log in' }).click()
    await expect.poll(state, { message: output }).toBe('signed-in as ada (reader)')
    await page.getByRole('button', { name: 'Who am I?' }).click()
    await expect.poll(answer).toBe('200 {"userId":"ada"}')

    const refreshes: number[] = []
    page.on('response', response => {
      if (response.url().endsWith('/auth/session/refresh')) refreshes.push(response.status())
    })
    // The access token expires after ten seconds: then the same button refreshes, and shows the same answer.
    await expect.poll(async () => {
      await page.getByRole('button', { name: 'Who am I?' }).click()
      return refreshes.at(0)
    }, { interval: 1_000 }).toBe(200)
    await expect.poll(answer).toBe('200 {"userId":"ada"}')

    const tab = await profile.newPage()
    await tab.goto(address)
    await expect.poll(() => tab.locator('#state').textContent()).toBe('signed-in as ada (reader)')
    await page.getByRole('button', { name: 'Log out everywhere' }).click()
    await expect.poll(answer).toBe('200 {"revoked":1}')
    for (const each of [page, tab]) {
      await each.getByRole('button', { name: 'Who am I?' }).click()
      await expect.poll(() => each.locator('output').textContent()).toMatch(/^401 /)
      await expect.poll(() => each.locator('#state').textContent()).toBe('signed-out')
    }
  })

  test('the page of another origin is refused', async () => {
    const response = await fetch(`http://localhost:${apiPort}/login`, {
      method: 'POST', headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: '{"userId":"ada"}',
    })
    expect(response.status).toBe(403)
  })
})
