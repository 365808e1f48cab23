import { expect, onTestFinished, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import { importSessions } from '../../src/import/index.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { ConsoleClient } from '../support/console-client.ts'
import { present } from '../support/present.ts'

const ORIGIN = 'https://app.example.com'

test('IMP-06: a revocation in the console, unless of a tenant, ends what is in the old system', async () => {
  const old = new OldSystem()
  old.sessions.set('id-1', { userId: 'alice' })
  old.sessions.set('id-2', { userId: 'bob' })
  const until = new Date(Date.now() + 86_400_000)
  const sessions = webSessions(createSessions({
    origin: ORIGIN, ...inMemory(), imports: importSessions({ importers: [old], until, mode: 'keep' }),
  }))
  onTestFinished(() => sessions.close())
  sessions.sessionRoutes()
  const handle = sessions.console({ authorize: () => ({ name: 'ada', role: 'manage' }) })
  const client = new ConsoleClient(`${ORIGIN}/console`, async (url, init) => (
    present(await handle(new Request(url, init)))
  ))
  await client.readToken()
  const revoke = (body: object): Promise<unknown> => client.call('POST', '/api/revocations', { body })
  await revoke({ userId: 'alice', tenantId: 'one' })
  expect([...old.sessions.keys()]).toEqual(['id-1', 'id-2'])
  await revoke({ userId: 'alice' })
  expect([...old.sessions.keys()]).toEqual(['id-2'])
})
