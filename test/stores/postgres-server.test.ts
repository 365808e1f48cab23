import { Pool } from 'pg'
import type { Client } from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresStore, migratePostgres, printPostgresMigrations } from '../../src/stores/postgres.ts'
import {
  minute, sampleEvent, sampleHandle, sampleNext, sampleNow, samplePresented, sampleReauthentication, sampleRecord,
  sampleRotation,
  sampleState, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { manySessions } from '../support/many-sessions.ts'
import { freshSchema, freshStore, opened, openPool, watched } from '../support/postgres-pools.ts'
import { createPostgresDatabase, startPostgres } from '../support/servers/postgres.ts'
import { present } from '../support/present.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'properties')

describe.skipIf(server === null)('PostgreSQL', () => {
  test('one statement each, without a transaction; two for logins, and for the removals that refuse logins', async () => {
    const schema = freshSchema()
    const { pool, texts } = watched(openPool(url))
    const store = opened(createPostgresStore(pool, { schema, migrate: 'auto' }))
    await store.find(sampleHandle(1))
    const late = { handle: sampleHandle(1), now: sampleNow, from: sampleNow }
    const page = { limit: 10, notBefore: { time: 0, until: sampleNow } }
    const calls: readonly (readonly [name: string, count: number, call: () => Promise<unknown>])[] = [
      ['insert', 2, () => store.insert(sampleRecord())],
      ['find', 1, () => store.find(sampleHandle(1))],
      ['rotate', 1, () => store.rotate(sampleRotation())],
      ['rotate, lost', 1, () => store.rotate(sampleRotation())],
      ['confirm', 1, () => store.confirm([{ handle: sampleHandle(1), generation: 1, branch: 0 }])],
      ['updateInfo', 1, () => store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: 0 })],
      ['updatePayload', 1, () => store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null })],
      ['reauthenticate', 1, () => store.reauthenticate(
        sampleReauthentication(sampleRecord({ ...sampleNext(), confirmed: true })))],
      ['listByUser', 1, () => store.listByUser('user-1', { limit: 10, after: null })],
      ['changesSince', 1, () => store.changesSince(null, 10)],
      ['removeUnchanged', 1, () => store.removeUnchanged(sampleHandle(1), sampleState(sampleRecord()), sampleNow)],
      ['remove', 1, () => store.remove([sampleHandle(1)], sampleNow)],
      ['removeByUser', 2, () => store.removeByUser(sampleUserRemoval())],
      ['removeAll', 2, () => store.removeAll({ ...page, after: null })],
      ['removeAll, the next page', 1, () => store.removeAll({ ...page, after: sampleHandle(1) })],
      ['acquireLease', 1, () => store.acquireLease('sweep', 'a', sampleNow, sampleNow + minute)],
      ['listKeys', 1, () => store.listKeys()],
    ]
    for (const [name, count, call] of calls) {
      texts.length = 0
      await call()
      expect([name, texts.length]).toEqual([name, count])
      expect(texts.join()).not.toMatch(/BEGIN|COMMIT/)
    }
    // These changes write two tables in one statement, so that neither write can exist without the other.
    expect((await store.changesSince(null, 10)).changes.map(change => change.kind)).toEqual(['payload', 'revoked'])
  })

  test('refreshes are HOT updates: no index and no other page is changed', async () => {
    // A separate server and one connection: a transaction that writes anywhere on a server, as CREATE DATABASE does
    // for a second, keeps old row versions from being pruned everywhere on it.
    const quiet = await startPostgres()
    onTestFinished(() => quiet.remove())
    const { schema, pool } = await freshStore(quiet.url)
    const own = new Pool({ connectionString: quiet.url, max: 1 })
    const store = createPostgresStore(own, { schema })
    const handles = Array.from({ length: 300 }, (_, index) => sampleHandle(index))
    await Promise.all(handles.map(handle => store.insert(sampleRecord({ handle, userId: handle, reuseInterval: 0 }))))
    const rounds = 24
    for (let round = 0; round < rounds; round++) {
      const rotatedAt = sampleNow + round * minute
      await Promise.all(handles.map(handle => store.rotate(sampleRotation({
        handle,
        expected: samplePresented({ refreshHash: `hash-${round}`, generation: round }),
        bounds: { now: rotatedAt, rotatedAfter: 0, createdAfter: 0 },
        next: sampleNext({ refreshHash: `hash-${round + 1}`, generation: round + 1, rotatedAt, servedAt: rotatedAt }),
      }))))
      await store.confirm(handles.map(handle => ({ handle, generation: round + 1, branch: 0 })))
    }
    await store.close()
    await own.end()
    const updates = async (): Promise<{ all: number; hot: number }> => {
      const { rows: [row] } = await pool.query(
        'SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2',
        [schema, 'keyturn_session'])
      return { all: Number(row?.n_tup_upd), hot: Number(row?.n_tup_hot_upd) }
    }
    // Each server process reports its counts when it ends.
    await expect.poll(async () => (await updates()).all).toBe(2 * rounds * handles.length)
    const { all, hot } = await updates()
    expect(hot / all).toBeGreaterThan(0.95)
  })

  test('query plans: no table of sessions, changes or not-befores is ever scanned', async () => {
    const schema = freshSchema()
    const pool = openPool(url)
    const { pool: noted, texts } = watched(pool)
    const store = opened(createPostgresStore(noted, { schema, migrate: 'auto', preparedStatements: true }))
    await store.find(sampleHandle(1))
    const { columns, values } = manySessions({
      handle: '\'c\' || lpad(n::text, 21, \'A\') || \'A\'', user_id: '\'user-\' || n / 4',
      created_at: '1000 + n', expires_at: '100000 + n', sweep_at: '100000 + n',
    })
    await pool.query(
      `INSERT INTO ${schema}.keyturn_session (${columns}) SELECT ${values} FROM generate_series(1, 20000) AS n`)
    await pool.query(
      `INSERT INTO ${schema}.keyturn_change SELECT n, 'x', 'keys', '[]', 0, 5000 + n
       FROM generate_series(1, 20000) AS n`,
    )
    await pool.query(
      `INSERT INTO ${schema}.keyturn_not_before SELECT 'user user-' || n, 1, 5000 + n
       FROM generate_series(1, 20000) AS n`,
    )
    await pool.query(`INSERT INTO ${schema}.keyturn_meta VALUES ('log', 'x', 20000)`)
    await pool.query(
      `INSERT INTO ${schema}.keyturn_event SELECT 'event-' || n, 'audit', n, 5000 + n, 'user-' || n / 4, NULL, '{}'
       FROM generate_series(1, 20000) AS n`)
    for (const table of ['session', 'change', 'not_before', 'event']) {
      await pool.query(`ANALYZE ${schema}.keyturn_${table}`)
    }
    const late = { handle: sampleHandle(1), now: sampleNow, from: sampleNow }
    const notBefore = { time: 2000, until: sampleNow }
    texts.length = 0
    await store.find(sampleHandle(1))
    await Promise.all([1, 2, 3].map(number => store.insert(sampleRecord({ handle: sampleHandle(number) }))))
    await store.rotate(sampleRotation())
    await Promise.all([1, 2, 3].map(number => store.rotate(sampleRotation({ handle: sampleHandle(number) }))))
    await store.reauthenticate(sampleReauthentication(sampleRecord()))
    await store.confirm([{ handle: sampleHandle(1), generation: 1, branch: 0 }])
    await store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: 0 })
    await store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null })
    await store.listByUser('user-1', { limit: 10, after: null })
    await store.listNewest({ tenantId: null, ip: null, userAgent: null }, { limit: 10, after: null })
    await store.appendEvent(sampleEvent(1))
    for (const userId of [null, 'user-1']) {
      for (const handle of [null, sampleHandle(1)]) {
        await store.pageEvents({ kinds: ['theft', 'audit'], userId, handle }, { limit: 10, after: null })
      }
    }
    await store.removeUnchanged(sampleHandle(9), sampleState(sampleRecord()), sampleNow)
    await store.remove([sampleHandle(1)], sampleNow)
    await store.removeByUser(sampleUserRemoval({ userId: 'nobody', tenantId: 'public', notBefore }))
    await Promise.all([1, 2, 3].map(number => store.remove([sampleHandle(number)], sampleNow)))
    await store.removeAll({ notBefore, limit: 10, after: null })
    await store.removeExpired(1000, 100)
    await store.changesSince(null, 10)
    const client = await pool.connect()
    onTestFinished(() => client.release(true))
    for (const [number, text] of texts.entries()) {
      for (const mode of ['force_generic_plan', 'force_custom_plan']) {
        expect.soft(await plan(client, number, text, mode), text)
          .not.toMatch(/Seq Scan on keyturn_(session|change|not_before|event)/)
      }
    }
    expect(texts.length).toBeGreaterThan(20)

    async function plan(on: Client, number: number, text: string, mode: string): Promise<string> {
      await on.query(`SET plan_cache_mode = ${mode}`)
      await on.query(`PREPARE s${number} AS ${text}`)
      const { rows: [types] } = await on.query(
        'SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = $1', [`s${number}`])
      const values = (present(types)['types'] as string[]).map(type => {
        if (type.endsWith('[]')) return type === 'text[]' ? '\'{cAAAAAQAAAAAAAAAAAAAAAA}\'' : '\'{1}\''
        if (text.includes('$1::text::json')) return '\'[]\''
        return type === 'text' ? '\'user-1\'' : '\'500\''
      })
      const { rows } = await on.query(`EXPLAIN EXECUTE s${number}(${values.join(', ')})`)
      await on.query(`DEALLOCATE s${number}`)
      return rows.map(row => Object.values(row).join()).join('\n')
    }
  })

  test('migration: any number of processes at once, and again', async () => {
    const schema = freshSchema()
    const results = await Promise.all(Array.from({ length: 8 }, () => migratePostgres(url, { schema, prefix: 'App_' })))
    expect(results.map(result => result.from).toSorted()).toEqual([0, 1, 1, 1, 1, 1, 1, 1])
    expect(await migratePostgres(url, { schema, prefix: 'App_' })).toEqual({ from: 1, to: 1 })
    const store = opened(createPostgresStore(url, { schema, prefix: 'App_' }))
    await store.insert(sampleRecord())
    expect((await store.remove([sampleHandle(1)], sampleNow)).handles).toEqual([sampleHandle(1)])
    const pool = openPool(url)
    await pool.query(`UPDATE ${schema}."App_meta" SET number = 99 WHERE name = 'schema'`)
    await expect(migratePostgres(url, { schema, prefix: 'App_' })).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('migration: the printed SQL can be run by hand, and twice', async () => {
    const schema = freshSchema()
    const sql = printPostgresMigrations({ schema })
    const pool = openPool(url)
    for (let time = 0; time < 2; time++) await pool.query(sql)
    expect(await migratePostgres(pool, { schema })).toEqual({ from: 1, to: 1 })
    expect(await opened(createPostgresStore(pool, { schema })).find(sampleHandle(1))).toBeNull()
  })

  test('ST-03: a schema or prefix that is not a plain name is refused', () => {
    for (const name of ['a"b', 'a.b', '', '1a', 'a b', 'a'.repeat(32), 'ä']) {
      expect(() => createPostgresStore(url, { schema: name })).toThrow('schema must be 1 to 31 letters')
      expect(() => createPostgresStore(url, { prefix: name })).toThrow('prefix must be 1 to 31 letters')
    }
  })

  test('logins and revocations wait for the disk even if the server\'s default is not to; rotations do not', async () => {
    const { store, schema, pool } = await freshStore(url)
    await pool.query(`CREATE TABLE ${schema}.noted (what text, setting text)`)
    await pool.query(`CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN INSERT INTO ${schema}.noted VALUES (TG_OP, current_setting('synchronous_commit')); RETURN NULL; END$$`)
    // A deferred trigger runs at the commit, which is when the setting matters.
    await pool.query(`CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ${schema}.keyturn_session
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`)
    const three = [1, 2, 3].map(sampleHandle)
    await Promise.all(three.map(handle => store.insert(sampleRecord({ handle }))))
    const waiting = openPool(`${url}?options=${encodeURIComponent('-c synchronous_commit=on')}`)
    const durable = opened(createPostgresStore(waiting, { schema }))
    await Promise.all(three.map(handle => durable.rotate(sampleRotation({ handle }))))
    await store.updateInfo({ handle: sampleHandle(1), sessionInfo: '{}', expectedVersion: null, now: sampleNow })
    await store.remove([sampleHandle(1)], sampleNow)
    const { rows } = await pool.query(`SELECT what || ' ' || setting AS noted FROM ${schema}.noted`)
    expect(rows.map(row => row.noted)).toEqual([
      ...three.map(() => 'INSERT on'), ...three.map(() => 'UPDATE off'), 'UPDATE on', 'DELETE on',
    ])
  })

  test('prepared statements are used on a direct connection, and not after one was lost', async () => {
    const { schema } = await freshStore(url)
    const connections = openPool(url, 3)
    const { pool, names } = watched(connections)
    const store = opened(createPostgresStore(pool, { schema }))
    const findThrice = (): Promise<unknown[]> => Promise.all([1, 2, 3].map(number => store.find(sampleHandle(number))))
    for (let time = 0; time < 2; time++) await findThrice()
    expect(names.at(-1)).toMatch(/^keyturn_/)
    // As with a pooler that gives every transaction another server connection.
    const clients = await Promise.all([1, 2, 3].map(() => connections.connect()))
    for (const client of clients) {
      await client.query('DEALLOCATE ALL')
      client.release()
    }
    expect(await findThrice()).toEqual([null, null, null])
    await findThrice()
    expect(names.at(-1)).toBeUndefined()
  })
})
