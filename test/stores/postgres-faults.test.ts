import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import type { PostgresPool } from '../../src/stores/postgres.ts'
import { sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { Fleet } from '../support/client-fleet.ts'
import { createPostgresDatabase, startPostgres, startPostgresReplica } from '../support/servers/postgres.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { describeDeeply, describeFaults, expectService, proxied } from '../support/sql-store-faults.ts'
import { createTestCore, HOUR } from '../support/test-core.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'faults')

describe.skipIf(server === null)('PostgreSQL', () => {
  describeFaults('PostgreSQL', {
    url,
    startDurable: () => startPostgres({ durable: true }),
    open: (each, { requestTimeout, migrate = 'auto' } = {}) => createPostgresStore(each, {
      migrate,
      schema: migrate === 'auto' ? 'made' : 'none',
      ...(requestTimeout === undefined ? {} : { requestTimeout }),
    }),
    async openExhausted(requestTimeout) {
      const pool = new Pool({ connectionString: url, max: 2 })
      onTestFinished(() => pool.end())
      const store = createPostgresStore(pool, { schema: 'made', migrate: 'auto', requestTimeout })
      await expectService(store)
      const taken = [await pool.connect(), await pool.connect()]
      return { store, release: async () => taken.forEach(client => client.release()) }
    },
    async openFull() {
      const pool = new Pool({ connectionString: url })
      onTestFinished(() => pool.end())
      const store = createPostgresStore(pool, { schema: 'filled', migrate: 'auto' })
      await store.find(sampleHandle(1))
      await pool.query(`CREATE FUNCTION filled.disk_full() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$`)
      await pool.query(`CREATE TRIGGER disk_full BEFORE INSERT ON filled.keyturn_session
        FOR EACH ROW EXECUTE FUNCTION filled.disk_full()`)
      return { store, makeRoom: async () => void await pool.query('DROP TRIGGER disk_full ON filled.keyturn_session') }
    },
  })

  test('ST-07: refused credentials are not repeated in the error', async () => {
    const strict = await startPostgres({ settings: { hba_file: writeHba() } })
    onTestFinished(() => strict.remove())
    const wrong = new URL(strict.url)
    wrong.username = 'mallory'
    wrong.password = 'hunter2'
    const store = createPostgresStore(wrong.href)
    onTestFinished(() => store.close())
    const error = await store.find(sampleHandle(1)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(describeDeeply(error)).not.toMatch(/mallory|hunter2/)
  })

  /** A pool that leads where it is pointed, as a host name does that follows the primary. */
  function followingPool(first: string): { pool: PostgresPool; point(url: string): void; end(): Promise<void> } {
    const pools = [openPool(first)]
    return {
      pool: {
        connect: () => (pools.at(-1) ?? openPool(first)).connect(),
      },
      point: next => void pools.push(openPool(next)),
      end: async () => void await Promise.all(pools.map(pool => pool.end())),
    }
  }

  test('a synchronous standby takes over: sessions continue, revocations stay, and no user is logged out', async () => {
    const primary = await startPostgres({ durable: true, settings: { wal_keep_size: '64MB' } })
    onTestFinished(() => primary.remove())
    await migratePostgres(primary.url)
    const standby = await startPostgresReplica(primary, { durable: true })
    onTestFinished(() => standby.remove())
    const admin = openPool(primary.url)
    await admin.query('ALTER SYSTEM SET synchronous_standby_names = \'*\'')
    await admin.query('SELECT pg_reload_conf()')
    const { url: through, proxy } = await proxied(primary.url)
    const { pool, point, end } = followingPool(through)
    const { core, clock, store } = createTestCore({ store: createPostgresStore(pool) })
    onTestFinished(async () => {
      await core.close()
      await Promise.all([end(), admin.end()])
    })
    const fleet = new Fleet(core)
    await fleet.logIn(120)
    clock.advance(HOUR)
    await fleet.refreshAll()
    const { cursor } = await store.changesSince(null, 100)
    clock.advance(HOUR)

    const traffic = (): Promise<unknown> => Promise.all([fleet.revoke(10), fleet.refreshAll(), fleet.logIn(20)])
    await traffic()
    clock.advance(HOUR)
    const { outages } = fleet
    const held = proxy.holdAnswers()
    const broken = traffic()
    await held
    await fleet.during((async () => {
      await primary.kill9()
      proxy.cutAll()
      await standby.promote()
      point(standby.url)
    })())
    await broken
    expect(fleet.outages, 'calls were under way').toBeGreaterThan(outages)

    clock.advance(HOUR)
    await fleet.refreshAll()
    expect(Object.keys(fleet.takeAnswers())).not.toContain('unauthorized')
    expect(fleet.answers.get('theft')).toBeUndefined()
    await fleet.refreshAll(fleet.revoked)
    expect(fleet.takeAnswers()).toEqual({ unauthorized: 20 })
    const told = (await store.changesSince(cursor, 100)).changes
      .flatMap(change => change.kind === 'revoked' ? change.handles : [])
    expect(told.toSorted()).toEqual(fleet.revoked.map(client => client.handle).toSorted())
  })

  test('an asynchronous standby that lags takes over: its sessions go on, and the feed is read anew', async () => {
    const primary = await startPostgres({ durable: true })
    onTestFinished(() => primary.remove())
    await migratePostgres(primary.url)
    const standby = await startPostgresReplica(primary, { durable: true })
    onTestFinished(() => standby.remove())
    const { pool, point, end } = followingPool(primary.url)
    const { core, clock, store } = createTestCore({ store: createPostgresStore(pool) })
    onTestFinished(async () => {
      await core.close()
      await end()
    })
    const fleet = new Fleet(core)
    await fleet.logIn(60)
    const common = [sampleHandle(1), sampleHandle(2)]
    for (const handle of common) await store.insert(sampleRecord({ handle }))
    await store.remove(common, sampleNow)
    await caughtUp(primary.url, standby.url)
    await standby.stop()

    // The standby hears of nothing more: neither of two refreshes of each session, nor of some revocations.
    for (let round = 0; round < 2; round++) {
      clock.advance(HOUR)
      await fleet.refreshAll()
    }
    for (const number of [3, 4, 5]) {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], sampleNow)
    }
    const { cursor } = await store.changesSince(null, 100)
    await primary.kill9()
    await standby.restart()
    await standby.promote()
    point(standby.url)

    clock.advance(HOUR)
    fleet.takeAnswers()
    await fleet.refreshAll()
    expect(fleet.takeAnswers()).toEqual({ adopt: 60 })
    clock.advance(HOUR)
    await fleet.refreshAll()
    expect(fleet.takeAnswers()).toEqual({ rotate: 60 })
    // The new log grows past the number of the reader's cursor before the reader looks.
    for (const number of [6, 7, 8, 9, 10]) {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], sampleNow)
    }
    const told = (await store.changesSince(cursor, 100)).changes
      .flatMap(change => change.kind === 'revoked' ? change.handles : [])
    expect(told).toEqual([1, 2, 6, 7, 8, 9, 10].map(sampleHandle))
  })
})

function openPool(at: string): Pool {
  return new Pool({ connectionString: at }).on('error', () => undefined)
}

function writeHba(): string {
  const file = join(createDirectory(), 'hba.conf')
  writeFileSync(file, 'host all all 127.0.0.1/32 scram-sha-256\n')
  chmodSync(file, 0o644)
  return file
}

/** Waits until the standby has everything that the primary wrote. */
async function caughtUp(primary: string, standby: string): Promise<void> {
  const [writer, reader] = [openPool(primary), openPool(standby)]
  try {
    const { rows: [at] } = await writer.query('SELECT pg_current_wal_flush_lsn() AS lsn')
    for (;;) {
      const { rows: [row] } = await reader.query('SELECT pg_last_wal_replay_lsn() >= $1 AS done', [at?.lsn])
      if (row?.done === true) return
    }
  } finally {
    await Promise.all([writer.end(), reader.end()])
  }
}
