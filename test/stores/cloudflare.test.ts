// The stores on Cloudflare's databases, over a SQLite database of this process. In workerd, the contract is run.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createD1Store, migrateD1 } from '../../src/stores/d1.ts'
import type { D1Statement } from '../../src/stores/d1.ts'
import { createDurableObjectStore, SessionObject } from '../../src/stores/durable-object.ts'
import type { DurableObjectState } from '../../src/stores/durable-object.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { minute, sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
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

  test('EDGE-06: missing and old tables are an error that says what creates them on D1', async () => {
    const database = openDatabase()
    const store = createD1Store(createD1(database))
    const missing = { code: 'MISUSE', reason: 'tables-missing', message: expect.stringContaining('printD1Migrations()') }
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject(missing)
    await expect(store.check()).rejects.toMatchObject(missing)
    await migrateD1(createD1(database))
    database.exec('ALTER TABLE keyturn_session RENAME COLUMN ip TO address')
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
      ...missing, reason: 'tables-outdated', message: expect.not.stringContaining('npx keyturn migrate'),
    })
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

  test('EDGE-06: missing tables are an error that says what creates them in an object', async () => {
    const database = openDatabase()
    const store = storeOn(await startObject(createObjectState(database)))
    database.exec('DROP TABLE keyturn_session')
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
      reason: 'tables-missing', message: expect.stringContaining('exports SessionObject'),
    })
  })

  test('ST-05: an alarm that leaves expired sessions is followed by another one within seconds', async () => {
    const database = openDatabase()
    const state = createObjectState(database)
    const object = await startObject(state)
    const store = storeOn(object)
    const handle = sampleHandle(1)
    await store.insert(sampleRecord({ handle, createdAt: Date.now(), expiresAt: Date.now() + 60 * minute }))
    const columns = 'user_id, tenant_id, created_at, authenticated_at, refresh_hash, anchor_hash, refresh_key_id, '
      + 'generation, branch, confirmed, rotated_at, served_at, idle_timeout, absolute_expiry, access_token_lifetime, '
      + 'reuse_interval, persistent, jwt_payload, payload_version, session_info, info_version, ip, user_agent, format'
    database.exec(`INSERT INTO keyturn_session (handle, expires_at, sweep_at, ${columns})
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 50100)
      SELECT 'expired-' || n, 1, 1, ${columns} FROM keyturn_session, number WHERE handle = '${handle}'`)
    const expired = (): unknown => (
      database.prepare('SELECT count(*) AS count FROM keyturn_session WHERE expires_at = 1').get()?.['count'])
    state.alarm = null
    await object.alarm()
    expect(expired()).toBe(100)
    expect(state.alarm).toBeLessThan(Date.now() + minute)
    state.alarm = null
    await object.alarm()
    expect(expired()).toBe(0)
    expect(state.alarm).toBeGreaterThan(Date.now() + 50 * minute)
  })

  test('ST-05: an alarm that could not be set is set by the next call', async () => {
    const state = createObjectState(openDatabase())
    const store = storeOn(await startObject(state))
    state.refusesAlarms = true
    await expect(store.insert(sampleRecord())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    state.refusesAlarms = false
    expect(await store.insert(sampleRecord())).toBe(true)
    expect(state.alarm).toBeGreaterThan(Date.now())
  })

  test('REV-11: an answer that is none of the object is a failure, and what is no statement is not run', async () => {
    for (const answer of [
      new Response('<h1>Error 1101</h1>', { status: 500 }), Response.json({ error: 'x' }, { status: 500 }),
      Response.json({ results: [] }), Response.json([]), Response.json([{ rows: [] }]), new Response('<p>'),
    ]) {
      const store = createDurableObjectStore({ idFromName: name => name, get: () => ({ fetch: async () => answer }) })
      await expect(store.find(sampleHandle(1))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    const object = await startObject(createObjectState(openDatabase()))
    for (const body of [{}, ['SELECT 1'], [{ sql: 'SELECT 1' }], [{ sql: 1, values: [] }], [{ sql: '', values: [{}] }]]) {
      const request = new Request('https://keyturn/', { method: 'POST', body: JSON.stringify(body) })
      expect((await object.fetch(request)).status).toBe(400)
    }
  })
})
