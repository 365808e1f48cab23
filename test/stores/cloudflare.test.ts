// The stores on Cloudflare's databases, over a SQLite database of this process. In workerd, the contract is run.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createD1Store, migrateD1 } from '../../src/stores/d1.ts'
import type { D1Statement } from '../../src/stores/d1.ts'
import { createDurableObjectStore, SessionObject } from '../../src/stores/durable-object.ts'
import type { DurableObjectState } from '../../src/stores/durable-object.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { expectNothingSkippedAfterRestore, sqliteBackup } from '../support/restored-log.ts'
import { createD1, createObjectState } from '../support/sqlite-platforms.ts'

function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  return database
}

function storeOn(object: SessionObject): SessionStore {
  return createDurableObjectStore({
    idFromName: name => name,
    get: () => ({ fetch: (url, init) => object.fetch(new Request(url, init)) }),
  })
}

/** An object whose tables are there. */
async function startObject(state: DurableObjectState): Promise<SessionObject> {
  let ready: Promise<unknown> = Promise.resolve()
  const object = new SessionObject({
    ...state,
    blockConcurrencyWhile(work) {
      const started = state.blockConcurrencyWhile(work)
      ready = started
      return started
    },
  })
  await ready
  return object
}

describe('D1', () => {
  test('ST-09: after Time Travel, a reader skips no change', async () => {
    const database = openDatabase()
    const d1 = createD1(database)
    await migrateD1(d1)
    await expectNothingSkippedAfterRestore(createD1Store(d1), sqliteBackup(async sql => database.prepare(sql).all()))
  })

  test('REV-11: an answer without rows is a failure, not an empty table', async () => {
    const failed: { readonly success: false; readonly results: unknown[] } = JSON.parse('{ "success": false }')
    const statement: D1Statement = { bind: () => statement, all: async () => failed }
    for (const results of [[], [failed], [failed, failed], [{ results: [] }], [{ results: [] }, failed]]) {
      const store = createD1Store({ prepare: () => statement, batch: async () => results })
      const now = Date.now()
      for (const call of [
        store.find(sampleHandle(1)), store.changesSince(null, 10), store.listKeys(), store.check(),
        store.remove([sampleHandle(1)], now), store.removeKey('key-1', now),
      ]) await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })
})

describe('a Durable Object', () => {
  test('ST-09: after a restore to a bookmark, a reader skips no change', async () => {
    const database = openDatabase()
    const store = storeOn(await startObject(createObjectState(database)))
    await expectNothingSkippedAfterRestore(store, sqliteBackup(async sql => database.prepare(sql).all()))
  })
})
