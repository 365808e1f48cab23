import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sampleHandle, sampleRecord } from '../../testing/samples.ts'
import { createSqliteStore, printSqliteMigrations } from '../sqlite.ts'
import { pending } from './migrations.ts'

test('pending returns the migrations that a version still needs', () => {
  const migrations = [() => ['first'], () => ['second']]
  expect(pending(migrations, 0)).toEqual(migrations)
  expect(pending(migrations, 2)).toEqual([])
  expect(() => pending(migrations, 3)).toThrow('a newer version of Keyturn')
})

test('the printed SQL for SQLite creates the schema that the store expects', async () => {
  const database = new DatabaseSync(':memory:')
  database.exec(printSqliteMigrations({ prefix: 'app_' }))
  const store = createSqliteStore(database, { prefix: 'app_' })
  await store.insert(sampleRecord())
  expect(await store.find(sampleHandle(1))).toEqual(sampleRecord())
  await store.close()
  database.close()
})
