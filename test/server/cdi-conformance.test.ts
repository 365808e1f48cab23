// Sends every call of CDI in every version. The tables in docs/server.md are written from what this file checks.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { helloMethods } from '../../src/server/cdi/app-endpoints.ts'
import { protocolVersions } from '../../src/server/cdi/protocol.ts'
import { fieldsIn, nameOf, namesIn, valueAt } from '../support/cdi/call.ts'
import type { CdiCall, CdiSession, Fields } from '../support/cdi/call.ts'
import { accessTokenVersions, cdiCalls, sessionMembers } from '../support/cdi/calls.ts'
import { unservedCalls, unservedVersions } from '../support/cdi/unserved.ts'
import { decodeJwt, startCoreServer } from '../support/core-server.ts'
import type { CoreAnswer, CoreServer } from '../support/core-server.ts'

let core: CoreServer
beforeAll(async () => {
  core = await startCoreServer({ apps: ['shop'] })
})
afterAll(() => core.server.close())

/** Creates a session and refreshes it once. */
async function openSession(version: string): Promise<CdiSession> {
  const created = await core.create({ enableAntiCsrf: true }, { version })
  const { antiCsrfToken } = created
  const refreshed = await core.refresh(created.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken }, { version })
  return { core, version, created, refreshed }
}

function send({ method, path }: CdiCall, version: string, fields: Fields, prefix = ''): Promise<CoreAnswer> {
  const query = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]))
  return method === 'GET'
    ? core.call(`${prefix}${path}?${query}`, { version })
    : core.call(`${prefix}${path}`, { version, method, body: fields })
}

const without = (fields: Fields, name: string): Fields => (
  Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name))
)

describe.each(cdiCalls.map(call => [nameOf(call), call] as const))('%s', (_, call) => {
  test.each(protocolVersions)('has in version %s the outcomes and members of the table', async version => {
    for (const { status, members, instead } of call.outcomes) {
      const session = await openSession(version)
      const answer = await send(call, version, { ...call.request(session), ...await instead?.(session) })
      expect([status, answer.status]).toEqual([status, 200])
      expect(answer.json.status ?? null).toBe(status)
      const names = [...status === null ? [] : ['status'], ...namesIn(version, members)]
      expect(Object.keys(answer.json).toSorted()).toEqual(names.toSorted())
    }
  })

  test.each(protocolVersions)('reads in version %s the fields of the table', async version => {
    const session = await openSession(version)
    const request = call.request(session)
    const [required, optional] = [fieldsIn(version, call, 'required'), fieldsIn(version, call, 'optional')]
    for (const name of Object.keys(call.fields)) {
      const missing = await send(call, version, without(request, name))
      expect([name, 'missing', missing.status]).toEqual([name, 'missing', required.includes(name) ? 400 : 200])
      if (call.method === 'GET') continue
      // A field that is read is also checked.
      const wrong = await send(call, version, { ...request, [name]: null })
      const isRead = required.includes(name) || optional.includes(name)
      expect([name, 'wrong', wrong.status]).toEqual([name, 'wrong', isRead ? 400 : 200])
    }
  })

  test('answers with the status of the table if the path names a tenant', async () => {
    for (const version of protocolVersions) {
      const answer = await send(call, version, call.request(await openSession(version)), '/t1')
      expect([version, answer.status]).toEqual([version, valueAt(version, call.withTenant)])
    }
  })
})

test.each(protocolVersions)('version %s has the session and the access tokens of the table', async version => {
  const { created, refreshed } = await openSession(version)
  for (const { session, accessToken, refreshToken } of [created, refreshed]) {
    expect(Object.keys(session).toSorted()).toEqual(namesIn(version, sessionMembers).toSorted())
    expect(decodeJwt(accessToken.token).header['version']).toBe(valueAt(version, accessTokenVersions))
    for (const token of [accessToken, refreshToken]) {
      expect(Object.keys(token)).toEqual(['token', 'expiry', 'createdTime'])
    }
  }
})

test('/ and /hello answer Hello to every method of the table, in every version', async () => {
  for (const path of ['/', '/hello']) {
    for (const method of helloMethods) {
      for (const version of [...protocolVersions, null]) {
        const { status, text } = await core.call(path, { method, version })
        const words = method === 'HEAD' ? '' : 'Hello\n'
        expect([path, method, version, status, text]).toEqual([path, method, version, 200, words])
      }
    }
  }
})

test.each(unservedCalls.flatMap(({ calls }) => calls))('%s is not served, in any version', async call => {
  const [method = '', path = ''] = call.split(' ')
  for (const version of protocolVersions) {
    const { status, text } = await core.call(path, { version, method, ...method === 'GET' ? {} : { body: {} } })
    expect([version, status, text]).toEqual([version, 404, 'Not found\n'])
  }
})

test.each(unservedVersions)('version %s is not served', async version => {
  const { status, text } = await core.call('/recipe/session?sessionHandle=x', { version })
  expect([status, text]).toEqual([400, `cdi-version ${version} not supported\n`])
})
