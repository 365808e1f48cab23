import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresStore, migratePostgres, postgresJsPool } from '../../src/stores/postgres.ts'
import { hasDrivers, openPostgresJs } from '../support/drivers.ts'
import { freshSchema } from '../support/postgres-pools.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import { observeLostAnswers } from '../support/sql-lost-answers.ts'
import { proxied } from '../support/sql-store-faults.ts'

const server = inject('postgresUrl')
const bun = runtimeProgram('bun')

const repeatedOnce = { read: 'answered', login: 'STORE_UNAVAILABLE', inserted: 1, cuts: 2 }

describe.skipIf(server === null || !hasDrivers())('postgres.js', () => {
  test('DOS-08: of statements whose answer is lost, reads are repeated and logins are not', async () => {
    const { url, proxy } = await proxied(server ?? '')
    const schema = freshSchema()
    await migratePostgres(server ?? '', { schema })
    const client = openPostgresJs(url, { max: 1 })
    // Without a time limit, it does not return after a connection was lost.
    onTestFinished(() => client.end({ timeout: 0 }))
    const store = createPostgresStore(postgresJsPool(client), { schema })
    onTestFinished(() => store.close())
    expect(await observeLostAnswers(store, proxy)).toEqual(repeatedOnce)
  })
})

describe.skipIf(server === null || bun === null)('Bun.sql', () => {
  test('DOS-08: of statements whose answer is lost, reads are repeated and logins are not', async () => {
    const { stdout } = await promisify(execFile)(
      bun ?? 'bun', ['--conditions=keyturn-source', 'test/runtimes/apps/bun-sql-faults.ts'], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, DATABASE_URL: await createPostgresDatabase(server ?? '', 'bun_sql_faults') },
      })
    expect(JSON.parse(stdout)).toEqual(repeatedOnce)
  })
})
