import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { nextEventLoopTurn } from '../../../src/stores/background.ts'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import type { SqliteDatabase, SqliteStatement } from '../../../src/stores/sqlite.ts'
import { sampleNext, samplePresented, sampleRecord, sampleRotation } from '../../../src/testing/samples.ts'
import { hasDrivers, openBetterSqlite3 } from '../../support/drivers.ts'
import { runStoreContract } from '../../support/run-contract.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-drivers-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function newFile(): string {
  return join(directory, `${++files}.db`)
}

/** Runs the contract on two connections of a driver. */
function runContract(name: string, open: (file: string) => SqliteDatabase): void {
  runStoreContract(name, async () => {
    const file = newFile()
    const [durable, fast] = [open(file), open(file)]
    const store = createSqliteStore(durable, { fast })
    return {
      open: async () => store,
      async discard() {
        for (const database of [durable, fast]) database.close()
        rmSync(file)
      },
    }
  })
}

runContract('node:sqlite, which returns arrays and bigints by default', file => (
  new DatabaseSync(file, { returnArrays: true, readBigInts: true })
))

describe.skipIf(!hasDrivers())('better-sqlite3', () => {
  runContract('better-sqlite3', openBetterSqlite3)

  runContract('better-sqlite3, which returns bigints by default', file => {
    const database = openBetterSqlite3(file)
    database.defaultSafeIntegers()
    return database
  })

  test('the write-ahead log stays bounded over 3,000 rotations', async () => {
    const file = newFile()
    const [durable, fast] = [openBetterSqlite3(file), openBetterSqlite3(file)]
    onTestFinished(() => [durable, fast].forEach(database => database.close()))
    const store = createSqliteStore(durable, { fast })
    await store.insert(sampleRecord({ reuseInterval: 0, sessionInfo: 'x'.repeat(2000) }))
    for (let round = 0; round < 3000; round++) {
      const rotated = await store.rotate(sampleRotation({
        expected: samplePresented({ refreshHash: `hash-${round}`, generation: round }),
        next: sampleNext({ refreshHash: `hash-${round + 1}`, generation: round + 1 }),
      }))
      if (rotated === null) expect.unreachable('every rotation wins')
    }
    expect(statSync(`${file}-wal`).size).toBeLessThan(2 * 1024 * 1024)
  })

  test('L-30: a lock is waited for while the event loop runs, and then STORE_UNAVAILABLE', async () => {
    const file = newFile()
    const database = openBetterSqlite3(file)
    const blocker = openBetterSqlite3(file)
    onTestFinished(() => [database, blocker].forEach(each => each.close()))
    const store = createSqliteStore(database)
    blocker.exec('BEGIN IMMEDIATE')
    const login = store.insert(sampleRecord())
    for (let tick = 0; tick < 20; tick++) await nextEventLoopTurn()
    expect(await store.find(sampleRecord().handle)).toBeNull()
    blocker.exec('ROLLBACK')
    expect(await login).toBe(true)
    blocker.exec('BEGIN IMMEDIATE')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const refused = expect(store.rotate(sampleRotation())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await vi.advanceTimersByTimeAsync(6000)
    await refused
    blocker.exec('ROLLBACK')
    expect(await store.rotate(sampleRotation())).not.toBeNull()
  })
})

test('E-08: a SQLite driver that answers later is refused when the store is created', () => {
  const answers: unknown[] = [Promise.resolve([]), undefined]
  for (const answer of answers) {
    const all: (...values: unknown[]) => never = () => answer as never
    const statement: SqliteStatement = { all, run: () => ({ changes: 0 }) }
    const database: SqliteDatabase = { exec: () => undefined, prepare: () => statement, close: () => undefined }
    expect(() => createSqliteStore(database)).toThrow(expect.objectContaining({
      code: 'MISUSE', message: expect.stringContaining('use node:sqlite, better-sqlite3 or bun:sqlite'),
    }))
  }
})
