import { describe, expect, inject, test } from 'vitest'
import type { SessionHandle } from '../../src/base/handle.ts'
import { REMOVAL_LIMIT } from '../../src/session/store.ts'
import type { Removal, SessionStore } from '../../src/session/store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { PostgresPool } from '../../src/stores/postgres.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { freshStore, opened, openPool, watched } from '../support/postgres-pools.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'removals')

const insertAll = async (store: SessionStore, numbers: readonly number[]): Promise<void> => void await Promise.all(
  numbers.map(number => store.insert(sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))))

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

const removeEach = (store: SessionStore, numbers: readonly number[]): Promise<Removal[]> => (
  Promise.all(numbers.map(number => store.remove([sampleHandle(number)], sampleNow))))

const endOfTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** The handles in each change of the log. */
async function changesOf(store: SessionStore): Promise<(readonly SessionHandle[])[]> {
  return (await store.changesSince(null, 1000)).changes
    .flatMap(change => change.kind === 'revoked' ? [change.handles] : [])
}

describe.skipIf(server === null)('PostgreSQL: removals', () => {
  test('P-10: those of one tick share a statement and a change; each call gets its own handles and the until', async () => {
    const { schema, store: other } = await freshStore(url)
    const { pool, texts } = watched(openPool(url))
    const store = opened(createPostgresStore(pool, { schema }))
    await insertAll(other, upTo(30))
    await other.insert(sampleRecord({ handle: sampleHandle(31), accessTokenLifetime: 77 * minute }))
    await store.find(sampleHandle(1))
    texts.length = 0
    const removals = await Promise.all([
      ...upTo(29).map(number => store.remove([sampleHandle(number)], sampleNow)),
      store.remove([sampleHandle(29), sampleHandle(99), sampleHandle(31)], sampleNow + minute),
      store.remove([sampleHandle(98)], sampleNow),
    ])
    expect(texts).toHaveLength(2)
    expect(removals.map(({ handles }) => handles)).toEqual([
      ...upTo(29).map(number => [sampleHandle(number)]), [sampleHandle(29), sampleHandle(31)], [],
    ])
    const { changes } = await store.changesSince(null, 10)
    expect(changes.map(change => change.until)).toEqual([
      sampleNow + sampleRecord().accessTokenLifetime, sampleNow + 78 * minute,
    ])
    for (const { until } of removals.slice(1, 30)) expect(until).toBe(sampleNow + 78 * minute)
    expect((await changesOf(store)).map(handles => handles.length)).toEqual([1, 30])
  })

  test('P-10: no change names more sessions than one call may remove', async () => {
    const { store } = await freshStore(url)
    await insertAll(store, upTo(290))
    const large = [upTo(90), upTo(190).slice(90), upTo(290).slice(190)]
    const [first, ...others] = large.map(numbers => store.remove(numbers.map(sampleHandle), sampleNow))
    await Promise.all([first, ...others])
    await insertAll(store, upTo(290))
    await removeEach(store, upTo(290))
    const sizes = (await changesOf(store)).map(handles => handles.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(REMOVAL_LIMIT)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(580)
    expect(sizes.length).toBeLessThan(10)
  })

  test('P-10: those that come while others are on their way share the next statement', async () => {
    const { store: other, schema, pool: admin } = await freshStore(url)
    const { pool, texts } = watched(openPool(url))
    const store = opened(createPostgresStore(pool, { schema }))
    await insertAll(other, upTo(61))
    await other.remove([sampleHandle(60)], sampleNow)
    await store.find(sampleHandle(1))
    texts.length = 0
    // Another process holds the head of the log.
    const holder = await admin.connect()
    await holder.query(`BEGIN; SELECT FROM ${schema}.keyturn_meta WHERE name = 'log' FOR UPDATE`)
    const removals: Promise<Removal>[] = []
    for (const number of upTo(60)) {
      removals.push(store.remove([sampleHandle(number)], sampleNow))
      await endOfTick()
    }
    await holder.query('ROLLBACK')
    holder.release()
    expect((await Promise.all(removals)).flatMap(({ handles }) => handles)).toEqual(upTo(60).map(sampleHandle))
    // After a tenth of a second, calls go on although the first has no answer.
    expect(texts.length).toBeLessThan(10)
  })

  test('P-10: of calls that name the same session exactly one gets it, in a tick and over processes', async () => {
    for (const level of ['read committed', 'repeatable read', 'serializable']) {
      const { store, schema } = await freshStore(url)
      await insertAll(store, upTo(40))
      const options = encodeURIComponent(`-c default_transaction_isolation=${level.replace(' ', '\\ ')}`)
      const stores = upTo(4).map(() => (
        opened(createPostgresStore(openPool(`${url}?options=${options}`, 4), { schema }))))
      await Promise.all(stores.map(each => each.time()))
      const removals = await Promise.all(stores.flatMap((each, index) => {
        const numbers = index % 2 === 0 ? upTo(40) : upTo(40).toReversed()
        return [...numbers, ...numbers].map(number => each.remove([sampleHandle(number)], sampleNow))
      }))
      const got = removals.flatMap(({ handles }) => handles)
      expect(got.toSorted()).toEqual(upTo(40).map(sampleHandle).toSorted())
      expect((await changesOf(store)).flat().toSorted()).toEqual(got.toSorted())
    }
  })

  test('P-10: a session that is locked delays its own removal only', async () => {
    const { store, schema, pool } = await freshStore(url)
    await insertAll(store, upTo(10))
    const holder = await pool.connect()
    await holder.query(`BEGIN; SELECT FROM ${schema}.keyturn_session WHERE handle = '${sampleHandle(5)}' FOR UPDATE`)
    const removals = upTo(10).map(number => store.remove([sampleHandle(number)], sampleNow))
    const both = store.remove([sampleHandle(5), sampleHandle(99)], sampleNow)
    const others = await Promise.all(removals.filter((_, number) => number !== 5))
    expect(others.flatMap(({ handles }) => handles)).toHaveLength(9)
    await holder.query('ROLLBACK')
    holder.release()
    const [one, other] = [await removals[5], await both]
    expect([...one?.handles ?? [], ...other.handles]).toEqual([sampleHandle(5)])
    expect((await changesOf(store)).flat()).toHaveLength(10)
  })

  test('P-10: a removal that the server refuses fails alone', async () => {
    const { store, schema, pool } = await freshStore(url)
    await insertAll(store, upTo(8))
    await pool.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF OLD.user_id = 'user-3' THEN RAISE 'no' USING ERRCODE = '23000'; END IF; RETURN OLD; END$$`)
    await pool.query(`CREATE TRIGGER refuse BEFORE DELETE ON ${schema}.keyturn_session
      FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`)
    const settled = await Promise.allSettled(upTo(8).map(number => store.remove([sampleHandle(number)], sampleNow)))
    expect(settled.flatMap(({ status }, number) => status === 'rejected' ? [number] : [])).toEqual([3])
    expect(await store.find(sampleHandle(3))).not.toBeNull()
    expect((await changesOf(store)).flat()).toHaveLength(7)
  })

  test('P-10: removals of one tick fail together when the connection breaks, and are not repeated', async () => {
    const { schema, store: other } = await freshStore(url)
    await insertAll(other, upTo(4))
    const { pool, texts } = watched(openPool(url))
    const breaking: PostgresPool = {
      async connect() {
        const client = await pool.connect()
        return {
          query: statement => statement.text.includes('SKIP LOCKED')
            ? client.query(statement).then(() => { throw new Error('Connection terminated unexpectedly') })
            : client.query(statement),
          on: (event, listener) => client.on(event, listener),
          removeListener: (event, listener) => client.removeListener(event, listener),
          release: destroy => client.release(destroy),
        }
      },
    }
    const store = opened(createPostgresStore(breaking, { schema }))
    await store.find(sampleHandle(1))
    texts.length = 0
    const settled = await Promise.allSettled(upTo(4).map(number => store.remove([sampleHandle(number)], sampleNow)))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
    expect(settled[2]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
    expect(texts).toHaveLength(2)
  })

  test('P-10: are on the disk before the store is closed', async () => {
    const { schema, store: after } = await freshStore(url)
    await insertAll(after, upTo(6))
    const store = createPostgresStore(openPool(url), { schema })
    await store.find(sampleHandle(1))
    const removing = removeEach(store, upTo(6))
    await store.close()
    expect((await removing).flatMap(({ handles }) => handles)).toHaveLength(6)
    expect((await changesOf(after)).flat()).toHaveLength(6)
  })
})
