// Runs the store contract on the runtime's own SQLite, and prints a JSON line for each case.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '../../../src/session/store.ts'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import type { SqliteDatabase } from '../../../src/stores/sqlite.ts'
import { storeContract } from '../../../src/testing/store-contract.ts'

const [kind = 'node:sqlite'] = process.argv.slice(2)

/** The name is a parameter, so that the compiler and the other runtimes do not look for the module. */
async function driver(name: string): Promise<(file: string) => SqliteDatabase> {
  const module: { Database: new (file: string) => SqliteDatabase; DatabaseSync: new (file: string) => SqliteDatabase } =
    await import(name)
  return file => name === 'bun:sqlite' ? new module.Database(file) : new module.DatabaseSync(file)
}

const open = await driver(kind)
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
