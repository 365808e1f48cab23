import { expect, onTestFinished, test } from 'vitest'
import { importSessions } from '../../src/import/index.ts'
import type { HttpClient } from '../support/http-client.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { startSessionServer } from '../support/session-server.ts'

test('IMP-04: a request that comes in the other way, and a slow one, do not end a session that has given tokens', async () => {
  const old = new OldSystem()
  old.sessions.set('id-1', { userId: 'alice' })
  const server = await startSessionServer({ imports: importSessions({ importers: [old], until: '2026-06-30' }) })
  onTestFinished(() => server.close())
  const browser = (): HttpClient => {
    const client = server.client()
    client.keep('old=id-1; Path=/')
    return client
  }
  const waiting: (() => void)[] = []
  old.before = () => new Promise(resolve => waiting.push(resolve))
  const other = server.client().send('GET', '/me', { headers: { authorization: 'Bearer id-1' } })
  await expect.poll(() => waiting.length).toBe(1)
  const slow = browser().send('GET', '/me')
  await expect.poll(() => waiting.length).toBe(2)
  old.before = async () => undefined
  const client = browser()
  expect((await client.send('GET', '/me')).status).toBe(200)
  waiting[0]?.()
  expect((await other).status).toBe(401)
  waiting[1]?.()
  expect((await slow).status).toBe(200)
  expect((await client.send('GET', '/me')).status).toBe(200)
  expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
})
