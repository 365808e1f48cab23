// MySQL Group Replication with two primaries: the server whose transaction is certified second undoes it at its commit.
import { createConnection, createPool } from 'mysql2/promise'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import { surviveFailure } from '../support/failover.ts'
import { minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { startMysql } from '../support/servers/mysql.ts'
import { missingSoftware } from '../support/servers/programs.ts'
import type { TestServer } from '../support/servers/server.ts'
import { freePort } from '../support/servers/workspace.ts'
import { createTestCore } from '../support/test-core.ts'

const group = 'b5a0b3a4-6d4e-4f0a-9c0e-1f2d3c4b5a69'
const isMissing = missingSoftware(['mysql']).length > 0 && process.env['CI'] !== 'true'

/** Runs statements, and returns the rows of the last one. */
async function run(server: TestServer, ...statements: readonly string[]): Promise<readonly unknown[]> {
  const connection = await createConnection(server.url)
  try {
    let rows: unknown = null
    for (const statement of statements) [rows] = await connection.query(statement)
    return Array.isArray(rows) ? rows : []
  } finally {
    await connection.end()
  }
}

/** Starts two servers that form a group in which both accept writes. Each has the other's changes a moment later. */
async function startGroup(): Promise<readonly [TestServer, TestServer]> {
  const addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const start = (index: number): Promise<TestServer> => startMysql({
    settings: {
      'server-id': `${index + 1}`,
      'gtid-mode': 'ON',
      'enforce-gtid-consistency': 'ON',
      'log-bin': 'binlog',
      'binlog-checksum': 'NONE',
      'performance-schema': 'on',
      'report-host': '127.0.0.1',
      'plugin-load-add': 'group_replication.so',
      'loose-group-replication-group-name': group,
      'loose-group-replication-start-on-boot': 'OFF',
      'loose-group-replication-local-address': addresses[index] ?? '',
      'loose-group-replication-group-seeds': addresses.join(','),
      'loose-group-replication-single-primary-mode': 'OFF',
      'loose-group-replication-enforce-update-everywhere-checks': 'ON',
      'loose-group-replication-recovery-get-public-key': 'ON',
    },
  })
  const [first, second] = await Promise.all([start(0), start(1)])
  // What each has made for itself is not part of the group's history.
  for (const server of [first, second]) await run(server, 'RESET BINARY LOGS AND GTIDS')
  await run(
    first, 'SET GLOBAL group_replication_bootstrap_group = ON', 'START GROUP_REPLICATION USER = \'root\'',
    'SET GLOBAL group_replication_bootstrap_group = OFF')
  await run(second, 'START GROUP_REPLICATION USER = \'root\'')
  const online = 'SELECT 1 FROM performance_schema.replication_group_members WHERE member_state = \'ONLINE\''
  for (const server of [first, second]) {
    await vi.waitUntil(async () => (await run(server, online)).length === 2, { timeout: 60_000, interval: 100 })
  }
  return [first, second]
}

describe.skipIf(isMissing)('Group Replication with two primaries', () => {
  let servers: readonly TestServer[] = []
  beforeAll(async () => {
    const started = await startGroup()
    servers = started
    return async () => void await Promise.all(started.map(server => server.remove()))
  })

  /** A store on each server, over the same tables. */
  async function openBoth(prefix: string): Promise<readonly [SessionStore, SessionStore]> {
    const [first, second] = servers.map(({ url }) => url)
    if (first === undefined || second === undefined) throw new Error('the group has two servers')
    await migrateMysql(first, { prefix })
    const open = (url: string): SessionStore => {
      const store = createMysqlStore(url, { prefix, requestTimeout: '60s' })
      onTestFinished(() => store.close())
      return store
    }
    return [open(first), open(second)]
  }

  /** Inserts sessions with these numbers, and waits until the other server has them. */
  async function insertAll(
    [first, second]: readonly [SessionStore, SessionStore],
    numbers: readonly number[],
  ): Promise<void> {
    await Promise.all(numbers.map(number => first.insert(sampleRecord({ handle: sampleHandle(number) }))))
    await expect.poll(async () => {
      const found = await Promise.all(numbers.map(number => second.find(sampleHandle(number)).catch(() => null)))
      return found.filter(record => record !== null).length
    }).toBe(numbers.length)
  }

  test('E-03: of 50 pairs of rotations, each on both servers, one wins and one loses', async () => {
    const stores = await openBoth('rotations_')
    const numbers = Array.from({ length: 50 }, (_, number) => number)
    await insertAll(stores, numbers)
    const pairs = await Promise.all(numbers.map(number => Promise.all(stores.map((store, index) => (
      store.rotate(sampleRotation({ handle: sampleHandle(number), next: sampleNext({ refreshHash: `next-${index}` }) }))
    )))))
    expect(pairs.map(pair => pair.filter(record => record !== null).length)).toEqual(numbers.map(() => 1))
    const winners = pairs.map(pair => pair.find(record => record !== null))
    for (const store of stores) {
      await expect.poll(() => Promise.all(numbers.map(number => store.find(sampleHandle(number))))).toEqual(winners)
    }
  })

  test('E-03: all of 100 revocations of different sessions, half on each server, are done', async () => {
    const stores = await openBoth('revocations_')
    const numbers = Array.from({ length: 100 }, (_, number) => number)
    await insertAll(stores, numbers)
    const removals = await Promise.all(numbers.map(number => (
      stores[number % 2 === 0 ? 0 : 1].remove([sampleHandle(number)], sampleNow + minute)
    )))
    expect(removals.map(({ handles }) => handles)).toEqual(numbers.map(number => [sampleHandle(number)]))
    const handles = numbers.map(sampleHandle).toSorted()
    for (const store of stores) {
      await expect.poll(async () => {
        const { changes } = await store.changesSince(null, 1000)
        return changes.flatMap(change => change.kind === 'revoked' ? change.handles : []).toSorted()
      }).toEqual(handles)
    }
  })

  test('E-03: of 50 pairs of revocations, each on both servers, one removes the session', async () => {
    const stores = await openBoth('pairs_')
    const numbers = Array.from({ length: 50 }, (_, number) => number)
    await insertAll(stores, numbers)
    const pairs = await Promise.all(numbers.map(number => Promise.all(stores.map(store => (
      store.remove([sampleHandle(number)], sampleNow + minute)
    )))))
    expect(pairs.map(pair => pair.flatMap(({ handles }) => handles)))
      .toEqual(numbers.map(number => [sampleHandle(number)]))
  })

  // The last test: it ends one of the servers.
  test('EDGE-11: the server that the processes write to is killed under load; the other one goes on alone', async () => {
    const [first, second] = servers
    if (first === undefined || second === undefined) throw new Error('the group has two servers')
    const prefix = 'failure_'
    await migrateMysql(first.url, { prefix })
    // As a host name that follows the server that takes writes.
    const pools = [first, second].map(({ url }) => createPool({ uri: url, connectTimeout: 2_000 }))
    let target = 0
    const store = createMysqlStore({
      getConnection: () => (pools[target] ?? createPool(second.url)).getConnection(),
    }, { prefix, requestTimeout: '5s' })
    onTestFinished(async () => {
      await store.close()
      await Promise.all(pools.map(pool => pool.end()))
    })
    await surviveFailure(createTestCore({ store }), {
      async fail() {
        await first.kill9()
        // One of two is no majority: it goes on at an operator's command only. Three servers would decide by
        // themselves.
        const address = 'SELECT @@group_replication_local_address AS address'
        const [row] = await run(second, address)
        const own = String(Object(row).address)
        const gone = 'SELECT 1 FROM performance_schema.replication_group_members WHERE member_state = \'UNREACHABLE\''
        await vi.waitUntil(async () => (await run(second, gone)).length === 1, { timeout: 120_000, interval: 200 })
        await run(second, `SET GLOBAL group_replication_force_members = '${own}'`)
        target = 1
      },
      after: () => store,
    })
  })
})
