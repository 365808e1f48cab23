import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createLibsqlStore, migrateLibsql } from '../../src/stores/libsql.ts'
import { sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import { createLibsqlClient, hasEdgePackages } from '../support/edge-packages.ts'
import { runStoreContract } from '../support/run-contract.ts'

describe.skipIf(!hasEdgePackages())('libSQL', () => {
  let folder: string
  let files = 0
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyturn-libsql-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const freshUrl = (): string => `file:${join(folder, `${++files}.db`)}`

  // One client for all stores of a case, as in a program.
  runStoreContract('libSQL in a file', async () => {
    const client = await createLibsqlClient(freshUrl())
    await migrateLibsql(client)
    return {
      open: async () => createLibsqlStore(client, { requestTimeout: 60 }),
      discard: async () => client.close(),
    }
  })

  test('EDGE-06: a store without tables says how to create them; with `auto` the first call does', async () => {
    const client = await createLibsqlClient(freshUrl())
    onTestFinished(() => client.close())
    await expect(createLibsqlStore(client).find(sampleHandle(1))).rejects.toMatchObject({ reason: 'tables-missing' })
    await expect(createLibsqlStore(client).check()).rejects.toMatchObject({ reason: 'tables-missing' })
    const stores = [1, 2, 3].map(() => createLibsqlStore(client, { migrate: 'auto' }))
    await Promise.all(stores.map((store, index) => store.insert(sampleRecord({ handle: sampleHandle(index) }))))
    expect(await stores[0]?.find(sampleHandle(2))).toEqual(sampleRecord({ handle: sampleHandle(2) }))
    expect(await migrateLibsql(client)).toEqual({ from: 1, to: 1 })
  })

  test('EDGE-06: what is no client is refused when the store is created', () => {
    expect(() => Reflect.apply(createLibsqlStore, null, [{ execute: () => undefined }])).toThrow(/client must be/)
    expect(() => Reflect.apply(createLibsqlStore, null, [{ execute: () => 1, batch: () => 1 }, { replica: true }]))
      .toThrow(/replica/)
  })
})
