import type { Pool as MysqlPool } from 'mysql2/promise'
import type { Pool } from 'pg'
import { describe, expect, inject, test } from 'vitest'
import type { NotBefore, SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { IoredisClient } from '../../src/stores/redis.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleUserRemoval } from '../../src/testing/samples.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { openPool as openMysqlPool, opened } from '../support/mysql-pools.ts'
import { freshStore, openPool } from '../support/postgres-pools.ts'
import { connectCluster, connectIoredis, openStore } from '../support/redis-store.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const notBefore: NotBefore = { time: sampleNow, until: sampleNow + 60 * minute }

/** A login of `user-<number>` that began before the not-before. */
const logIn = (store: SessionStore, number: number): Promise<boolean> => store.insert(sampleRecord({
  handle: sampleHandle(number), userId: `user-${number}`, createdAt: sampleNow - 1,
}))

/** The removals that must refuse a login of `user-<number>`. */
const removals:
  readonly (readonly [name: string, remove: (store: SessionStore, number: number) => Promise<unknown>])[] = [
    ['removeByUser', (store, number) => store.removeByUser(sampleUserRemoval({ userId: `user-${number}`, notBefore }))],
    ['removeByUser of a tenant', (store, number) =>
      store.removeByUser(
        sampleUserRemoval({ userId: `user-${number}`, tenantId: 'public', notBefore }),
      )],
    ['removeAll', async store => {
      let after: string | null = null
      do after = (await store.removeAll({ notBefore, limit: 1000, after })).next
      while (after !== null)
    }],
  ]

const postgres = inject('postgresUrl')
const url = postgres === null ? '' : await createPostgresDatabase(postgres, 'held')

describe.skipIf(postgres === null)('PostgreSQL', () => {
  const LOCK = 1913

  /** Makes logins wait in a trigger. Returns a function that lets them continue. */
  async function hold(pool: Pool, schema: string, trigger: string): Promise<() => Promise<void>> {
    await pool.query(`CREATE FUNCTION ${schema}.hold() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NEW; END$$`)
    await pool.query(`CREATE ${trigger} FOR EACH ROW EXECUTE FUNCTION ${schema}.hold()`)
    const holder = await pool.connect()
    await holder.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK})`)
    return async () => {
      await holder.query('ROLLBACK')
      holder.release()
    }
  }

  async function held(pool: Pool): Promise<number> {
    const { rows: [row] } = await pool.query(
      `SELECT count(*)::int AS held FROM pg_locks JOIN pg_database ON pg_database.oid = database
       WHERE locktype = 'advisory' AND objid = ${LOCK} AND NOT granted AND datname = current_database()`)
    return row?.held
  }

  for (const [removal, remove] of removals) {
    test.each([
      ['before its row is written', (table: string) => `TRIGGER hold BEFORE INSERT ON ${table}`],
      ['in its commit', (table: string) => (
        `CONSTRAINT TRIGGER hold AFTER INSERT ON ${table} DEFERRABLE INITIALLY DEFERRED`)],
    ])(`S-19: a login that is delayed %s does not survive ${removal}, alone or with others`, async (_, trigger) => {
      const { store, schema, pool } = await freshStore(url)
      const release = await hold(pool, schema, trigger(`${schema}.keyturn_session`))
      const other = opened(createPostgresStore(openPool(url), { schema }))
      // The first runs alone, the two others together.
      const logins = [1, 2, 3].map(number => logIn(store, number))
      await expect.poll(() => held(pool)).toBe(2)
      for (const number of [1, 3]) await remove(other, number)
      expect((await other.changesSince(null, 10)).changes, 'there was no session to remove').toEqual([])
      await release()
      expect(await Promise.all(logins)).toEqual([false, removal !== 'removeAll', false])
      for (const number of [1, 3]) expect(await other.find(sampleHandle(number))).toBeNull()
    })
  }
})

let prefixes = 0

for (const { name, available, url } of await mysqlEngines('held')) describe.skipIf(!available)(name, () => {
  /** Makes logins wait in a trigger. Returns a function that lets them continue. */
  async function hold(pool: MysqlPool, prefix: string, when: string): Promise<() => Promise<void>> {
    await pool.query(`CREATE TRIGGER ${prefix}hold ${when} INSERT ON ${prefix}session FOR EACH ROW
      BEGIN SET @held = GET_LOCK('${prefix}', 60); SET @held = RELEASE_LOCK('${prefix}'); END`)
    const holder = await pool.getConnection()
    await holder.query(`SELECT GET_LOCK('${prefix}', 0)`)
    return async () => {
      await holder.query(`SELECT RELEASE_LOCK('${prefix}')`)
      holder.release()
    }
  }

  async function waiting(pool: MysqlPool, where: string): Promise<number> {
    const [rows] = await pool.query(`SELECT COUNT(*) AS number FROM information_schema.${where}`)
    return Array.isArray(rows) && rows[0] !== undefined && 'number' in rows[0] ? Number(rows[0]['number']) : 0
  }

  for (const level of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']) {
    const openAt = async (prefix: string): Promise<SessionStore> => {
      const pool = openMysqlPool(url)
      pool.pool.on('connection', connection => {
        connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`, () => undefined)
      })
      const store = opened(createMysqlStore(pool, { prefix, migrate: 'auto' }))
      await store.find(sampleHandle(1))
      return store
    }

    for (const [removal, remove] of removals) {
      test(`S-19: at ${level} a login that is delayed before its row is written does not survive ${removal}`, async () => {
        const prefix = `held_${++prefixes}_`
        const [store, other, admin] = [await openAt(prefix), await openAt(prefix), openMysqlPool(url)]
        const release = await hold(admin, prefix, 'BEFORE')
        const login = logIn(store, 1)
        await expect.poll(() => waiting(admin,
          `processlist WHERE state = 'User lock' AND info LIKE '%${prefix}%'`)).toBe(1)
        await remove(other, 1)
        await release()
        expect(await login).toBe(false)
        expect(await other.find(sampleHandle(1))).toBeNull()
      })

      test(`S-19: at ${level} ${removal} does not wait for a login that has not committed, and it does not survive`, async () => {
        const prefix = `held_${++prefixes}_`
        const [store, other, admin] = [await openAt(prefix), await openAt(prefix), openMysqlPool(url)]
        const release = await hold(admin, prefix, 'AFTER')
        const login = logIn(store, 1)
        await expect.poll(() => waiting(admin,
          `processlist WHERE state = 'User lock' AND info LIKE '%${prefix}%'`)).toBe(1)
        await remove(other, 1)
        await release()
        expect(await login).toBe(false)
        expect(await other.find(sampleHandle(1))).toBeNull()
      })
    }
  }
})

const redis = inject('redisUrl')
const nodes = inject('redisClusterNodes')

/** A client that holds commands back until it is released. */
function holding(
  client: IoredisClient,
  isHeld: (name: string, args: readonly string[]) => boolean,
): { readonly client: IoredisClient; isHolding(): boolean; release(): void } {
  let [held, release] = [0, (): void => undefined]
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const call = async (name: string, args: string[]): Promise<unknown> => {
    if (isHeld(name, args)) {
      held += 1
      await released
    }
    return client.call(name, args)
  }
  const proxy = new Proxy(client, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { client: proxy, isHolding: () => held > 0, release }
}

describe.skipIf(redis === null || nodes === null)('Redis', () => {
  const servers: readonly (readonly [name: string, connect: () => Promise<IoredisClient>])[] = [
    ['one server', async () => connectIoredis(redis ?? '')],
    ['a cluster', async () => await connectCluster('ioredis', nodes ?? []) as IoredisClient],
  ]
  for (const [server, connect] of servers) for (const [removal, remove] of removals) {
    test(`S-19: ${server}: a login that is delayed between its writes does not survive ${removal}`, async () => {
      const prefix = `held_${++prefixes}:`
      const { client, isHolding, release } = holding(await connect(), (name, args) => (
        name === 'HGET' || (name.startsWith('EVAL') && args.some(arg => arg.startsWith(`${prefix}user:`)))
      ))
      const [store, other] = [openStore(client, { prefix }), openStore(await connect(), { prefix })]
      const login = logIn(store, 1)
      await expect.poll(async () => isHolding() && await other.find(sampleHandle(1)) !== null).toBe(true)
      await remove(other, 1)
      release()
      expect(await login).toBe(false)
      expect(await other.find(sampleHandle(1))).toBeNull()
      expect((await other.listByUser('user-1', { limit: 10, after: null })).sessions).toEqual([])
    })
  }

  for (const [server, connect] of servers) {
    test(`S-19: ${server}: a later not-before does not shorten an earlier one, of a user or of all users`, async () => {
      const prefix = `held_${++prefixes}:`
      const client = await connect()
      const store = openStore(client, { prefix })
      const short: NotBefore = { time: sampleNow - minute, until: sampleNow }
      for (const limit of [notBefore, short]) {
        await store.removeByUser(sampleUserRemoval({ notBefore: limit }))
        await store.removeAll({ notBefore: limit, limit: 10, after: null })
      }
      for (const number of [1, 2]) expect(await logIn(store, number), 'the later time applies').toBe(false)
      const [user] = await keysOf(client, `${prefix}not-before:*`)
      for (const key of [user ?? '', `${prefix}{shared}:not-before`]) {
        expect(Number(await client.call('PTTL', [key])), 'and the longer until').toBeGreaterThan(59 * minute)
      }
    })
  }
})

/** The keys that match a pattern, on all servers of a cluster. */
async function keysOf(client: IoredisClient, pattern: string): Promise<readonly string[]> {
  const all = 'nodes' in client && typeof client.nodes === 'function' ? client.nodes('master') : [client]
  const found: readonly string[][] = await Promise.all(all.map((node: IoredisClient) => node.call('KEYS', [pattern])))
  return found.flat()
}
