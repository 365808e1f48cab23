import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fromAuthJsDatabase, importSessions } from '../../src/import/index.ts'
import { startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

describe('IMP-17: a database that takes two ids for the same', () => {
  const cookie = '__Secure-authjs.session-token'
  const token = 'f47ac10b-58cc-4372-a567-0e02b2c3d479'

  /** Its columns ignore case, as texts do in MySQL by default, and as the type uuid of PostgreSQL does. */
  function openDatabase(): DatabaseSync {
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE sessions ("sessionToken" TEXT COLLATE NOCASE PRIMARY KEY, "userId" TEXT, expires INTEGER)')
    database.exec('CREATE TABLE users (id TEXT PRIMARY KEY)')
    database.exec(`INSERT INTO users VALUES ('alice')`)
    database.exec(`INSERT INTO sessions VALUES ('${token}', 'alice', ${Date.UTC(2027, 0, 1)})`)
    return database
  }

  /** The status of a request of a browser that has only the old cookie. */
  async function statusWith(server: SessionServer, value: string): Promise<number> {
    const client = server.client()
    client.keep(`${cookie}=${value}; Path=/; Secure`)
    return (await client.send('GET', '/me')).status
  }

  test('does not find a session by an other spelling of its id, before and after its revocation', async () => {
    const importer = fromAuthJsDatabase({ database: openDatabase() })
    const server = await startSessionServer({ imports: importSessions({ importers: [importer], until: '2026-06-30' }) })
    onTestFinished(() => server.close())
    expect(await statusWith(server, token.toUpperCase())).toBe(401)
    expect(await statusWith(server, token)).toBe(200)
    const handles = await server.sessions.getAllSessionHandlesForUser('alice')
    expect(handles).toHaveLength(1)
    await server.sessions.revokeSessions(handles)
    for (const spelling of [token, token.toUpperCase()]) {
      expect(await statusWith(server, spelling)).toBe(401)
    }
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })
})
