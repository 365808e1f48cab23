import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startServer } from '../../src/server/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createSessions } from '../../src/index.ts'
import { sampleRecord } from '../../src/testing/samples.ts'
import { createTestCore, login } from '../support/test-core.ts'

const never = (): Promise<never> => new Promise(() => undefined)

test('L-33: all calls of close return one promise: of sessions, of a store, of a server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-closing-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const server = await startServer({ store: 'sqlite::memory:', port: 0, logLevel: 'silent' })
  const sessions = createSessions({ origin: 'http://localhost', store: createMemoryStore() })
  for (const each of [server, sessions, openSqliteStore(join(folder, 'sessions.db'))]) {
    const closing = each.close()
    expect(each.close()).toBe(closing)
    await closing
    expect(each.close()).toBe(closing)
  }
})

test('L-33: a server that is closed while it closes waits for the end, too', async () => {
  const events: string[] = []
  const store = createMemoryStore()
  const server = await startServer({ port: 0, logLevel: 'silent' }, {
    openStore: async () => ({
      ...store,
      async close() {
        await new Promise(resolve => setTimeout(resolve, 20))
        events.push('store')
      },
    }),
  })
  await Promise.all([1, 2].map(async () => {
    await server.close()
    events.push('server')
  }))
  expect(events).toEqual(['store', 'server', 'server'])
})

test('L-33: closing does not wait for the pause between two pages of the change log', async () => {
  const inner = createMemoryStore()
  let pages = 0
  const store: SessionStore = {
    ...inner,
    // A log that always goes on, such as one whose page has a gap.
    async changesSince(cursor, limit) {
      pages += 1
      return { ...await inner.changesSince(cursor, limit), more: true }
    },
  }
  // Its timers fire when the test says so, that is, never.
  const { core } = createTestCore({ store })
  const { accessToken } = await login(core)
  void core.verify(accessToken)
  await vi.waitFor(() => expect(pages).toBe(1))
  await core.close()
  expect(pages).toBe(1)
})

test.each<readonly [silent: string, keyof SessionStore, string]>([
  ['a store that never answers a poll', 'changesSince', 'closed'],
  ['a store that never follows', 'follow', 'closed'],
  ['a store that never closes', 'close', 'the session store did not close within 10000 ms'],
])('L-33: with %s, closing ends in time', async (_, silent, outcome) => {
  const store: SessionStore = { ...createMemoryStore(), [silent]: never }
  const { core } = createTestCore({ store })
  const { accessToken } = await login(core)
  void core.verify(accessToken).catch(() => undefined)
  await new Promise(resolve => setImmediate(resolve))
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const closing = core.close().then(() => 'closed', (error: Error) => error.message)
  for (let steps = 0; steps < 2; steps++) await vi.advanceTimersByTimeAsync(10_000)
  expect(await closing).toBe(outcome)
})

test('L-33: a store is closed although a queued confirmation could not be written', async () => {
  const closed: string[] = []
  const store: SessionStore = {
    ...createMemoryStore(),
    confirm: () => Promise.reject(new Error('the store is down')),
    async close() {
      closed.push('closed')
    },
  }
  const { core } = createTestCore({ store })
  await core.create({ userId: 'alice', mode: 'header', client: sampleRecord().client })
  await core.close()
  expect(closed).toEqual(['closed'])
})
