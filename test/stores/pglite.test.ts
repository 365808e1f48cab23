import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { hasDrivers, startPglite } from '../support/drivers.ts'
import type { PgliteServer } from '../support/drivers.ts'
import { freshSchema, opened } from '../support/postgres-pools.ts'
import { freePort } from '../support/servers/workspace.ts'

describe.skipIf(!hasDrivers())('PGlite behind its socket server', () => {
  let server: PgliteServer

  beforeAll(async () => {
    server = await startPglite(await freePort())
  })
  afterAll(() => server.close())

  function openPool(max?: number): Pool {
    const pool = new Pool({ connectionString: server.url, ...max === undefined ? {} : { max } })
    onTestFinished(() => pool.end())
    return pool
  }

  /** PGlite works in this process, and takes seconds for its first statements while the machine is busy. */
  function patient(): { schema: string; migrate: 'auto'; requestTimeout: number } {
    return { schema: freshSchema(), migrate: 'auto', requestTimeout: 60 }
  }

  async function useStore(store: SessionStore): Promise<void> {
    const woken = new Promise<void>(resolve => {
      void store.follow(resolve).then(stop => onTestFinished(stop))
    })
    await Promise.all([1, 2, 3, 4].map(number => store.insert(sampleRecord({ handle: sampleHandle(number) }))))
    const rotations = await Promise.all([1, 2, 3].map(number => (
      store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    )))
    expect(rotations).not.toContain(null)
    expect((await store.remove([sampleHandle(4)], sampleNow)).handles).toEqual([sampleHandle(4)])
    await woken
    expect((await store.changesSince(null, 10)).changes)
      .toMatchObject([{ kind: 'revoked', handles: [sampleHandle(4)] }])
  }

  test('E-06: a store that may open several connections is refused at its first use', async () => {
    const schema = freshSchema()
    const stores = [
      () => createPostgresStore(server.url, { schema, migrate: 'auto' }),
      () => createPostgresStore(server.url, { schema, migrate: 'auto', preparedStatements: false, poolSize: 2 }),
      () => createPostgresStore(openPool(), { schema, migrate: 'auto' }),
      () => createPostgresStore(openPool(2), { schema, migrate: 'auto', preparedStatements: false }),
    ]
    for (const open of stores) {
      await expect(opened(open()).find(sampleHandle(1))).rejects.toMatchObject({
        code: 'MISUSE', message: expect.stringMatching(/PGlite.* poolSize: 1 .* max: 1 /),
      })
    }
    const { rows } = await openPool(1).query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
    expect(rows).toEqual([])
  })

  test('E-06: with one connection, by URL, the store works, and its feed wakes', async () => {
    await useStore(opened(createPostgresStore(server.url, { ...patient(), poolSize: 1 })))
  })

  test('E-06: with a pool of one connection the store works, and its feed wakes', async () => {
    await useStore(opened(createPostgresStore(openPool(1), patient())))
  })
})
