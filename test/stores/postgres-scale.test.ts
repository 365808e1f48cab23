import { Client, type Pool } from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { readSettings } from '../../src/server/settings.ts'
import type { ServerSettings } from '../../src/server/settings.ts'
import type { RemovedPage, SessionStore } from '../../src/session/store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import {
  minute, sampleEvent, sampleHandle, sampleNow, sampleRecord, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { freshStore, opened, openPool, watched } from '../support/postgres-pools.ts'
import { serveProcess } from '../support/serve-process.ts'
import { createPostgresDatabase, startPostgres } from '../support/servers/postgres.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { present } from '../support/present.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'scale')

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

const insertAll = async (store: SessionStore, numbers: readonly number[]): Promise<void> => void await Promise.all(
  numbers.map(number => store.insert(sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))))

/** A store whose statements are recorded. */
async function watchedStore(): Promise<{ store: SessionStore; texts: string[]; schema: string; admin: Pool }> {
  const { schema, pool: admin } = await freshStore(url)
  const { pool, texts } = watched(openPool(url))
  const store = opened(createPostgresStore(pool, { schema }))
  await store.find(sampleHandle(1))
  texts.length = 0
  return { store, texts, schema, admin }
}

async function countOf(pool: Pool, table: string): Promise<number> {
  const { rows: [row] } = await pool.query(`SELECT count(*)::int AS count FROM ${table}`)
  return row?.count
}

describe.skipIf(server === null)('PostgreSQL', () => {
  test('P-01: confirming what is confirmed takes one statement, and neither writes nor locks a row', async () => {
    const { store, texts, schema, admin } = await watchedStore()
    await insertAll(store, upTo(20))
    const confirmations = upTo(20).map(number => ({ handle: sampleHandle(number), generation: 0, branch: 0 }))
    const versions = async (): Promise<unknown[]> => (await admin.query(
      `SELECT handle, ctid, xmin, xmax, confirmed FROM ${schema}.keyturn_session ORDER BY handle`)).rows
    await store.confirm(confirmations.slice(0, 12))
    const before = await versions()
    texts.length = 0
    await store.confirm([...confirmations.slice(0, 12), { handle: sampleHandle(99), generation: 0, branch: 0 }])
    await store.confirm(confirmations.slice(12).map(each => ({ ...each, generation: 7 })))
    expect(await versions()).toEqual(before)
    expect(texts).toHaveLength(2)
    await store.confirm(confirmations)
    expect((await versions()).slice(0, 12)).toEqual(before.slice(0, 12))
    expect(await versions()).toMatchObject(upTo(20).map(() => ({ confirmed: 1 })))
    expect(texts).toHaveLength(3)
  })

  test('P-03: a call removes at most its limit of each kind, and says that there is more', async () => {
    const { store, schema, admin } = await watchedStore()
    await admin.query(
      `INSERT INTO ${schema}.keyturn_change SELECT n, 'x', 'keys', '[]', 0, n FROM generate_series(1, 3000) AS n`)
    await admin.query(
      `INSERT INTO ${schema}.keyturn_not_before SELECT 'user ' || n, 1, n FROM generate_series(1, 2000) AS n`)
    await insertAll(store, upTo(30))
    await admin.query(`UPDATE ${schema}.keyturn_session SET sweep_at = 0`)
    const left = async (): Promise<number[]> => [
      await countOf(admin, `${schema}.keyturn_change`), await countOf(admin, `${schema}.keyturn_not_before`),
      await countOf(admin, `${schema}.keyturn_session WHERE sweep_at = 0`),
    ]
    expect(await store.removeExpired(2500, 10)).toEqual({ removed: 0, more: true })
    expect(await left(), 'sessions that are kept count as well').toEqual([2990, 1990, 20])
    expect((await admin.query(`SELECT min(seq)::int AS oldest FROM ${schema}.keyturn_change`)).rows)
      .toEqual([{ oldest: 11 }])
    for (const after of [[1990, 990, 0], [990, 0, 0]]) {
      expect(await store.removeExpired(2500, 1000)).toEqual({ removed: 0, more: true })
      expect(await left()).toEqual(after)
    }
    expect(await store.removeExpired(2500, 1000)).toEqual({ removed: 0, more: false })
    expect(await left()).toEqual([500, 0, 0])
    await admin.query(`UPDATE ${schema}.keyturn_session SET sweep_at = 0`)
    for (const kept of [15, 0]) {
      expect((await store.removeExpired(2500, 15)).more, 'a full part of those that are kept').toBe(true)
      expect((await left())[2]).toBe(kept)
    }
  })

  test('P-03: a kind that cannot be removed does not keep the others from being removed', async () => {
    const { store, schema, admin } = await watchedStore()
    const fill = async (): Promise<void> => {
      await admin.query(
        `INSERT INTO ${schema}.keyturn_change VALUES (1, 'x', 'keys', '[]', 0, 1) ON CONFLICT DO NOTHING`,
      )
      await admin.query(`INSERT INTO ${schema}.keyturn_not_before VALUES ('user 1', 1, 1) ON CONFLICT DO NOTHING`)
      await store.appendEvent(sampleEvent(0, { until: 1 }))
      await store.insert(sampleRecord({ expiresAt: sampleNow - 1 })).catch(() => undefined)
    }
    await admin.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN RAISE 'no'; END$$`)
    for (const broken of ['change', 'not_before', 'event', 'session']) {
      await fill()
      const table = `${schema}.keyturn_${broken}`
      await admin.query(
        `CREATE TRIGGER refuse BEFORE DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`,
      )
      await expect(store.removeExpired(sampleNow, 10)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      for (const each of ['change', 'not_before', 'event', 'session']) {
        expect([each, await countOf(admin, `${schema}.keyturn_${each}`)]).toEqual([each, each === broken ? 1 : 0])
      }
      await admin.query(`DROP TRIGGER refuse ON ${table}`)
      await store.removeExpired(sampleNow, 10)
    }
  })

  test('P-03: a page of removeAll looks at no more than its limit, also where it keeps all of them', async () => {
    const { store } = await watchedStore()
    for (const number of upTo(26)) {
      const createdAt = number === 25 ? sampleNow : sampleNow + 2
      await store.insert(sampleRecord({ handle: sampleHandle(number), createdAt }))
    }
    const notBefore = { time: sampleNow + 1, until: sampleNow + minute }
    const pages: number[] = []
    let after: string | null = null
    do {
      const page: RemovedPage = await store.removeAll({ notBefore, limit: 10, after })
      pages.push(page.removed)
      after = page.next
    } while (after !== null)
    expect(pages).toEqual([0, 0, 1])
  })

  test('P-14: a list does not ask for JWT payload and session data', async () => {
    const { store, texts } = await watchedStore()
    await insertAll(store, upTo(2))
    texts.length = 0
    await store.listByUser('user-1', { limit: 10, after: null })
    expect(texts).toHaveLength(1)
    expect(texts.join()).not.toMatch(/jwt_payload|session_info|\*/)
  })

  test('P-17: while a snapshot is old, readings of the log do not pass over the versions of its head', async () => {
    const { store, texts, schema, admin } = await watchedStore()
    await insertAll(store, upTo(2))
    const old = await admin.connect()
    onTestFinished(() => old.release(true))
    await old.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM ${schema}.keyturn_meta`)
    await store.remove([sampleHandle(0)], sampleNow)
    // As many changes, which have been pruned since.
    await admin.query(`DO $$ BEGIN FOR change IN 1..4000 LOOP
      UPDATE ${schema}.keyturn_meta SET number = number + 1 WHERE name = 'log'; COMMIT; END LOOP; END $$`)
    await store.remove([sampleHandle(1)], sampleNow)
    const { cursor } = await store.changesSince(null, 10)
    const [entry, seq] = cursor?.split('.') ?? []
    texts.length = 0
    await store.changesSince(cursor, 10)
    const [reading = ''] = texts

    const client = await admin.connect()
    onTestFinished(() => client.release(true))
    await client.query(`PREPARE reading AS ${reading}`)
    const buffers = async (at: string, name: string): Promise<{ read: number; plan: string }> => {
      const { rows: [row] } = await client.query(
        `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE reading(${at}, '${name}', 11)`)
      const [{ Plan: plan }] = present(row)['QUERY PLAN']
      return { read: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], plan: JSON.stringify(plan) }
    }
    for (const mode of ['force_generic_plan', 'force_custom_plan']) {
      await client.query(`SET plan_cache_mode = ${mode}`)
      expect((await buffers(seq ?? '', entry ?? '')).read).toBeLessThan(10)
      expect((await buffers('0', '')).read, 'the versions are there').toBeGreaterThan(30)
    }
    // The page is the same as from the head row.
    expect(await store.changesSince(cursor, 10)).toEqual({ changes: [], cursor, more: false })
    expect((await store.changesSince(null, 1)).more).toBe(true)
  })

  test('P-17: a cursor whose entry has been pruned continues at the head, and returns what comes', async () => {
    const { store } = await watchedStore()
    await store.insert(sampleRecord({ handle: sampleHandle(1), accessTokenLifetime: 0 }))
    await store.remove([sampleHandle(1)], sampleNow)
    const { cursor } = await store.changesSince(null, 10)
    await store.removeExpired(sampleNow + 1, 10)
    expect(await store.changesSince(cursor, 10)).toEqual({ changes: [], cursor, more: false })
    await store.insert(sampleRecord({ handle: sampleHandle(2) }))
    await store.removeByUser(sampleUserRemoval())
    expect((await store.changesSince(cursor, 10)).changes).toMatchObject([{ handles: [sampleHandle(2)] }])
  })

  test('P-08: with fewer connections than the processes want, all calls of all stores succeed', async () => {
    const small = await startPostgres({ settings: { max_connections: '14', superuser_reserved_connections: '2' } })
    onTestFinished(() => small.remove())
    // The server keeps some connections for a superuser.
    const admin = new Client(small.url)
    await admin.connect()
    onTestFinished(() => admin.end())
    await admin.query('CREATE ROLE app LOGIN SUPERUSER')
    const app = new URL(small.url)
    app.username = 'app'
    // On a busy machine the calls may take long; refused connections fail at once.
    const requestTimeout = 60
    const first = createPostgresStore(app.href, { migrate: 'auto', poolSize: 3, requestTimeout })
    onTestFinished(() => first.close())
    await first.find(sampleHandle(1))
    await admin.query('ALTER ROLE app NOSUPERUSER')
    const stores = [first, ...upTo(3).map(() => createPostgresStore(app.href, { requestTimeout }))]
    const stops: (() => Promise<void>)[] = []
    for (const store of stores) {
      if (store !== first) onTestFinished(() => store.close())
      stops.push(await store.follow(() => undefined))
      await store.find(sampleHandle(1))
    }
    for (let round = 0; round < 3; round++) {
      const calls = stores.flatMap((store, index) => upTo(40).flatMap(number => {
        const handle = sampleHandle(round * 1000 + index * 100 + number)
        return [store.find(handle), store.insert(sampleRecord({ handle })),
          store.listByUser('nobody', { limit: 1, after: null })]
      }))
      const settled = await Promise.allSettled(calls)
      expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
    }
    await Promise.all(stops.map(stop => stop()))
  })

  test('P-08: a store opens no more connections than its pool size, and one to listen', async () => {
    const { schema, pool: admin } = await freshStore(url)
    const name = `${schema}_limited`
    const store = opened(createPostgresStore(`${url}?application_name=${name}`, { schema, poolSize: 2 }))
    const stop = await store.follow(() => undefined)
    await Promise.all(upTo(50).map(number => store.find(sampleHandle(number))))
    const { rows } = await admin.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [name])
    expect(rows).toHaveLength(3)
    await stop()
    expect(() => createPostgresStore(admin, { poolSize: 2 })).toThrow('poolSize must be left out')
    expect(() => createPostgresStore(url, { poolSize: 0 })).toThrow('poolSize must be a whole number from 1 to 1,000')
  })

  test('P-08: keyturn serve keeps to --pool-size, and refuses it for a store without a pool', async () => {
    const { pool: admin } = await freshStore(url)
    const directory = createDirectory()
    const serve = await serveProcess(directory, [
      `${url}?application_name=served`, '--prefix', 'served_', '--pool-size', '1', '--port', '0',
    ], { KEYTURN_SECRET: 'secret'.repeat(8) })
    onTestFinished(() => void serve.end('SIGKILL'))
    const statuses = await Promise.all(upTo(30).map(async number => (await fetch(`${serve.url}/v1/sessions`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: `user-${number}` }),
    })).status))
    expect(new Set(statuses)).toEqual(new Set([201]))
    const { rows } = await admin.query('SELECT FROM pg_stat_activity WHERE application_name = $1', ['served'])
    expect(rows.length).toBeLessThanOrEqual(2)
    const read = (store: string): ServerSettings => (
      readSettings({ flags: { store }, environment: { KEYTURN_POOL_SIZE: '7' }, file: {} }))
    expect(read('postgres://db/app').poolSize).toBe(7)
    expect(() => read('sqlite:file.db')).toThrow('--pool-size must be left out: SQLite has no pool of connections')
  })

  test('P-10: removals over many processes are durable, even if the default is that they are not', async () => {
    const { store, schema, admin } = await watchedStore()
    await admin.query(`CREATE TABLE ${schema}.noted (setting text)`)
    await admin.query(`CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN INSERT INTO ${schema}.noted VALUES (current_setting('synchronous_commit')); RETURN NULL; END$$`)
    await admin.query(`CREATE CONSTRAINT TRIGGER note AFTER DELETE ON ${schema}.keyturn_session
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`)
    await insertAll(store, upTo(6))
    await Promise.all(upTo(5).map(number => store.remove([sampleHandle(number)], sampleNow + minute)))
    await store.removeByUser(sampleUserRemoval({ userId: 'user-5' }))
    const { rows } = await admin.query(`SELECT DISTINCT setting FROM ${schema}.noted`)
    expect(rows).toEqual([{ setting: 'on' }])
    expect(await countOf(admin, `${schema}.noted`)).toBe(6)
  })
})
