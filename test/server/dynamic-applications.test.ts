// Applications and tenants that requests create while the server runs, as the test suites of SDKs do before each case.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/server/log.ts'
import { startServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreAnswer, CoreServer } from '../support/core-server.ts'

let core: CoreServer
beforeEach(async () => {
  core = await startCoreServer({ apps: ['shop'] })
})
afterEach(() => core.server.close())

const session = { userId: 'alice', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false }

function make(appId: string, coreConfig?: object, path = '/recipe/multitenancy/app/v2'): Promise<CoreAnswer> {
  return core.call(path, { method: 'PUT', version: null, body: { appId, coreConfig } })
}

function remove(appId: string): Promise<CoreAnswer> {
  return core.call('/recipe/multitenancy/app/remove', { version: null, body: { appId } })
}

test('an application is created once, has its own sessions and keys, and loses them when it is removed', async () => {
  expect((await core.call('/appid-one/hello')).status).toBe(400)
  expect((await make('one')).json).toEqual({ status: 'OK', createdNew: true })
  expect((await make('One', {})).json).toEqual({ status: 'OK', createdNew: false })
  const created = (await core.call('/appid-one/public/recipe/session', { body: session })).json
  const information = `/recipe/session?sessionHandle=${created.session.handle}`
  expect((await core.call(`/appid-one${information}`)).json.status).toBe('OK')
  expect((await core.call(information)).json.status).toBe('UNAUTHORISED')
  const keys = await Promise.all(['', '/appid-one'].map(app => core.call(`${app}/.well-known/jwks.json`)))
  expect(new Set(keys.map(({ text }) => text)).size).toBe(2)

  expect((await remove('one')).json).toEqual({ status: 'OK', didExist: true })
  expect((await remove('one')).json).toEqual({ status: 'OK', didExist: false })
  expect((await core.call(`/appid-one${information}`)).status).toBe(400)
  await make('one')
  expect((await core.call(`/appid-one${information}`)).json.status).toBe('UNAUTHORISED')
})

test('an application has the lifetimes that it was created with, given as numbers or texts', async () => {
  await make('short', { access_token_validity: '2', refresh_token_validity: 5, ip_allow_regex: null })
  const { accessToken, refreshToken } = (await core.call('/appid-short/recipe/session', { body: session })).json
  expect(accessToken.expiry - accessToken.createdTime).toBeLessThanOrEqual(2000)
  expect(refreshToken.expiry - refreshToken.createdTime).toBe(5 * 60_000)
  const changed = await make('short', { access_token_validity: '3' })
  expect([changed.status, changed.text])
    .toEqual([400, 'the application exists with other settings, and these cannot be changed\n'])
})

test.each([
  [{ access_token_validity: 'soon' }, 'access_token_validity must be a number'],
  [{ access_token_validity: 0 }, 'accessTokenLifetime'],
  [{ api_keys: 5 }, 'api_keys must be a text'],
  [{ api_keys: '' }, 'api_keys must have a key'],
  [{ api_keys: ' , ' }, 'api_keys must have a key'],
  [{ api_keys: 'a-key-that-no-one-guesses,short' }, 'api_keys must be keys of at least 20 characters'],
])('%j is refused, and no application is created', async (coreConfig, words) => {
  const answer = await make('wrong', coreConfig)
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(words)])
  expect((await core.call('/appid-wrong/hello')).status).toBe(400)
})

test('ADM-01: an application with API keys refuses requests without one, in CDI and in the native API', async () => {
  const keys = ['a-key-that-no-one-guesses', 'another-key-that-no-one-guesses']
  await make('closed', { api_keys: `${keys.join(', ')},` })
  for (const path of ['/appid-closed/apiversion', '/appid-closed/v1/keys']) {
    expect((await core.call(path)).status).toBe(401)
    expect((await core.call(path, { headers: { 'api-key': '' } })).status).toBe(401)
    for (const key of keys) expect((await core.call(path, { headers: { 'api-key': key } })).status).toBe(200)
  }
  expect((await core.call('/apiversion')).status).toBe(200)
})

describe('refused requests', () => {
  test('applications of the server\'s settings cannot be changed or removed', async () => {
    expect((await make('shop')).json).toEqual({ status: 'OK', createdNew: false })
    expect((await make('shop', { access_token_validity: 5 })).status).toBe(400)
    for (const id of ['shop', 'public']) expect((await remove(id)).status).toBe(403)
    expect((await core.call('/appid-shop/hello')).status).toBe(200)
  })

  test('an application cannot create another one', async () => {
    expect((await make('two', {}, '/appid-shop/recipe/multitenancy/app/v2')).status).toBe(403)
  })

  test.each(['', 'a b', '../x', 'x'.repeat(65)])('the id %j', async id => {
    expect((await make(id)).status).toBe(400)
  })

  test('ADM-01: a server with API keys creates no application, but says whether one exists', async () => {
    const key = 'a-key-that-no-one-guesses'
    const keyed = await startCoreServer({ apps: ['shop'], apiKeys: [key] })
    const ask = (appId: string, headers: Record<string, string>): Promise<CoreAnswer> => (
      keyed.call('/recipe/multitenancy/app/v2', { method: 'PUT', version: null, headers, body: { appId } })
    )
    expect((await ask('new', {})).status).toBe(401)
    expect((await ask('new', { 'api-key': key })).status).toBe(403)
    expect((await ask('shop', { 'api-key': key })).json).toEqual({ status: 'OK', createdNew: false })
    await keyed.server.close()
  })
})

test('a server that stops also closes an application that is still being opened', async () => {
  const messages: string[] = []
  const closing: Promise<void>[] = []
  const hasty = await startServer({ port: 0, shutdownTimeout: 0 }, {
    openStore: async () => createMemoryStore(),
    logger: createLogger('info', Date.now, line => {
      messages.push((JSON.parse(line) as { msg: string }).msg)
      if (messages.at(-1)?.startsWith('a request created an application') === true) closing.push(hasty.close())
    }),
  })
  const cut = fetch(`${hasty.url}/recipe/multitenancy/app/v2`, { method: 'PUT', body: '{"appId":"late"}' })
  await expect(cut).rejects.toThrow()
  await Promise.all(closing)
  // Its keys come after that message, and before the last one.
  expect(messages.slice(messages.indexOf('closing')))
    .toEqual(['closing', 'key made', 'key made', 'key made', 'key made', 'closed'])
})

test('a tenant need not be created: it exists if it is served', async () => {
  const some = await startCoreServer({ tenants: ['t1'] })
  const put = (tenantId: string): Promise<CoreAnswer> => (
    some.call('/recipe/multitenancy/tenant/v2', { method: 'PUT', body: { tenantId, coreConfig: {} } })
  )
  expect((await put('t1')).json).toEqual({ status: 'OK', createdNew: false })
  expect((await put('t2')).status).toBe(403)
  const inPath = await some.call('/t1/recipe/multitenancy/tenant/v2', { method: 'PUT', body: { tenantId: 't2' } })
  expect([inPath.status, inPath.text]).toEqual([403, 'You must use the public or same tenant to add/update a tenant\n'])
  expect((await some.call('/t2/recipe/multitenancy/tenant/v2')).json).toEqual({ status: 'TENANT_NOT_FOUND_ERROR' })
  expect((await some.call('/t1/recipe/multitenancy/tenant/v2')).json).toMatchObject({ status: 'OK', tenantId: 't1' })
  await some.server.close()
})
