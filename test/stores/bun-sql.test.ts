import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const bun = runtimeProgram('bun')

describe.skipIf(server === null || bun === null)('store contract: PostgreSQL over Bun.sql', () => {
  const problems = new Map<string, string | null>()

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(
      bun ?? 'bun', ['--conditions=keyturn-source', 'test/runtimes/apps/bun-sql-contract.ts'], {
        cwd: join(import.meta.dirname, '../..'), maxBuffer: 2 ** 24,
        env: { ...process.env, DATABASE_URL: await createPostgresDatabase(server ?? '', 'bun_sql') },
      })
    for (const line of stdout.split('\n').filter(each => each.startsWith('{'))) {
      const { name, problem }: { name: string; problem: string | null } = JSON.parse(line)
      problems.set(name, problem)
    }
  })

  for (const { name } of storeContract) {
    test(`EDGE-08: ${name}`, () => {
      expect(problems.get(name)).toBeNull()
    })
  }
})
