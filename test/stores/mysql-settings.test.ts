import { createPool } from 'mysql2/promise'
import type { Pool, PoolOptions } from 'mysql2/promise'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import type { MysqlPool } from '../../src/stores/mysql.ts'
import { mysqlKind } from '../../src/stores/mysql/kind.ts'
import { sampleHandle, sampleNext, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { opened, openPool } from '../support/mysql-pools.ts'

let prefixes = 0

/** A pool with options, and with session variables that each connection sets. */
function poolWith(options: PoolOptions, variables = ''): Pool {
  const pool = createPool(options)
  onTestFinished(() => pool.end())
  if (variables !== '') {
    pool.pool.on('connection', connection => {
      connection.query(variables, () => undefined)
    })
  }
  return pool
}

/** A pool whose server says that it is another one. */
function claiming(pool: MysqlPool, comment: string): MysqlPool {
  return {
    async getConnection() {
      const connection = await pool.getConnection()
      return {
        execute: (sql, values) => connection.execute(sql.replace('@@version_comment', `'${comment}'`), values),
        query: sql => connection.query(sql),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      }
    },
  }
}

const charset = 'charset must be utf8mb4: leave the option out'
const typeCast = 'typeCast must leave numbers and texts as they are: leave the option out'

/** Options of the driver, session variables, and what the error must say. */
const unfit: readonly (readonly [options: PoolOptions, variables: string, message: string])[] = [
  [{ charset: 'LATIN1_SWEDISH_CI' }, '', charset],
  [{ charset: 'UTF8_GENERAL_CI' }, '', charset],
  [{ charset: 'GBK_CHINESE_CI' }, '', charset],
  [{ charset: 'BINARY' }, '', charset],
  [{}, 'SET NAMES latin1', charset],
  [{}, 'SET character_set_client = latin1', charset],
  [{}, 'SET character_set_results = latin1', charset],
  [{ rowsAsArray: true }, '', 'rowsAsArray must be false: leave the option out'],
  [{ nestTables: true }, '', 'nestTables must be false: leave the option out'],
  [{ nestTables: '_' }, '', 'nestTables must be false: leave the option out'],
  [{ typeCast: false }, '', typeCast],
  [{ typeCast: (field, next) => field.type === 'TINY' ? field.string() === '1' : next() }, '', typeCast],
  [{ typeCast: (field, next) => field.type === 'LONGLONG' ? new Date(Number(field.string())) : next() }, '', typeCast],
  [{ typeCast: (field, next) => field.type === 'BLOB' ? field.buffer() : next() }, '', typeCast],
  [{ typeCast: (field, next) => field.type === 'VAR_STRING' ? field.buffer() : next() }, '', typeCast],
  [{ typeCast: (_, next) => next() ?? '' }, '', typeCast],
  [{ resetOnRelease: true }, '', 'resetOnRelease must be false'],
  [{}, 'SET autocommit = 0', 'set autocommit = 1 (autocommit is OFF)'],
  [{}, 'SET completion_type = CHAIN', 'set completion_type = NO_CHAIN (completion_type is CHAIN)'],
  [{}, 'SET sql_safe_updates = 1', 'set sql_safe_updates = 0 (sql_safe_updates is ON)'],
  [{}, 'SET sql_select_limit = 1000', 'set sql_select_limit = 18446744073709551615 (sql_select_limit is 1000)'],
  [{}, 'SET sql_select_limit = 2', 'set sql_select_limit = 18446744073709551615 (sql_select_limit is 2)'],
  [{}, 'SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', 'set the isolation level READ COMMITTED'],
]

for (const { name, available, url } of await mysqlEngines('settings')) describe.skipIf(!available)(name, () => {
  test.each(unfit)('L-34: a pool with %o %s is refused at the first use, before anything is written', async (
    options, variables, message,
  ) => {
    const prefix = `unfit_${++prefixes}_`
    await migrateMysql(url, { prefix })
    const pool = poolWith({ ...options, uri: url }, variables)
    const store = opened(createMysqlStore(pool, { prefix }))
    const refusal = { code: 'MISUSE', message: expect.stringContaining(message) }
    for (const _ of [1, 2]) await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
    const [rows] = await openPool(url).query(`SELECT handle FROM ${prefix}session`)
    expect(rows).toEqual([])
    // It makes no tables either. No connection is reset before it has migrated.
    const automatic = opened(createMysqlStore(pool, { prefix: 'none_', migrate: 'auto' }))
    await expect(automatic.insert(sampleRecord())).rejects.toMatchObject(refusal)
    if (options.resetOnRelease !== true) await expect(migrateMysql(pool,
      { prefix: 'none_' })).rejects.toMatchObject(refusal)
    const [tables] = await openPool(url).query('SHOW TABLES LIKE \'none\\_%\'')
    expect(tables).toEqual([])
  })

  test('L-34: options in a URL are refused as those of a pool', async () => {
    for (const [option, message] of [
      ['charset=LATIN1_SWEDISH_CI', charset], ['rowsAsArray=true', 'rowsAsArray must be false'],
      ['nestTables=true', 'nestTables must be false'], ['typeCast=false', typeCast],
    ] as const) {
      const refusal = { code: 'MISUSE', message: expect.stringContaining(message) }
      const store = opened(createMysqlStore(`${url}?${option}`, { migrate: 'auto' }))
      await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
      await expect(mysqlKind.inspect(`${url}?${option}`, {})).rejects.toMatchObject(refusal)
    }
  })

  test('L-34: calls beyond a pool that lets none wait wait for each other, and fail with words when the application has it all', async () => {
    for (const options of [{ waitForConnections: false }, { queueLimit: 1 }]) {
      const pool = poolWith({ ...options, uri: url, connectionLimit: 2 })
      const store = opened(createMysqlStore(pool, { prefix: `unfit_${++prefixes}_`, migrate: 'auto' }))
      expect(await store.find(sampleHandle(1))).toBeNull()
      const logins = Array.from({ length: 40 },
        (_, number) => store.insert(sampleRecord({ handle: sampleHandle(number) })))
      expect(await Promise.all(logins)).toEqual(logins.map(() => true))
      const taken = [await pool.getConnection(), await pool.getConnection()]
      const waiting = options.queueLimit === undefined ? null : pool.getConnection()
      await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE', message: expect.stringContaining('leave out waitForConnections and queueLimit'),
      })
      for (const connection of taken) connection.release()
      ;(await waiting)?.release()
      expect(await store.find(sampleHandle(1))).not.toBeNull()
    }
  })

  test('L-34: the longest textual address with a zone comes back unchanged, from a login and from rotations', async () => {
    const ip = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%enxffffffffffff'
    const client = { ip, userAgent: 'U'.repeat(512) }
    const store = opened(createMysqlStore(url, { prefix: `unfit_${++prefixes}_`, migrate: 'auto' }))
    const handles = [1, 2, 3].map(sampleHandle)
    for (const handle of handles) await store.insert(sampleRecord({ handle, client }))
    expect((await store.find(sampleHandle(1)))?.client).toEqual(client)
    const next = sampleNext({ client: { ...client, userAgent: 'V'.repeat(512) } })
    await Promise.all(handles.map(handle => store.rotate(sampleRotation({ handle, next }))))
    for (const handle of handles) expect((await store.find(handle))?.client).toEqual(next.client)
  })

  test('E-07: Dolt is refused by what it says of itself, before anything is written', async () => {
    const prefix = `unfit_${++prefixes}_`
    const pool = openPool(url)
    const dolt = claiming(pool, 'Dolt')
    const store = opened(createMysqlStore(dolt, { prefix, migrate: 'auto' }))
    const refusal = { code: 'MISUSE', message: expect.stringMatching(/the server is Dolt.*FOR UPDATE does not wait/) }
    await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
    await expect(migrateMysql(dolt, { prefix })).rejects.toMatchObject(refusal)
    const [tables] = await pool.query('SHOW TABLES LIKE ?', [`${prefix}%`])
    expect(tables).toEqual([])
    const other = opened(createMysqlStore(claiming(pool, 'Percona Server (GPL)'), { prefix, migrate: 'auto' }))
    expect(await other.insert(sampleRecord())).toBe(true)
  })
})
