import { describe, expect, onTestFinished, test } from 'vitest'
import { sampleHandle, sampleKey } from '../../testing/samples.ts'
import { createPostgresStore } from '../postgres.ts'
import { bunSqlPool, neonPool } from './adapters.ts'
import type { ReservingSql } from './adapters.ts'
import type { PostgresPool } from './driver.ts'

/** What a database of any driver answers to the statement that looks at its connection, and null to others. */
function answerToProbe(text: string, [letter]: readonly unknown[]): object[] | null {
  if (!text.startsWith('SELECT version')) return null
  return [{ version: 'PostgreSQL 18', small: 7, big: '9007199254740991', nothing: null, letter, letter_count: 1 }]
}

describe('answers that are not those of a database', () => {
  const answers = [undefined, null, 'x', {}, { message: 'bad gateway' }, { rows: null }, { rows: 3 }]

  /** A pool over a client of Neon, to whose statements a gateway answers. */
  function behindGateway(answer: unknown): PostgresPool {
    return neonPool({
      async query(text: string, values: unknown[]) {
        const rows = answerToProbe(text, values)
        return rows === null ? answer : { rows }
      },
      transaction: async () => answer,
    })
  }

  test.each(answers)('REV-11: %j is an error, and no session is taken for revoked', async answer => {
    const store = createPostgresStore(behindGateway(answer))
    onTestFinished(() => store.close())
    const failure = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('did not return') }
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject(failure)
    await expect(store.changesSince(null, 10)).rejects.toMatchObject(failure)
    await expect(store.remove([sampleHandle(1)], 1)).rejects.toMatchObject(failure)
  })

  const none = { rows: [] }
  test.each([...answers, [], [none], [none, {}], [none, none, none]].map(answer => [answer]))(
    'REV-11: %j is an error for the two statements of a transaction',
    async answer => {
      const store = createPostgresStore(behindGateway(answer))
      onTestFinished(() => store.close())
      await expect(store.addKeyIfNewest(sampleKey('key'), null)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE', message: expect.stringContaining('did not return'),
      })
    },
  )

  test('REV-11: a batch of an application\'s own pool without results is an error', async () => {
    const store = createPostgresStore({
      notifies: false,
      connect: async () => ({
        query: async ({ text, values = [] }) => ({ rows: answerToProbe(text, values) ?? [], rowCount: 0 }),
        batch: async () => [],
        on: () => undefined,
        removeListener: () => undefined,
        release: () => undefined,
      }),
    })
    onTestFinished(() => store.close())
    await expect(store.addKeyIfNewest(sampleKey('key'), null)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('a connection of Bun whose transaction has waited too long for a lock', () => {
  /** A client of Bun that notes what runs on its connections, and the end of each. A lock is waited for. */
  function clientBehindLock(): { sql: ReservingSql; notes: string[]; unlock(): void } {
    const notes: string[] = []
    let unlock = (): void => undefined
    const lock = new Promise<void>(resolve => {
      unlock = resolve
    })
    const sql: ReservingSql = {
      reserve: async () => ({
        async unsafe(text, values) {
          if (text.startsWith('LOCK')) await lock
          notes.push(text.trim().split(/\s/)[0] ?? '')
          return answerToProbe(text, values) ?? []
        },
        release: () => notes.push('released'),
      }),
    }
    return { sql, notes, unlock: () => unlock() }
  }

  test('EDGE-08: it goes back to the application without a transaction, and nothing more of it runs', async () => {
    const { sql, notes, unlock } = clientBehindLock()
    const store = createPostgresStore(bunSqlPool(sql), { requestTimeout: 0.05 })
    await store.listKeys()
    notes.length = 0
    await expect(store.addKeyIfNewest(sampleKey('key'), null)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(notes).toEqual(['BEGIN'])
    unlock()
    await expect.poll(() => notes).toContain('released')
    await store.close()
    expect(notes).toEqual(['BEGIN', 'LOCK', 'ROLLBACK', 'released'])
  })
})
