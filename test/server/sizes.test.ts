// How long session data and payloads may be.
import { afterEach, describe, expect, test } from 'vitest'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

let core: CoreServer
afterEach(() => core.server.close())

const json = { 'content-type': 'application/json' }
/** An object whose JSON has so many bytes. */
const dataOf = (bytes: number): Readonly<Record<string, string>> => ({ a: 'x'.repeat(bytes - 8) })

describe('V-12: session data', () => {
  test('of 1 MiB is kept, read and listed by both APIs, and one byte more is refused', async () => {
    core = await startCoreServer()
    const data = dataOf(1_048_576)
    const { session: { handle } } = await core.create({ userDataInDatabase: data })
    expect((await core.call(`/recipe/session?sessionHandle=${handle}`)).json['userDataInDatabase']).toEqual(data)
    expect((await core.call(`/v1/sessions/${handle}`)).json['sessionInfo']).toEqual(data)
    const change = { sessionInfo: dataOf(1_048_577) }
    const refused = await core.call(`/v1/sessions/${handle}`, { method: 'PATCH', headers: json, body: change })
    expect([refused.status, refused.json['message']])
      .toEqual([400, 'the session info is 1048577 bytes long; at most 1048576 are allowed'])
  })

  test('is as long as --max-session-data-bytes says, and the longest body follows it', async () => {
    core = await startCoreServer({ maxSessionDataBytes: 3_000_000 })
    const { status } = await core.call('/v1/sessions', {
      headers: json,
      body: { userId: 'a', sessionInfo: dataOf(3_000_000) },
    })
    expect(status).toBe(201)
    expect(
      (await core.call('/v1/sessions', { headers: json, body: { userId: 'a', sessionInfo: dataOf(3_200_000) } }))
        .status,
    ).toBe(413)
    await core.server.close()
    core = await startCoreServer({ maxSessionDataBytes: 100 })
    expect((await core.call('/v1/sessions', { headers: json, body: { userId: 'a', sessionInfo: dataOf(101) } })).status)
      .toBe(400)
  })
})

test('V-12: the payload of CDI is as long as --max-payload-bytes says; by default 5,000 bytes', async () => {
  core = await startCoreServer()
  const statusOf = async (bytes: number): Promise<number> => (await core.call('/recipe/session', {
    body: { userId: 'a', userDataInJWT: dataOf(bytes), userDataInDatabase: {}, enableAntiCsrf: false },
  })).status
  expect([await statusOf(5000), await statusOf(5001)]).toEqual([200, 400])
  await core.server.close()
  core = await startCoreServer({ maxPayloadBytes: 20_000 })
  expect([await statusOf(20_000), await statusOf(20_001)]).toEqual([200, 400])
  const { accessToken } = await core.create({ userDataInJWT: dataOf(20_000) })
  const verified = await core.call('/recipe/session/verify', {
    body: { accessToken: accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true },
  })
  expect(verified.json).toMatchObject({ status: 'OK', session: { userDataInJWT: dataOf(20_000) } })
})
