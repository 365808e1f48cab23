import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { SessionRecord } from '../session/record.ts'
import type { SessionStore } from '../session/store.ts'
import { sampleHandle, sampleRecord, sampleRotation } from '../testing/samples.ts'
import { createSqliteStore, openSqliteStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-turns-'))
afterAll(() => rmSync(directory, { recursive: true }))

let file = ''
beforeEach(() => {
  file = join(mkdtempSync(join(directory, 'turn-')), 'sessions.db')
})

/** A store, and how many transactions it has committed. Single statements commit by themselves and do not count. */
function counted(): { store: SessionStore; commits: () => number; close: () => Promise<void> } {
  const database = new DatabaseSync(file)
  let commits = 0
  const store = createSqliteStore({
    exec: sql => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        all: (...values) => statement.all(...values),
        run(...values) {
          if (sql === 'COMMIT') commits += 1
          return statement.run(...values)
        },
      }
    },
    close: () => database.close(),
  })
  const setUp = commits
  return {
    store,
    commits: () => commits - setUp,
    async close() {
      await store.close()
      database.close()
    },
  }
}

describe('rotations of one tick of the event loop', () => {
  test('are committed together, except for the first', async () => {
    const { store, commits, close } = counted()
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const rotated = await Promise.all([1, 4, 3, 2].map(number => (
      store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    )))
    expect(rotated.map(record => record?.handle))
      .toEqual([sampleHandle(1), undefined, sampleHandle(3), sampleHandle(2)])
    expect(rotated[3]).toEqual(await store.find(sampleHandle(2)))
    expect(commits()).toBe(1)
    await close()
  })

  test('are done before the store is closed', async () => {
    const store = openSqliteStore(file)
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const rotations = [1, 2, 3].map(number => store.rotate(sampleRotation({ handle: sampleHandle(number) })))
    await store.close()
    expect(await Promise.all(rotations)).not.toContain(null)
    const after = openSqliteStore(file)
    expect(await after.find(sampleHandle(3))).toMatchObject({ refreshHash: 'hash-1' })
    await after.close()
  })

  test('REV-11: fail together, and none of them is stored', async () => {
    const store = openSqliteStore(file)
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const rotate = (number: number) => store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    const other = new DatabaseSync(file)
    other.exec(`CREATE TRIGGER broken BEFORE UPDATE ON keyturn_session WHEN new.handle = '${sampleHandle(3)}'
      BEGIN SELECT RAISE(FAIL, 'out of order'); END`)
    const settled = await Promise.allSettled([1, 2, 3].map(rotate))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled[1]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
    expect(await store.find(sampleHandle(2))).toMatchObject({ refreshHash: 'hash-0' })
    other.exec('DROP TRIGGER broken')
    other.close()
    expect(await rotate(2)).not.toBeNull()
    await store.close()
  })
})

describe('logins of one tick of the event loop', () => {
  const numbered = (...numbers: number[]): SessionRecord[] =>
    numbers.map(number => sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))

  test('are committed together, except for the first; a handle that exists fails its own login only', async () => {
    const { store, commits, close } = counted()
    await store.insert(sampleRecord({ handle: sampleHandle(3) }))
    const settled = await Promise.allSettled(numbered(1, 2, 3, 4, 2).map(record => store.insert(record)))
    expect(commits()).toBe(1)
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, false])
    for (const index of [2, 4]) expect(settled[index]).toMatchObject({ reason: { code: 'MISUSE' } })
    for (const record of numbered(1, 2, 4)) expect(await store.find(record.handle)).toEqual(record)
    expect((await store.find(sampleHandle(3)))?.userId).toBe('user-1')
    await close()
  })

  test('are on the disk before the store is closed', async () => {
    const store = openSqliteStore(file)
    const logins = numbered(1, 2, 3).map(record => store.insert(record))
    await store.close()
    await Promise.all(logins)
    const after = openSqliteStore(file)
    for (const record of numbered(1, 2, 3)) expect(await after.find(record.handle)).toEqual(record)
    await after.close()
  })

  test('REV-11: fail together, and none of them is stored', async () => {
    const store = openSqliteStore(file)
    await store.find(sampleHandle(1))
    const other = new DatabaseSync(file)
    other.exec(`CREATE TRIGGER broken BEFORE INSERT ON keyturn_session WHEN new.handle = '${sampleHandle(3)}'
      BEGIN SELECT RAISE(FAIL, 'out of order'); END`)
    other.close()
    const settled = await Promise.allSettled(numbered(1, 2, 3).map(record => store.insert(record)))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled[1]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
    expect(await store.find(sampleHandle(2))).toBeNull()
    await store.close()
  })
})
