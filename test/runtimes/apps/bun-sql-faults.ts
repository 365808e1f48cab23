// Lets answers be lost on their way to Bun's own client. Prints what became of the calls.
import { bunSqlPool, createPostgresStore, migratePostgres } from '../../../src/stores/postgres.ts'
import type { ReservingSql } from '../../../src/stores/postgres.ts'
import { observeLostAnswers } from '../../support/sql-lost-answers.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

const name = 'bun'
const { SQL }: { SQL: new (url: string, options: { max: number }) => ReservingSql & { close(): Promise<void> } } =
  await import(name)
const url = new URL(process.env['DATABASE_URL'] ?? '')
const proxy = await startTcpProxy(Number(url.port))
url.port = `${proxy.port}`
const sql = new SQL(url.href, { max: 1 })
const pool = bunSqlPool(sql)
await migratePostgres(pool)
const store = createPostgresStore(pool)
console.log(JSON.stringify(await observeLostAnswers(store, proxy)))
await store.close()
await sql.close()
await proxy.close()
