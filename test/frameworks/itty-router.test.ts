import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { AppVariant } from '../../src/testing/framework-contract.ts'
import { examples } from '../support/drive-example.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { serveWeb } from '../support/serve-web.ts'
import { prepareContractApp, prepareExample } from './support/example-app.ts'

type Fetch = (request: Request) => Promise<Response>

const load = (path: string): Promise<unknown> => import(pathToFileURL(path).href)

test('the example itty-router serves sessions', async () => {
  prepareExample('itty-router')
  const { default: app } = await load(join(examples, 'itty-router/app.ts')) as { default: { fetch: Fetch } }
  const origin = 'http://localhost:3000'
  const ask = (method: string, path: string, cookie = '', body: string | null = null): Promise<Response> => (
    app.fetch(new Request(origin + path, { method, headers: { origin, cookie }, body }))
  )
  const login = await ask('POST', '/login', '', JSON.stringify({ userId: 'ada' }))
  const cookie = login.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  expect((await ask('GET', '/me')).status).toBe(401)
  expect(await (await ask('GET', '/me', cookie)).json()).toEqual({ userId: 'ada' })
  expect((await ask('POST', '/auth/session/refresh', cookie)).status).toBe(200)
}, 240_000)

runFrameworkContract('itty-router, by an adapter of one\'s own', async variant => {
  const path = join(import.meta.dirname, 'apps/itty-router/app.ts')
  const { createIttyApp } = await load(path) as { createIttyApp: (variant: AppVariant) => Fetch }
  return serveWeb(createIttyApp(variant))
}, () => prepareContractApp('itty-router'))
