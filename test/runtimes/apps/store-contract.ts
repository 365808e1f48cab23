// Runs the store contract on the runtime's own SQLite, and prints a JSON line for each case.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '../../../src/session/store.ts'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import { storeContract } from '../../../src/testing/store-contract.ts'
import { sqliteDriver } from './sqlite-driver.ts'

const open = await sqliteDriver(process.argv[2])
const directory = mkdtempSync(join(tmpdir(), 'keyturn-contract-'))
let files = 0
for (const { name, run } of storeContract) {
  const file = join(directory, `${++files}.db`)
  const [durable, fast] = [open(file), open(file)]
  const stores: SessionStore[] = []
  let problem: string | null = null
  try {
    await run({
      async open() {
        const store = createSqliteStore(durable, { fast })
        stores.push(store)
        return store
      },
    })
  } catch (error) {
    problem = error instanceof Error ? `${error.stack} ${error.cause ?? ''}` : String(error)
  }
  for (const store of stores) await store.close()
  for (const database of [durable, fast]) database.close()
  console.log(JSON.stringify({ name, problem }))
}
rmSync(directory, { recursive: true })
