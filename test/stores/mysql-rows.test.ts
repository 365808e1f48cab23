import { createConnection } from 'mysql2/promise'
import type { PoolConnection, RowDataPacket } from 'mysql2/promise'
import { beforeAll, describe, expect, test } from 'vitest'
import type { EventQuery, LoginFilter, SessionStore } from '../../src/session/store.ts'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import type { MysqlPool } from '../../src/stores/mysql.ts'
import {
  minute, sampleClaim, sampleHandle, sampleNow, sampleReauthentication, sampleRecord, sampleRotation, sampleState,
  sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { manySessions } from '../support/many-sessions.ts'
import { mysqlEngines, numbersTo } from '../support/mysql-engines.ts'
import { opened, openPool } from '../support/mysql-pools.ts'

const many = 50_000
const late = { handle: sampleHandle(1), now: sampleNow, from: sampleNow }
const notBefore = { time: 2000, until: sampleNow }
const any: LoginFilter = { tenantId: null, ip: null, userAgent: null }
const thefts: EventQuery = { kinds: ['theft'], userId: null, handle: null }
const imported = { handle: sampleHandle(9), until: sampleNow + minute }
const admission = { claim: sampleClaim(imported), record: sampleRecord({ handle: imported.handle }) }
const handleAt = (number: number): string => `c${`${number}`.padStart(21, 'A')}A`

/** How many rows the server has read for a connection, by index or by scan, in tables and temporary tables. */
async function rowsRead(connection: PoolConnection): Promise<number> {
  const [counts] = await connection.query<RowDataPacket[]>('SHOW SESSION STATUS LIKE \'Handler_read%\'')
  return counts.reduce((sum, { Value: count }) => sum + Number(count), 0)
}

/** A pool that notes how many rows each statement reads. */
function counting(
  url: string,
): { readonly pool: MysqlPool; readonly counts: { readonly sql: string; readonly read: number }[] } {
  const pool = openPool(url)
  const counts: { readonly sql: string; readonly read: number }[] = []
  return {
    counts,
    pool: {
      async getConnection() {
        const connection = await pool.getConnection()
        return {
          async execute(sql, values) {
            const before = await rowsRead(connection)
            // To look at the counters reads rows, too.
            const looking = await rowsRead(connection) - before
            const answer = await connection.execute(sql, values)
            counts.push({ sql, read: await rowsRead(connection) - before - 2 * looking })
            return answer
          },
          query: sql => connection.query(sql),
          release: () => connection.release(),
          destroy: () => connection.destroy(),
        }
      },
    },
  }
}

/** A hot path: the call, and the most rows that all its statements may read together. */
type HotPath = readonly [name: string, most: number, call: (store: SessionStore) => Promise<unknown>]

// Each bound is what the call returns or changes, a few times over, and a small constant.
const hotPaths: readonly HotPath[] = [
  ['find', 2, store => store.find(sampleHandle(1))],
  ['insert', 4, store => store.insert(sampleRecord())],
  ['rotate', 3, store => store.rotate(sampleRotation())],
  ['rotate, lost', 2, store => store.rotate(sampleRotation())],
  ['rotate, three together', 14, store => Promise.all([2, 3, 4].map(number => (
    store.rotate(sampleRotation({ handle: sampleHandle(number) }))
  )))],
  ['confirm of three', 4, store => store.confirm([1, 2, 3].map(number => (
    { handle: sampleHandle(number), generation: 1, branch: 0 }
  )))],
  ['reauthenticate', 3,
    store => store.reauthenticate(sampleReauthentication(sampleRecord({ handle: sampleHandle(5) })))],
  ['updateInfo', 2, store => store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: 0 })],
  ['updatePayload', 4, store => store.updatePayload({ expectedVersion: null, ...late, jwtPayload: '{}' })],
  ['the newest 10 sessions of a user with 5,000', 12, store => store.listByUser('user-0', { limit: 10, after: null })],
  ['101 sessions of that user, for a maximum of 1', 103,
    store => store.listByUser('user-0', { limit: 101, after: null })],
  ['the newest 10 sessions of all users', 12, store => store.listNewest(any, { limit: 10, after: null })],
  ['10 old sessions of all users', 12,
    store => store.listNewest(any, { limit: 10, after: `26000.${handleAt(25_000)}` })],
  ['a search by address', 1003, store => store.listNewest({ ...any, ip: 'nowhere' }, { limit: 10, after: null })],
  ['the newest 10 events of a rare kind', 12, store => store.pageEvents(thefts, { limit: 10, after: null })],
  ['the newest 10 events of two kinds', 60, store => (
    store.pageEvents({ ...thefts, kinds: ['theft', 'audit'] }, { limit: 10, after: null }))],
  ['10 old events', 12,
    store => store.pageEvents({ ...thefts, kinds: ['audit'] }, { limit: 10, after: '25000.25000' })],
  ['10 events of a user', 12, store => (
    store.pageEvents({ ...thefts, kinds: ['audit'], userId: 'user-3' }, { limit: 10, after: null }))],
  ['10 events of a session', 12, store => (
    store.pageEvents({ ...thefts, kinds: ['audit'], handle: sampleHandle(1) }, { limit: 10, after: null }))],
  ['remove two', 14, store => store.remove([6, 7].map(sampleHandle), sampleNow)],
  ['removeUnchanged, lost', 2, store => store.removeUnchanged(sampleHandle(1), sampleState(sampleRecord()), sampleNow)],
  ['removeByUser, 10 of 5,000', 70,
    store => store.removeByUser(sampleUserRemoval({ userId: 'user-1', notBefore, limit: 10 }))],
  ['removeByUser of a tenant', 70, store => store.removeByUser(
    sampleUserRemoval({ userId: 'user-2', tenantId: 'public', except: sampleHandle(1), notBefore, limit: 10 }))],
  ['removeAll, 10 of 50,000', 40, store => store.removeAll({ notBefore, limit: 10, after: handleAt(25_000) })],
  ['findImport', 2, store => store.findImport(sampleHandle(1))],
  ['admitImport', 14, store => store.admitImport(admission)],
  ['admitImport of what is known', 12, store => store.admitImport(admission)],
  ['removeExpired, of 10 of each kind', 230, store => store.removeExpired(1_000_010, 10)],
  ['listKeys', 4, store => store.listKeys()],
  ['acquireLease', 2, store => store.acquireLease('task', 'holder', sampleNow, sampleNow + minute)],
  ['E-04: changesSince, at the head', 8, store => store.changesSince(`x.${many}`, 100)],
  ['E-04: changesSince, 10 before the head', 20, store => store.changesSince(`x.${many - 10}`, 100)],
  ['E-04: changesSince, far from the head', 110, store => store.changesSince('x.1000', 100)],
  ['E-04: changesSince, without a cursor', 110, store => store.changesSince(null, 100)],
  ['E-04: changesSince, with an unknown cursor', 220, store => store.changesSince('y.1000', 100)],
]

let prefixes = 0

/** Fills the tables. Otherwise than analyzed, the optimizer believes that they are empty, as just after an import. */
async function fill(url: string, prefix: string, isAnalyzed: boolean): Promise<void> {
  await migrateMysql(url, { prefix })
  const admin = await createConnection(url)
  const tables = ['session', 'change', 'not_before', 'event', 'import_claim'].map(table => prefix + table)
  if (!isAnalyzed) {
    for (const table of tables) await admin.query(`ALTER TABLE ${table} STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0`)
    await admin.query(`ANALYZE TABLE ${tables.join(', ')}`)
  }
  const { columns, values } = manySessions({
    handle: 'CONCAT(\'c\', LPAD(seq, 21, \'A\'), \'A\')', user_id: 'CONCAT(\'user-\', seq DIV 5000)',
    created_at: '1000 + seq', expires_at: '1000000 + seq', sweep_at: '1000000 + seq',
  })
  await admin.query(`INSERT INTO ${prefix}session (${columns}) SELECT ${values} FROM ${numbersTo(many)}`)
  await admin.query(
    `INSERT INTO ${prefix}change SELECT seq, 'x', 'keys', '[]', 0, 5000000000000 FROM ${numbersTo(many)}`)
  await admin.query(
    `INSERT INTO ${prefix}not_before SELECT CONCAT('other user-', seq), 1, 1000000 + seq FROM ${numbersTo(many)}`)
  await admin.query(
    `INSERT INTO ${prefix}event
     SELECT LPAD(seq, 5, '0'), IF(seq % 500 = 0, 'theft', 'audit'), seq, 1000000 + seq, CONCAT('user-', seq DIV 5000),
       IF(seq % 2 = 0, '${sampleHandle(1)}', NULL), '{}' FROM ${numbersTo(many)}`)
  await admin.query(
    `INSERT INTO ${prefix}import_claim
     SELECT CONCAT('c', LPAD(seq, 21, 'A'), 'A'), 'sample', 'k', '', 0, 1000, 1000000 + seq FROM ${numbersTo(many)}`)
  await admin.query(`REPLACE INTO ${prefix}meta (name, value, number) VALUES ('log', 'x', ${many})`)
  if (isAnalyzed) await admin.query(`ANALYZE TABLE ${tables.join(', ')}`)
  // The first statement on a table reads its definition, too.
  for (const table of [...tables, `${prefix}key`, `${prefix}turn`]) await admin.query(`SELECT 1 FROM ${table} LIMIT 1`)
  await admin.end()
}

for (const { name, available, url } of await mysqlEngines('rows')) {
  for (const isAnalyzed of [true, false]) {
    const statistics = isAnalyzed ? 'with their statistics' : 'with the statistics of empty ones'
    const title = `${name}: tables of 50,000 rows, ${statistics}`
    describe.skipIf(!available)(title, () => {
      const prefix = `rows_${++prefixes}_`
      beforeAll(async () => {
        await fill(url, prefix, isAnalyzed)
        const store = createMysqlStore(url, { prefix })
        for (const number of [2, 3, 4, 5, 6, 7]) {
          await store.insert(sampleRecord({ handle: sampleHandle(number), userId: 'another' }))
        }
        await store.close()
      })

      test.each(hotPaths)('%s: reads at most %i rows', async (_name, most, call) => {
        const { pool, counts } = counting(url)
        const store = opened(createMysqlStore(pool, { prefix }))
        await store.time()
        counts.length = 0
        await call(store)
        const sum = counts.reduce((total, { read }) => total + read, 0)
        expect(sum, counts.map(({ sql, read }) => `${read} rows: ${sql}`).join('\n')).toBeLessThanOrEqual(most)
        expect(sum).toBeGreaterThan(0)
      })
    })
  }
}
