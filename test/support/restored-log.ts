import { expect } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'

/** A backup of a database, which can be restored while its stores go on. */
export interface Backup {
  save(): Promise<void>
  restore(): Promise<void>
}

/**
 * Ensures that a reader who was idle while the database was restored in place skips nothing, whether the restored log
 * has as many entries as the reader knows, or more of them.
 */
export async function expectNothingSkippedAfterRestore(store: SessionStore, backup: Backup): Promise<void> {
  const revoke = (number: number): Promise<unknown> => store.remove([sampleHandle(number)], sampleNow + minute)
  const readAfter = async (cursor: string | null): Promise<readonly string[]> => (
    (await store.changesSince(cursor, 100)).changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])
  )
  for (let number = 0; number < 6; number++) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
  await revoke(0)
  await backup.save()
  for (const number of [1, 2]) await revoke(number)
  const { cursor } = await store.changesSince(null, 100)

  await backup.restore()
  expect(await store.find(sampleHandle(1)), 'the session is active again').not.toBeNull()
  for (const revoked of [[3], [3, 4], [3, 4, 5]]) {
    await revoke(revoked.at(-1) ?? 0)
    expect(await readAfter(cursor)).toEqual(expect.arrayContaining(revoked.map(sampleHandle)))
  }
}

/** Makes backups of Keyturn's tables in a SQLite database, within the database. `run` runs one statement. */
export function sqliteBackup(run: (sql: string) => Promise<readonly unknown[]>): Backup {
  let tables: readonly string[] = []
  return {
    async save() {
      // Where numbers are never used again, SQLite keeps the last one in a table; that is restored, too.
      const rows = await run(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'keyturn%' OR name = 'sqlite_sequence')`)
      tables = rows.map(row => String(Object(row).name))
      for (const table of tables) await run(`CREATE TABLE saved_${table} AS SELECT * FROM ${table}`)
    },
    async restore() {
      for (const table of tables) {
        await run(`DELETE FROM ${table}`)
        await run(`INSERT INTO ${table} SELECT * FROM saved_${table}`)
      }
    },
  }
}
