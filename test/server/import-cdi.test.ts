// A server that replaces a SuperTokens core takes the core's live sessions over; the SDK does not notice.
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { fromSuperTokens, importSessions } from '../../src/import/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { createOldRefreshToken, createRefreshTokenKey, h, oldTables } from '../support/old-supertokens.ts'

const key = createRefreshTokenKey()

async function start(): Promise<{ readonly server: CoreServer; readonly database: DatabaseSync }> {
  const database = new DatabaseSync(':memory:')
  for (const statement of oldTables('', false)) database.exec(statement)
  const setup = importSessions({
    importers: [fromSuperTokens({ database, refreshTokenKey: key })],
    until: '2026-06-30',
    mode: 'retire',
  })
  const server = await startCoreServer({}, createMemoryStore(), {}, {
    imports: appId => appId === 'public' ? setup : null,
  })
  onTestFinished(() => server.server.close())
  return { server, database }
}

function createSession(
  database: DatabaseSync,
  antiCsrfToken?: string,
): { readonly parent: string; readonly child: string } {
  const content = {
    sessionHandle: crypto.randomUUID(),
    userId: 'alice',
    ...antiCsrfToken === undefined ? {} : { antiCsrfToken },
  }
  const parent = createOldRefreshToken(key, content)
  database.prepare(
    `INSERT INTO session_info VALUES ('public', 'public', ?, 'alice', ?, '{"n":1}', ?, ?, '{"role":"admin"}', 0)`,
  )
    .run(content.sessionHandle, h(h(parent)), Date.now() + 86_400_000, Date.now() - 60_000)
  return { parent, child: createOldRefreshToken(key, { ...content, parentRefreshTokenHash1: h(parent) }) }
}

test('IMP-03, IMP-04: over CDI, the token and its unused child get one session, which goes on', async () => {
  const { server, database } = await start()
  const { parent, child } = createSession(database)
  const answers = await Promise.all([parent, child, parent, child].map(token => server.refresh(token)))
  expect(answers.map(({ status }) => status)).toEqual(['OK', 'OK', 'OK', 'OK'])
  expect(new Set(answers.map(({ refreshToken }) => refreshToken.token)).size).toBe(1)
  const [first] = answers
  expect(first?.session).toMatchObject({ userId: 'alice', userDataInJWT: { role: 'admin' } })
  expect(database.prepare('SELECT * FROM session_info').all()).toEqual([])
  const next = await server.refresh(first?.refreshToken.token ?? '')
  expect([next.status, next.session.handle]).toEqual(['OK', first?.session.handle])
})

test('IMP-01: over CDI, a removed session does not come back, and a tampered token is UNAUTHORISED', async () => {
  const { server, database } = await start()
  const { parent, child } = createSession(database)
  const { session } = await server.refresh(child)
  await server.call('/recipe/session/remove', { body: { sessionHandles: [session.handle] } })
  for (const token of [parent, child, `A${parent.slice(1)}`]) {
    expect((await server.refresh(token)).status).toBe('UNAUTHORISED')
  }
})

test('over CDI, the anti-CSRF token of the old token is demanded once, if the SDK says so', async () => {
  const { server, database } = await start()
  const { parent } = createSession(database, 'a-uuid')
  expect((await server.refresh(parent, { enableAntiCsrf: true })).status).toBe('UNAUTHORISED')
  expect((await server.refresh(parent, { enableAntiCsrf: true, antiCsrfToken: 'b-uuid' })).status).toBe('UNAUTHORISED')
  const answer = await server.refresh(parent, { enableAntiCsrf: true, antiCsrfToken: 'a-uuid' })
  expect([answer.status, typeof answer.antiCsrfToken]).toEqual(['OK', 'string'])
})
