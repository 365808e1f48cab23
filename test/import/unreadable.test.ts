import { expect, onTestFinished, test } from 'vitest'
import { fromAuthJsTokens, importSessions } from '../../src/import/index.ts'
import type { ImportOptions } from '../../src/import/index.ts'
import type { ForeignCredential, ImportRequest, SessionImporter } from '../../src/session/importer.ts'
import type { HttpClient } from '../support/http-client.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { AT, REFRESH, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

/** The sample system, which needs a key of its database to find a credential, as SuperTokens does. */
class KeyedSystem extends OldSystem {
  key: () => Promise<unknown> = async () => 'the key'

  override async read(request: ImportRequest): Promise<ForeignCredential<string> | null> {
    await this.key()
    return super.read(request)
  }
}

const background: unknown[] = []

async function start(importer: SessionImporter, plan: Partial<ImportOptions> = {}): Promise<SessionServer> {
  background.length = 0
  const server = await startSessionServer({
    imports: importSessions({ importers: [importer], until: '2026-06-30', ...plan }),
    events: { onBackgroundError: ({ error }) => void background.push(error) },
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer, name = 'old', value = 'id-1'): HttpClient {
  const client = server.client()
  client.keep(`${name}=${value}; Path=/`)
  return client
}

test.each([
  ['fails', () => Promise.reject(new Error('connect ECONNREFUSED'))], ['hangs', () => new Promise(() => undefined)],
])('an old system that %s while a credential is read is answered with 503, and logs nobody out', async (_, key) => {
  const old = new KeyedSystem()
  old.sessions.set('id-1', { userId: 'alice' })
  const server = await start(old, { sourceTimeout: 0.02 })
  const client = browser(server)
  old.key = key
  for (const [method, path] of [['GET', '/me'], ['POST', REFRESH]] as const) {
    const reply = await client.send(method, path, { headers: SAME_ORIGIN })
    expect([reply.status, reply.headers['retry-after'], reply.setCookies]).toEqual([503, '1', []])
  }
  old.key = async () => 'the key'
  expect((await client.send('GET', '/me')).status).toBe(200)
  old.key = key
  expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
  expect([client.cookie(AT), background.length]).toEqual([undefined, 1])
})

test('IMP-11: a token that `decode` of the application throws at is of another system', async () => {
  const server = await start(fromAuthJsTokens({
    secret: 'unused', decode: () => Promise.reject(new Error('decryption operation failed')),
  }))
  const client = browser(server, 'authjs.session-token', 'x.y.z')
  expect((await client.send('GET', '/me')).status).toBe(401)
  expect(client.cookie('authjs.session-token')).toBe('x.y.z')
})
