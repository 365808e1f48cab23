import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleHandle, sampleRecord, sampleRotation } from '../testing/samples.ts'
import { createSqliteStore, openSqliteStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-turns-'))
afterAll(() => rmSync(directory, { recursive: true }))

let file = ''
beforeEach(() => {
  file = join(mkdtempSync(join(directory, 'turn-')), 'sessions.db')
})

describe('rotations of one turn of the event loop', () => {
  test('are committed together, the first one alone', async () => {
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
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    commits = 0
    const rotated = await Promise.all([1, 4, 3, 2].map(number => (
      store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    )))
    expect(rotated.map(record => record?.handle)).toEqual([sampleHandle(1), undefined, sampleHandle(3), sampleHandle(2)])
    expect(rotated[3]).toEqual(await store.find(sampleHandle(2)))
    expect(commits).toBe(1)
    await store.close()
    database.close()
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

  test('REV-11: fail together, and nothing of them is kept', async () => {
    const store = openSqliteStore(file)
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const rotate = (number: number) => store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    const other = new DatabaseSync(file)
    other.exec(`CREATE TRIGGER broken BEFORE UPDATE ON keyturn_session WHEN new.handle = '${sampleHandle(3)}'
      BEGIN SELECT RAISE(FAIL, 'out of order'); END`)
    const settled = await Promise.allSettled([1, 2, 3].map(rotate))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled[1]).toMatchObject({ reason: { kind: 'unavailable' } })
    expect(await store.find(sampleHandle(2))).toMatchObject({ refreshHash: 'hash-0' })
    other.exec('DROP TRIGGER broken')
    other.close()
    expect(await rotate(2)).not.toBeNull()
    await store.close()
  })
})
