// Runs the store contract on PostgreSQL over Bun's own client. Prints a line for each case.
import type { SessionStore } from '../../../src/session/store.ts'
import { bunSqlPool, createPostgresStore, migratePostgres } from '../../../src/stores/postgres.ts'
import type { ReservingSql } from '../../../src/stores/postgres.ts'
import { storeContract } from '../../../src/testing/store-contract.ts'

const url = process.env['DATABASE_URL'] ?? ''
const name = 'bun'
const { SQL }: { SQL: new (url: string, options: { max: number }) => ReservingSql & { close(): Promise<void> } } =
  await import(name)
const sql = new SQL(url, { max: 10 })
let schemas = 0
for (const { name: title, run } of storeContract) {
  const schema = `bun_${++schemas}`
  const pool = bunSqlPool(sql)
  await migratePostgres(pool, { schema })
  const stores: SessionStore[] = []
  let problem: string | null = null
  try {
    await run({
      async open() {
        const store = createPostgresStore(pool, { schema })
        stores.push(store)
        return store
      },
    })
  } catch (error) {
    problem = error instanceof Error ? `${error.stack} ${error.cause ?? ''}` : String(error)
  }
  for (const store of stores) await store.close()
  console.log(JSON.stringify({ name: title, problem }))
}
await sql.close()
