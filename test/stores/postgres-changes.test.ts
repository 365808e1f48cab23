import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { expectNothingSkipped } from '../support/follow-writers.ts'
import { freshSchema, freshStore, opened, openPool } from '../support/postgres-pools.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'changes')

describe.skipIf(server === null)('PostgreSQL', () => {
  test('with many writers, a reader that follows skips nothing, although commits overlap', async () => {
    const { store, schema, pool } = await freshStore(url)
    const writers = [store, ...[1, 2, 3].map(() => opened(createPostgresStore(url, { schema })))]
    // Makes commits slow, so that they overlap as much as possible.
    await pool.query(`CREATE FUNCTION ${schema}.wait_randomly() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(random() * 0.004); RETURN NULL; END'`)
    await pool.query(`CREATE CONSTRAINT TRIGGER wait_randomly AFTER INSERT ON ${schema}.keyturn_change
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.wait_randomly()`)
    await expectNothingSkipped(store, writers)
  })

  test('ST-09: a cursor that the log no longer has reads from the beginning', async () => {
    const { store, schema, pool } = await freshStore(url)
    const revoke = async (number: number): Promise<void> => {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], sampleNow + minute)
    }
    const changesAfter = async (cursor: string | null): Promise<string[]> =>
      (await store.changesSince(cursor, 100)).changes
        .flatMap(change => change.kind === 'revoked' ? change.handles : [])
    for (const number of [1, 2]) await revoke(number)
    await pool.query(`CREATE TABLE ${schema}.saved_change AS SELECT * FROM ${schema}.keyturn_change`)
    await pool.query(`CREATE TABLE ${schema}.saved_meta AS SELECT * FROM ${schema}.keyturn_meta`)
    for (const number of [3, 4]) await revoke(number)
    const { cursor } = await store.changesSince(null, 100)

    // Restored, and now with more entries than the cursor's number.
    await pool.query(`TRUNCATE ${schema}.keyturn_change, ${schema}.keyturn_meta`)
    await pool.query(`INSERT INTO ${schema}.keyturn_change SELECT * FROM ${schema}.saved_change`)
    await pool.query(`INSERT INTO ${schema}.keyturn_meta SELECT * FROM ${schema}.saved_meta`)
    expect(await changesAfter(cursor)).toEqual([1, 2].map(sampleHandle))
    for (const number of [5, 6, 7]) await revoke(number)
    expect(await changesAfter(cursor)).toEqual([1, 2, 5, 6, 7].map(sampleHandle))

    // Emptied, including the counter.
    const later = (await store.changesSince(null, 100)).cursor
    await pool.query(`TRUNCATE ${schema}.keyturn_change, ${schema}.keyturn_meta`)
    expect(await store.changesSince(later, 100)).toEqual({ changes: [], cursor: null, more: false })
    await revoke(8)
    expect(await changesAfter(later)).toEqual([sampleHandle(8)])
  })

  test('follow: listens again after its connection was closed, and wakes for what it may have missed', async () => {
    const { store, schema } = await freshStore(url)
    const admin = openPool(url)
    const follower = opened(createPostgresStore(url, { schema }))
    let woken = 0
    const stop = await follower.follow(() => { woken += 1 })
    onTestFinished(() => stop())
    for (let round = 0; round < 2; round++) {
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $1', [`LISTEN "${schema}.%`])
      const before = woken
      await expect.poll(() => woken).toBeGreaterThan(before)
      const again = woken
      await store.insert(sampleRecord())
      await store.remove([sampleHandle(1)], sampleNow)
      await expect.poll(() => woken).toBeGreaterThan(again)
    }
  })

  test('follow: with a pool of one connection it leaves the connection to the other calls', async () => {
    const schema = freshSchema()
    const store = opened(createPostgresStore(openPool(url, 1), { schema, migrate: 'auto' }))
    let woken = 0
    const stop = await store.follow(() => { woken += 1 })
    await store.insert(sampleRecord())
    await store.remove([sampleHandle(1)], sampleNow)
    await expect.poll(() => woken).toBe(1)
    await stop()
  })
})
