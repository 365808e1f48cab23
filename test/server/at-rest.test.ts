// What the server writes to its store, read from the database file itself, and how it reads hostile data.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'

const SECRET = 'the secret of the application and longer'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-at-rest-'))
const file = join(folder, 'keyturn.db')
let core: CoreServer
beforeAll(async () => {
  core = await startCoreServer({ secrets: [SECRET] }, openSqliteStore(file))
})
afterAll(async () => {
  await core.server.close()
  rmSync(folder, { recursive: true })
})

/** All bytes of the database, its log included. */
const bytesAtRest = (): string => readdirSync(folder).map(name => readFileSync(join(folder, name), 'latin1')).join('')

test('ST-01: the store contains no token that was ever issued', async () => {
  const first = await core.create({ enableAntiCsrf: true })
  const { antiCsrfToken } = first
  const second = await core.refresh(first.refreshToken.token, { enableAntiCsrf: true, antiCsrfToken })
  core.clock.advance(60_000)
  const third = await core.refresh(second.refreshToken.token, {
    enableAntiCsrf: true, antiCsrfToken: second.antiCsrfToken,
  })
  const stored = bytesAtRest()
  expect(stored).toContain(first.session.handle)
  for (const pair of [first, second, third]) {
    expect(pair.status).toBe('OK')
    for (const token of [pair.accessToken.token, pair.refreshToken.token, pair.antiCsrfToken]) {
      expect(stored).not.toContain(token)
      // The handle is not secret. Every other part is.
      for (const part of token.split('.').filter(text => text.length > 20 && text !== first.session.handle)) {
        expect(stored).not.toContain(part)
      }
    }
  }
})

test('ST-02: private keys are encrypted in the store, and the secret is not in it', () => {
  const stored = bytesAtRest()
  for (const word of ['BEGIN', '"d":', '"p":', '"k":', SECRET]) expect(stored).not.toContain(word)
  const keys = new DatabaseSync(file, { readOnly: true })
  expect(keys.prepare('SELECT DISTINCT purpose FROM keyturn_key ORDER BY purpose').all().map(({ purpose }) => purpose))
    .toEqual(['access', 'core-dynamic', 'core-static', 'refresh'])
  keys.close()
})

describe('ST-04: data with names that objects inherit', () => {
  const hostile = '{"constructor":{"prototype":{"admin":true}},"toString":1,"hasOwnProperty":{"valueOf":true}}'

  test('is stored as data, in both interfaces, and changes no prototype', async () => {
    const created = await core.call('/public/recipe/session', {
      body: `{"userId":"mallory","userDataInJWT":${hostile},"userDataInDatabase":${hostile},"enableAntiCsrf":false,`
        + '"useDynamicSigningKey":true}',
    })
    const { handle } = created.json.session
    const { text } = await core.call(`/recipe/session?sessionHandle=${handle}`)
    expect(text).toContain(`"userDataInDatabase":${hostile}`)
    expect((await core.call(`/v1/sessions/${handle}`)).status).toBe(200)
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })
})
