import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runStoreContract } from '../../test/support/run-contract.ts'
import { isSessionError } from '../base/errors.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, samplePresented, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../testing/samples.ts'
import { removeDue } from '../testing/store-contract/expiry.ts'
import { createSqliteStore, openSqliteStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(directory, `sessions-${files}.db`)
}

runStoreContract('sqlite, file', async () => {
  const file = newFile()
  return { open: async () => openSqliteStore(file), discard: async () => rmSync(file) }
})

runStoreContract('sqlite, :memory:', async () => {
  const store = openSqliteStore(':memory:')
  return { open: async () => ({ ...store, close: async () => undefined }), discard: () => store.close() }
})

runStoreContract('sqlite, one connection of a given driver', async () => {
  const database = new DatabaseSync(newFile())
  const store = createSqliteStore(database, { prefix: 'App_' })
  return { open: async () => store, discard: async () => database.close() }
})

describe('opening a store', () => {
  test('the file, its -wal and its -shm are readable by their owner alone', async () => {
    const file = newFile()
    const store = openSqliteStore(file)
    await store.insert(sampleRecord())
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(path).mode & 0o777).toBe(0o600)
    await store.close()
  })

  test('a file that exists keeps its mode', async () => {
    const file = newFile()
    writeFileSync(file, '', { mode: 0o640 })
    await openSqliteStore(file).close()
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('sessions outlive the store', async () => {
    const file = newFile()
    const before = openSqliteStore(file)
    await before.insert(sampleRecord())
    await before.rotate(sampleRotation())
    await before.close()
    const after = openSqliteStore(file)
    expect(await after.find(sampleHandle(1))).toMatchObject({ refreshHash: 'hash-1' })
    await after.close()
  })

  test('ST-03: a prefix that is not a plain identifier is refused before anything is created', () => {
    for (const prefix of ['', '1a', 'a-b', 'a b', 'a;--', 'a"', '\u00e9', 'a.b', 'x'.repeat(32), 'a\n']) {
      const file = newFile()
      expect(() => openSqliteStore(file, { prefix })).toThrow(expect.objectContaining({ code: 'MISUSE' }))
      expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined()
    }
  })

  test('stores with different prefixes share a file and do not see each other', async () => {
    const file = newFile()
    const stores = [openSqliteStore(file, { prefix: 'a_' }), openSqliteStore(file, { prefix: `B${'9'.repeat(30)}` })]
    await stores[0]?.insert(sampleRecord())
    await stores[0]?.remove([sampleHandle(1)], sampleNow)
    await stores[0]?.insert(sampleRecord())
    expect(await stores[1]?.find(sampleHandle(1))).toBeNull()
    expect(await stores[1]?.changesSince(null, 10)).toEqual({ changes: [], cursor: null, more: false })
    await stores[1]?.insert(sampleRecord({ userId: 'other' }))
    expect(await stores[0]?.find(sampleHandle(1))).toMatchObject({ userId: 'user-1' })
    for (const store of stores) await store.close()
  })

  test('a file that a newer version migrated is refused', async () => {
    const file = newFile()
    await openSqliteStore(file).close()
    const database = new DatabaseSync(file)
    database.exec('UPDATE keyturn_meta SET value = \'999\' WHERE name = \'schema\'')
    database.close()
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'MISUSE' }))
  })

  test('a value that is not a path is refused; a missing directory throws STORE_UNAVAILABLE', () => {
    for (const file of ['', 'file:sessions.db?mode=memory']) {
      expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'MISUSE' }))
    }
    expect(() => openSqliteStore(join(directory, 'missing', 'sessions.db')))
      .toThrow(
        expect.objectContaining({ code: 'STORE_UNAVAILABLE', cause: expect.objectContaining({ code: 'ENOENT' }) }),
      )
  })

  test('logins wait for the disk, rotations do not', async () => {
    const file = newFile()
    const [durable, fast] = [new DatabaseSync(file), new DatabaseSync(file)]
    createSqliteStore(durable, { fast })
    expect(durable.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
    expect(fast.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 })
    for (const database of [durable, fast]) {
      expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
      expect(database.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 0 })
      database.close()
    }
  })
})

describe('trouble', () => {
  test('REV-11: a closed store throws an error, never answers "no session"', async () => {
    const store = openSqliteStore(newFile())
    await store.insert(sampleRecord({ refreshHash: 'the-secret' }))
    await store.close()
    const late = { handle: sampleHandle(1), now: sampleNow, from: sampleNow }
    const calls = [
      () => store.find(sampleHandle(1)),
      () => store.rotate(sampleRotation({ expected: samplePresented({ refreshHash: 'the-secret' }) })),
      () => store.confirm([{ handle: sampleHandle(1), generation: 0, branch: 0 }]),
      () => store.insert(sampleRecord({ refreshHash: 'the-secret' })),
      () => store.updateInfo({ ...late, sessionInfo: 'the-secret', expectedVersion: null }),
      () => store.updatePayload({ ...late, jwtPayload: 'the-secret', expectedVersion: null }),
      () => store.remove([sampleHandle(1)], sampleNow),
      () => store.removeByUser(sampleUserRemoval({ from: sampleNow })),
      () => store.listByUser('user-1', { limit: 1, after: null }),
      () => store.removeExpired(sampleNow, 1),
      () => store.acquireLease('task', 'holder', sampleNow, sampleNow),
      () => store.changesSince(null, 1),
      () => store.follow(() => undefined),
      () => store.listKeys(),
    ]
    for (const call of calls) {
      const error: unknown = await call().catch((thrown: unknown) => thrown)
      expect(isSessionError(error)).toBe(true)
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: expect.any(Error) })
      expect(`${error}${error instanceof Error ? error.cause : ''}`).not.toContain('the-secret')
    }
  })

  test('REV-11: a locked database throws STORE_UNAVAILABLE, and nothing is half done', async () => {
    const file = newFile()
    const database = new DatabaseSync(file)
    const store = createSqliteStore(database)
    await store.insert(sampleRecord())
    const blocker = new DatabaseSync(file)
    blocker.exec('BEGIN IMMEDIATE')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const calls = Promise.allSettled([store.rotate(sampleRotation()), store.remove([sampleHandle(1)], sampleNow)])
    await vi.advanceTimersByTimeAsync(6000)
    for (const outcome of await calls) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
    }
    expect(await store.find(sampleHandle(1))).toEqual(sampleRecord())
    blocker.exec('ROLLBACK')
    blocker.close()
    expect((await store.remove([sampleHandle(1)], sampleNow)).handles).toEqual([sampleHandle(1)])
    database.close()
  })

  test('REV-11: a full disk throws STORE_UNAVAILABLE, and a removal without its change is undone', async () => {
    const database = new DatabaseSync(newFile())
    const store = createSqliteStore(database)
    await store.insert(sampleRecord())
    database.exec('CREATE TRIGGER full BEFORE INSERT ON keyturn_change BEGIN SELECT RAISE(ABORT, \'full\'); END')
    await expect(store.remove([sampleHandle(1)], sampleNow)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await store.find(sampleHandle(1))).toEqual(sampleRecord())
    database.exec('DROP TRIGGER full')
    const { page_count: pages } = { ...database.prepare('PRAGMA page_count').get() }
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const big = sampleRecord({ handle: sampleHandle(2), sessionInfo: 'x'.repeat(100_000) })
    await expect(store.insert(big)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await store.remove([sampleHandle(1)], sampleNow)).handles).toEqual([sampleHandle(1)])
    database.close()
  })

  test('a file that is not a database throws STORE_UNAVAILABLE', () => {
    const file = newFile()
    writeFileSync(file, 'not a database, '.repeat(100))
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }))
  })

  test('a list position that no page ended at is an invalid argument', async () => {
    const store = openSqliteStore(':memory:')
    await expect(store.listByUser('user-1', { limit: 1, after: '1;--' }))
      .rejects.toMatchObject({ code: 'INVALID_DATA' })
    await store.close()
  })
})

describe('cost', () => {
  test('the write-ahead log stays bounded over 20,000 rotations', async () => {
    const file = newFile()
    const store = openSqliteStore(file)
    for (let number = 0; number < 1000; number++) {
      await store.insert(sampleRecord({ handle: sampleHandle(number), reuseInterval: 0 }))
    }
    for (let count = 0; count < 20_000; count++) {
      const round = Math.floor(count / 1000)
      const next = sampleNext({ refreshHash: `hash-${round + 1}`, generation: round + 1 })
      const handle = sampleHandle(count % 1000)
      if (await store.rotate(sampleRotation({
        handle, expected: samplePresented({ refreshHash: `hash-${round}`, generation: round }), next,
      })) === null) {
        expect.unreachable('every rotation wins')
      }
    }
    expect(statSync(`${file}-wal`).size).toBeLessThan(6 * 1024 * 1024)
    await store.close()
  })

  test('no statement scans the sessions', () => {
    const database = new DatabaseSync(':memory:')
    const statements: string[] = []
    createSqliteStore({
      exec: sql => database.exec(sql),
      prepare(sql) {
        statements.push(sql)
        return database.prepare(sql)
      },
      close: () => database.close(),
    })
    const plans = statements.filter(sql => /keyturn_(session|change)\b/.test(sql)).map(sql => ({
      sql,
      steps: database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(row => String(row['detail'])),
    }))
    expect(plans.length).toBeGreaterThan(10)
    for (const { sql, steps } of plans) {
      expect(steps.filter(step => /^SCAN keyturn|TEMP B-TREE/.test(step)), sql).toEqual([])
    }
    database.close()
  })

  test('ST-05: cleanup finds expired sessions behind many that were kept alive', async () => {
    const store = openSqliteStore(':memory:')
    for (let number = 0; number < 50; number++) {
      await store.insert(sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow - 60 * minute + number }))
      if (number < 45) {
        await store.rotate(sampleRotation({ handle: sampleHandle(number),
          bounds: { now: sampleNow - minute, rotatedAfter: 0, createdAfter: 0 } }))
      }
    }
    expect(await removeDue(store, sampleNow + minute, 3)).toBe(5)
    expect(await removeDue(store, sampleNow + minute, 3)).toBe(0)
    expect(await removeDue(store, sampleNow + 60 * minute, 100)).toBe(45)
    await store.close()
  })
})

describe('the change log', () => {
  test('a cursor of a log that was emptied, or restored to an earlier state, reads from the beginning', async () => {
    const revoke = async (store: ReturnType<typeof openSqliteStore>, number: number): Promise<void> => {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], sampleNow)
    }
    const [first, second] = [openSqliteStore(':memory:'), openSqliteStore(':memory:')]
    for (const number of [1, 2, 3]) await revoke(first, number)
    for (const number of [4, 5, 6]) await revoke(second, number)
    const { cursor } = await first.changesSince(null, 2)
    expect((await first.changesSince(cursor, 10)).changes).toHaveLength(1)
    expect((await second.changesSince(cursor, 10)).changes).toHaveLength(3)
    const beyond = cursor?.replace(/\d+$/, '4') ?? ''
    expect((await first.changesSince(beyond, 10)).changes).toHaveLength(3)
    await first.close()
    await second.close()
  })

  test('followers keep no process alive and leave no timer behind', async () => {
    const store = openSqliteStore(newFile())
    const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    const stop = await store.follow(() => undefined)
    expect(timers()).toBe(before)
    await stop()
    await store.close()
  })
})
