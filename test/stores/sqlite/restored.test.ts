import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../../src/stores/sqlite.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../../src/testing/samples.ts'
import { expectNothingSkippedAfterRestore, sqliteBackup } from '../../support/restored-log.ts'

/** A store on a file, and another connection to it. */
function openFile(): { readonly store: ReturnType<typeof openSqliteStore>; readonly other: DatabaseSync } {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-restored-'))
  const file = join(folder, 'sessions.db')
  const store = openSqliteStore(file)
  const other = new DatabaseSync(file)
  onTestFinished(async () => {
    await store.close()
    other.close()
    rmSync(folder, { recursive: true })
  })
  return { store, other }
}

test('ST-09: after a restore in place, a reader skips no change', async () => {
  const { store, other } = openFile()
  await expectNothingSkippedAfterRestore(store, sqliteBackup(async sql => other.prepare(sql).all()))
})

test('ST-09: the number of an entry that was pruned may be used again, and a reader skips no change', async () => {
  const { store, other } = openFile()
  const read = async (cursor: string | null): Promise<readonly string[]> => (
    (await store.changesSince(cursor, 10)).changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])
  )
  await store.insert(sampleRecord())
  await store.remove([sampleHandle(1)], sampleNow)
  const { cursor } = await store.changesSince(null, 10)
  expect(cursor).toMatch(/\.1$/)
  await store.removeExpired(sampleNow + 60 * minute, 100)
  expect(other.prepare('SELECT count(*) AS entries FROM keyturn_change').get()).toEqual({ entries: 0 })
  expect(await read(cursor)).toEqual([])
  await store.insert(sampleRecord({ handle: sampleHandle(2) }))
  await store.remove([sampleHandle(2)], sampleNow + 60 * minute)
  expect(other.prepare('SELECT seq FROM keyturn_change').all()).toEqual([{ seq: 1 }])
  expect(await read(cursor)).toEqual([sampleHandle(2)])
})
