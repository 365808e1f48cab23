// The life of a session, through clients that openapi-typescript and openapi-fetch make of the documents.
import assert from 'node:assert/strict'
import { argv } from 'node:process'
import createClient from 'openapi-fetch'
import type { paths as CdiPaths } from './openapi-cdi.ts'
import type { paths, components } from './openapi.ts'

const [, , baseUrl = '', apiKey = ''] = argv
const settings = { baseUrl, headers: { 'api-key': apiKey } }

async function native(): Promise<void> {
  const client = createClient<paths>(settings)
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

  const created = await client.POST('/v1/sessions', {
    body: { userId: 'ada', jwtPayload: { role: 'x' }, sessionInfo: { a: 1 } },
  })
  const pair: components['schemas']['TokenPair'] | undefined = created.data
  assert(pair !== undefined)
  const { handle } = pair
  const path = { handle }

  const read = await client.GET('/v1/sessions/{handle}', { params: { path } })
  assert.deepEqual([read.data?.userId, read.data?.jwtPayload, read.data?.sessionInfoVersion], ['ada', { role: 'x' }, 0])
  const listed = await client.GET('/v1/sessions', { params: { query: { userId: 'ada', limit: 5 } } })
  assert.deepEqual(listed.data?.sessions.map(session => session.handle), [handle])
  assert.equal(listed.data?.next, null)

  const changed = await client.PATCH('/v1/sessions/{handle}', {
    params: { path },
    body: {
      jwtPayload: { role: 'y' }, accessToken: pair.accessToken, mergeSessionInfo: { b: 2 }, sessionInfoVersion: 0,
    },
  })
  assert(changed.data !== undefined && changed.data.accessToken !== pair.accessToken)
  const conflict = await client.PATCH('/v1/sessions/{handle}', {
    params: { path }, body: { sessionInfo: {}, sessionInfoVersion: 0 },
  })
  assert.deepEqual([conflict.response.status, conflict.error?.error], [409, 'conflict'])

  const refreshed = await client.POST('/v1/sessions/refresh', { body: { refreshToken: pair.refreshToken } })
  assert(refreshed.data !== undefined)
  const state = await client.POST('/v1/introspect', { body: { token: refreshed.data.accessToken }, headers: form })
  assert.deepEqual([state.data?.active, state.data?.sub, state.data?.payload], [true, 'ada', { role: 'y' }])
  const again = await client.POST('/v1/sessions/{handle}/reauthenticate', {
    params: { path }, body: { accessToken: refreshed.data.accessToken },
  })
  assert.equal(again.data?.handle, handle)

  const keys = await client.GET('/v1/keys')
  assert(keys.data !== undefined && keys.data.keys.length > 0)
  const revoked = await client.POST('/v1/sessions/revoke-by-user', { body: { userId: 'ada' } })
  assert.deepEqual(revoked.data?.revoked, [handle])
  const gone = await client.GET('/v1/sessions/{handle}', { params: { path } })
  assert.equal(gone.error?.error, 'not_found')
  const refused = await client.POST('/v1/sessions/refresh', { body: { refreshToken: again.data?.refreshToken ?? '' } })
  assert.deepEqual([refused.response.status, refused.error?.error], [401, 'unauthorized'])
  const ended = await client.POST('/v1/introspect', { body: { token: refreshed.data.accessToken }, headers: form })
  assert.deepEqual(ended.data, { active: false })
}

async function cdi(): Promise<void> {
  const client = createClient<CdiPaths>(settings)
  const created = await client.POST('/recipe/session', {
    body: { userId: 'grace', userDataInJWT: { role: 'x' }, userDataInDatabase: { a: 1 }, enableAntiCsrf: false },
  })
  const { session, accessToken, refreshToken } = created.data ?? {}
  assert(session !== undefined && accessToken !== undefined && refreshToken !== undefined)
  const query = { sessionHandle: session.handle }

  const checks = { doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true }
  const verified = await client.POST('/recipe/session/verify', { body: { accessToken: accessToken.token, ...checks } })
  assert.deepEqual([verified.data?.status, verified.data?.session?.userId], ['OK', 'grace'])
  const changed = await client.PUT('/recipe/jwt/data', { body: { ...query, userDataInJWT: { role: 'y' } } })
  assert.equal(changed.data?.status, 'OK')
  const refreshed = await client.POST('/recipe/session/refresh', {
    body: { refreshToken: refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true },
  })
  assert.deepEqual([refreshed.data?.status, refreshed.data?.session?.userDataInJWT?.['role']], ['OK', 'y'])
  const data = await client.GET('/recipe/session/data', { params: { query } })
  assert.deepEqual(data.data?.userDataInDatabase, { a: 1 })
  const listed = await client.GET('/recipe/session/user', { params: { query: { userId: 'grace' } } })
  assert.deepEqual(listed.data?.sessionHandles, [session.handle])
  const removed = await client.POST('/recipe/session/remove', { body: { userId: 'grace' } })
  assert.deepEqual(removed.data?.sessionHandlesRevoked, [session.handle])
  const token = refreshed.data?.accessToken?.token ?? ''
  const refused = await client.POST('/recipe/session/verify', { body: { accessToken: token, ...checks } })
  assert.equal(refused.data?.status, 'UNAUTHORISED')
}

await native()
await cdi()
console.log('both clients ran the life of a session')
