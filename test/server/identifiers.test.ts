import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { runCommandLine } from '../../src/cli/run.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreAnswer, CoreServer } from '../support/core-server.ts'

let core: CoreServer
beforeEach(async () => {
  core = await startCoreServer()
})
afterEach(() => core.server.close())

const folder = mkdtempSync(join(tmpdir(), 'keyturn-identifiers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const words = (least: number, received: string): string => (
  `the user id must be a string of ${least} to 255 characters of well-formed Unicode without U+0000; `
    + `received ${received}`
)
const invalidIds = [
  ['half of a surrogate pair', 'a\ud800', 'one with half of a surrogate pair'],
  ['U+0000', 'a\0', 'one with U+0000'],
  ['256 characters', 'u'.repeat(256), '256 characters'],
] as const
const body = { userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: false }
const json = { 'content-type': 'application/json' }
const native = (path: string, method: string, sent?: object): Promise<CoreAnswer> => core.call(`/v1/${path}`, {
  method, headers: json, version: null, ...sent === undefined ? {} : { body: sent },
})

test.each(invalidIds)('S-14: every CDI call refuses it with the same message: %s', async (_, userId, received) => {
  const refused = [400, `${words(0, received)}\n`]
  for (const [path, fields] of [['/recipe/session', body], ['/recipe/session/remove', {}]] as const) {
    const answer = await core.call(path, { body: { ...fields, userId } })
    expect([answer.status, answer.text]).toEqual(refused)
  }
  // A URL cannot contain half of a surrogate pair.
  if (!userId.endsWith('\ud800')) {
    for (const path of ['/recipe/session/user', '/user/id']) {
      const answer = await core.call(`${path}?userId=${encodeURIComponent(userId)}`)
      expect([answer.status, answer.text]).toEqual(refused)
    }
  }
  expect(core.log.join('')).not.toContain('session created')
})

test.each(invalidIds)('S-14: every native call refuses it with the same message: %s', async (_, userId, received) => {
  const refused = { error: 'invalid_request', message: words(1, received) }
  const answers = [await native('sessions', 'POST', { userId }), await native('sessions/revoke-by-user', 'POST', { userId })]
  if (!userId.endsWith('\ud800')) {
    answers.push(await native(`sessions?userId=${encodeURIComponent(userId)}`, 'GET'))
  }
  for (const answer of answers) expect([answer.status, answer.json]).toEqual([400, refused])
})

test('V-06: an id that one interface accepts is found by the other, and one that it refuses is refused by the other', async () => {
  for (const userId of ['\u{1f600}'.repeat(255), '\ufffd', ' ', 'a/b?c#d%e', '../x', 'e\u0301']) {
    const { session } = await core.create({ userId })
    const listed = await native(`sessions?userId=${encodeURIComponent(userId)}`, 'GET')
    expect(listed.json['sessions']).toMatchObject([{ handle: session.handle, userId }])
    const { handle } = (await native('sessions', 'POST', { userId })).json as { handle?: string }
    const found = await core.call(`/recipe/session/user?userId=${encodeURIComponent(userId)}`)
    expect(found.json['sessionHandles']).toEqual(expect.arrayContaining([handle, session.handle]))
  }
  for (const [, userId] of invalidIds) {
    const answers = [await core.call('/recipe/session', { body: { ...body, userId } }),
      await native('sessions', 'POST', { userId })]
    expect(answers.map(({ status }) => status)).toEqual([400, 400])
  }
  expect(core.log.join('')).not.toContain('a request failed')
})

test.each(['.', '..', '%2e', '%2E%2e', '../revoke', 'a/b', '/', '?', '#', 'a&b=c', '+', '\u{1f511}'])(
  'S-14: the native API finds and logs out a user whose id URLs could change: %s', async userId => {
    const { handle } = (await native('sessions', 'POST', { userId })).json
    const { status, json: page } = await native(`sessions?userId=${encodeURIComponent(userId)}`, 'GET')
    expect([status, page['sessions']]).toEqual([200, [expect.objectContaining({ userId, handle })]])
    expect((await native('sessions/revoke-by-user', 'POST', { userId })).json).toEqual({ revoked: [handle] })
  })

test('S-14: a native call without a user id is refused, and is about nobody', async () => {
  await native('sessions', 'POST', { userId: 'ada' })
  const listed = await native('sessions?limit=5', 'GET')
  expect([listed.status, listed.json['message']]).toEqual([400, 'the query must have userId'])
  const revoked = await native('sessions/revoke-by-user', 'POST', {})
  expect([revoked.status, revoked.json['message']]).toEqual([400, 'the body must have userId'])
  expect((await native('sessions?userId=ada', 'GET')).json['sessions']).toHaveLength(1)
})

test('S-14: CDI accepts an empty user id, the native API does not', async () => {
  const { session } = await core.create({ userId: '' })
  expect((await core.call('/recipe/session/user?userId=')).json['sessionHandles']).toEqual([session.handle])
  expect((await native('sessions', 'POST', { userId: '' })).json['message']).toBe(words(1, '0 characters'))
  expect((await core.call('/recipe/session/remove', { body: { userId: '' } })).json['sessionHandlesRevoked'])
    .toEqual([session.handle])
})

test('S-14: both interfaces accept a user id of 255 characters of four bytes each', async () => {
  const userId = '\u{1f511}'.repeat(255)
  const { session } = await core.create({ userId })
  expect(session.userId).toBe(userId)
  expect((await native('sessions', 'POST', { userId })).status).toBe(201)
  const { sessions } = (await native(`sessions?userId=${encodeURIComponent(userId)}`, 'GET')).json
  expect(sessions).toHaveLength(2)
  expect((await native('sessions/revoke-by-user', 'POST', { userId })).json['revoked']).toHaveLength(2)
})

test('S-14: the command line refuses a user id with the same message, and opens no store', async () => {
  const store = `sqlite:${join(folder, 'not-there.db')}`
  for (const args of [['list', 'u'.repeat(256)], ['revoke', '--user', 'u'.repeat(256)]]) {
    const error: string[] = []
    const code = await runCommandLine(['sessions', ...args, store], {
      out: () => undefined,
      error: line => error.push(line),
    })
    expect([code, error[0]]).toEqual([2, `keyturn sessions: ${words(0, '256 characters')}`])
  }
})
