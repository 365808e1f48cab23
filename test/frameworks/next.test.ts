import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import {
  prepareContractApp, prepareExample, startContractApp, startExampleApp,
} from './support/example-app.ts'
import type { ExampleApp } from './support/example-app.ts'
import { PageBrowser, stateOf } from './support/page-browser.ts'
import { expire, serverRenderingTests } from './support/server-rendering.ts'

const start = ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1']

runFrameworkContract('Next.js', variant => startContractApp('next', start, variant), () => {
  prepareContractApp('next')
})

describe('Next.js, built by next build', () => {
  let app: ExampleApp

  beforeAll(async () => {
    prepareExample('next')
    app = await startExampleApp('next', start)
  }, 300_000)

  afterAll(() => app?.stop())

  serverRenderingTests(() => app)

  test('HDR-01: a page that was rendered at build time is not cached with the tokens', async () => {
    const browser = new PageBrowser(app)
    await browser.post('/api/me')
    await expire(app)
    const page = await browser.open('/static')
    expect(stateOf(page), app.output()).toBe('rendered when it was built')
    expect(page.setCookies.map(line => line.split('=')[0])).toContain(defaultCookieNames(new URL(app.origin)).refreshToken)
    expect(page.headers['cache-control']).toBe('private, no-store')
    expect((await browser.open('/static')).headers['cache-control']).toContain('s-maxage')
  })
})
