// A statement finds a lock: the call is repeated as a whole, whatever the driver's error looks like.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../../src/testing/samples.ts'
import { fill, observed, writes } from '../../support/sqlite-writes.ts'

/** The errors of the drivers. */
const errors = {
  'SQLITE_BUSY of node:sqlite': { message: 'database is locked', code: 'ERR_SQLITE_ERROR', errcode: 5 },
  'SQLITE_BUSY of Deno': { message: 'database is locked', code: 'ERR_SQLITE_ERROR' },
  'SQLITE_BUSY_SNAPSHOT of node:sqlite': { message: 'database is locked', code: 'ERR_SQLITE_ERROR', errcode: 517 },
  'SQLITE_BUSY_RECOVERY of bun:sqlite': { message: 'any', code: 'SQLITE_BUSY_RECOVERY', errno: 261 },
  'SQLITE_LOCKED of better-sqlite3': { message: 'any', code: 'SQLITE_LOCKED' },
  'SQLITE_LOCKED_SHAREDCACHE of node:sqlite': { message: 'database table is locked: keyturn_session', errcode: 262 },
  'SQLITE_LOCKED of node:sqlite': { message: 'database schema is locked: main', errcode: 6 },
}

describe('every statement of a transaction may find a lock', () => {
  const cases = [
    ...Object.entries(errors).map(([name, error]) => ({ name, error, place: /^BEGIN/ })),
    ...[/^COMMIT/, /^(?:INSERT|UPDATE|DELETE)/, /^SELECT/].map(place => ({
      name: 'SQLITE_BUSY', error: errors['SQLITE_BUSY of node:sqlite'], place,
    })),
  ]
  test.for(cases)('L-30: $name, at $place: all calls succeed, each once', async ({ error, place }) => {
    const database = new DatabaseSync(':memory:')
    onTestFinished(() => database.close())
    let faults = 0
    let isFaulty = false
    const store = createSqliteStore(observed(database, sql => {
      if (!isFaulty || !place.test(sql)) return
      faults += 1
      isFaulty = false
      throw Object.assign(new Error(error.message), error)
    }))
    await fill(store)
    for (const [name, call, expected] of writes) {
      isFaulty = true
      if (name === 'removeExpired') {
        const { changes } = await store.changesSince(null, 100)
        expect(changes.map(({ kind }) => kind), 'one for each call').toEqual(['payload', 'revoked', 'revoked', 'keys'])
        isFaulty = true
      }
      expect(await call(store), name).toEqual(expected)
    }
    expect(await store.find(sampleHandle(1))).toBeNull()
    expect(faults).toBeGreaterThan(2)
  })

  test('L-30: a removal of all sessions goes on where it was', async () => {
    const database = new DatabaseSync(':memory:')
    onTestFinished(() => database.close())
    let commits = 0
    const store = createSqliteStore(observed(database, sql => {
      if (sql === 'COMMIT' && commits++ % 2 === 0) throw new Error('database is locked')
    }))
    await Promise.all(Array.from({ length: 100 }, (_, number) => (
      store.insert(sampleRecord({ handle: sampleHandle(number) }))
    )))
    const notBefore = { time: sampleNow, until: sampleNow + minute }
    expect(await store.removeAll({ notBefore, limit: 1000, after: null })).toEqual({ removed: 100, next: null })
  })
})
