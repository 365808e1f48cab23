import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLibsqlStore, migrateLibsql } from '../../src/stores/libsql.ts'
import type { LibsqlClient } from '../../src/stores/libsql.ts'
import { sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { createLibsqlClient, hasEdgePackages } from '../support/edge-packages.ts'
import { startLibsqlServer } from '../support/libsql-server.ts'
import { expectNothingSkippedAfterRestore, sqliteBackup } from '../support/restored-log.ts'
import { runStoreContract } from '../support/run-contract.ts'

describe.skipIf(!hasEdgePackages())('libSQL', () => {
  // A client for each store of a case, as in separate processes.
  runStoreContract('libSQL on a server', async () => {
    const server = await startLibsqlServer()
    const clients: { close(): void }[] = []
    const connect = async (): Promise<LibsqlClient> => {
      const client = await createLibsqlClient(server.url)
      clients.push(client)
      return client
    }
    await migrateLibsql(await connect())
    return {
      open: async () => createLibsqlStore(await connect(), { requestTimeout: 60 }),
      async discard() {
        for (const client of clients) client.close()
        await server.close()
      },
    }
  })

  async function freshClient(): Promise<LibsqlClient> {
    const server = await startLibsqlServer()
    const client = await createLibsqlClient(server.url)
    onTestFinished(() => {
      client.close()
      return server.close()
    })
    return client
  }

  test('EDGE-06: a store without tables says how to create them; with `auto` the first call does', async () => {
    const client = await freshClient()
    const missing = { reason: 'tables-missing', message: expect.stringContaining('migrateLibsql(client)') }
    await expect(createLibsqlStore(client).find(sampleHandle(1))).rejects.toMatchObject(missing)
    await expect(createLibsqlStore(client).check()).rejects.toMatchObject(missing)
    const stores = [1, 2, 3].map(() => createLibsqlStore(client, { migrate: 'auto' }))
    await Promise.all(stores.map((store, index) => store.insert(sampleRecord({ handle: sampleHandle(index) }))))
    expect(await stores[0]?.find(sampleHandle(2))).toEqual(sampleRecord({ handle: sampleHandle(2) }))
    expect(await migrateLibsql(client)).toEqual({ from: 1, to: 1 })
  })

  test('EDGE-06: of a transaction that fails, nothing stays, and later calls are not affected', async () => {
    const client = await freshClient()
    const store = createLibsqlStore(client, { migrate: 'auto' })
    await store.insert(sampleRecord({ handle: sampleHandle(1) }))
    await client.execute({ sql: 'ALTER TABLE keyturn_change RENAME TO elsewhere', args: [] })
    await expect(store.remove([sampleHandle(1)], sampleNow)).rejects.toMatchObject({ reason: 'tables-missing' })
    await client.execute({ sql: 'ALTER TABLE elsewhere RENAME TO keyturn_change', args: [] })
    expect(await store.find(sampleHandle(1))).not.toBeNull()
    expect(await store.remove([sampleHandle(1)], sampleNow)).toMatchObject({ handles: [sampleHandle(1)] })
    expect((await store.changesSince(null, 10)).changes).toMatchObject([{ handles: [sampleHandle(1)] }])
  })

  test('ST-09: after a restore to a point in time, a reader skips no change', async () => {
    const client = await freshClient()
    await expectNothingSkippedAfterRestore(
      createLibsqlStore(client, { migrate: 'auto' }),
      sqliteBackup(async sql => (await client.execute({ sql, args: [] })).rows))
  })

  test('EDGE-13: a client for a file, which may lose acknowledged logins, is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-libsql-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    for (const url of [`file:${join(folder, 'sessions.db')}`, ':memory:']) {
      const client = await createLibsqlClient(url)
      onTestFinished(() => client.close())
      for (const use of [createLibsqlStore, migrateLibsql]) {
        await expect((async () => use(client))()).rejects.toMatchObject({
          code: 'MISUSE', message: expect.stringContaining('keyturn/stores/sqlite'),
        })
      }
    }
  })

  test('EDGE-06: what is no client is refused when the store is created', () => {
    const methods = { execute: () => 1, batch: () => 1 }
    expect(() => Reflect.apply(createLibsqlStore, null, [{ execute: () => undefined }])).toThrow(/client must be/)
    // It may be a wrapper of a client for a file.
    expect(() => Reflect.apply(createLibsqlStore, null, [methods])).toThrow(/client must be/)
    expect(() => Reflect.apply(createLibsqlStore, null, [{ ...methods, protocol: 'http' }, { replica: true }]))
      .toThrow(/replica/)
  })
})
