import type { Pool } from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore, migrateMysql, printMysqlMigrations } from '../../src/stores/mysql.ts'
import type { MysqlPool } from '../../src/stores/mysql.ts'
import {
  minute, sampleEvent, sampleHandle, sampleKey, sampleNext, sampleNow, sampleReauthentication, sampleRecord,
  sampleRotation,
  sampleState,
  sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { expectNothingSkipped } from '../support/follow-writers.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { opened, openPool, watched } from '../support/mysql-pools.ts'

let prefixes = 0

for (const { name, available, url, isMariadb } of await mysqlEngines('properties')) describe.skipIf(!available)(name, () => {
  async function freshStore(): Promise<{ store: SessionStore; prefix: string; pool: Pool }> {
    const prefix = `own_${++prefixes}_`
    const pool = openPool(url)
    await migrateMysql(pool, { prefix })
    return { store: opened(createMysqlStore(pool, { prefix })), prefix, pool }
  }

  test('round trips: one where one statement is enough, a short transaction for a revocation', async () => {
    const prefix = `own_${++prefixes}_`
    const { pool, statements } = watched(openPool(url))
    const store = opened(createMysqlStore(pool, { prefix, migrate: 'auto' }))
    await store.find(sampleHandle(1))
    const late = { handle: sampleHandle(1), now: sampleNow, from: sampleNow }
    const page = { limit: 10, notBefore: { time: 0, until: sampleNow } }
    const calls: [string, number, () => Promise<unknown>][] = [
      ['insert', 2, () => store.insert(sampleRecord())],
      ['find', 1, () => store.find(sampleHandle(1))],
      ['rotate', isMariadb ? 1 : 2, () => store.rotate(sampleRotation())],
      ['rotate, lost', 1, () => store.rotate(sampleRotation())],
      ['confirm', 1, () => store.confirm([{ handle: sampleHandle(1), generation: 1, branch: 0 }])],
      ['updateInfo', 1, () => store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: 0 })],
      ['updatePayload', 6, () => store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null })],
      ['listByUser', 1, () => store.listByUser('user-1', { limit: 10, after: null })],
      ['listNewest', 1,
        () => store.listNewest({ tenantId: null, ip: 'nowhere', userAgent: null }, { limit: 10, after: null })],
      ['appendEvent', 1, () => store.appendEvent(sampleEvent(1))],
      ['pageEvents', 1,
        () => store.pageEvents({ kinds: ['theft', 'audit'], userId: null, handle: null }, { limit: 10, after: null })],
      ['changesSince', 1, () => store.changesSince(null, 10)],
      ['reauthenticate', 4,
        () => store.reauthenticate(sampleReauthentication(sampleRecord({ ...sampleNext(), confirmed: true })))],
      ['remove', 6, () => store.remove([sampleHandle(1)], sampleNow)],
      ['removeUnchanged, lost', 3,
        () => store.removeUnchanged(sampleHandle(1), sampleState(sampleRecord()), sampleNow)],
      ['removeByUser, of none', 2, () => store.removeByUser(sampleUserRemoval())],
      ['insert, another', 2, () => store.insert(sampleRecord())],
      ['removeByUser', 8, () => store.removeByUser(sampleUserRemoval())],
      ['removeAll', 2, () => store.removeAll({ ...page, after: null })],
      ['removeAll, the next page', 1, () => store.removeAll({ ...page, after: sampleHandle(1) })],
      ['listKeys', 1, () => store.listKeys()],
    ]
    for (const [method, count, call] of calls) {
      statements.length = 0
      await call()
      expect([method, statements.length]).toEqual([method, count])
    }
  })

  test('with many writers, a reader that follows skips nothing', async () => {
    const { store, prefix } = await freshStore()
    const writers = [store, ...[1, 2, 3].map(() => opened(createMysqlStore(url, { prefix })))]
    await expectNothingSkipped(store, writers)
  })

  test('an entry that a statement does not see yet, although it sees a later one, is not skipped', async () => {
    const { store: writer, prefix, pool } = await freshStore()
    const handles = [1, 2, 3, 4, 5].map(sampleHandle)
    for (const handle of handles) {
      await writer.insert(sampleRecord({ handle }))
      await writer.remove([handle], sampleNow + (handle === sampleHandle(2) ? 0 : minute))
    }
    let hidden: readonly number[] = []
    let looks = 0
    const hiding: MysqlPool = {
      async getConnection() {
        const connection = await pool.getConnection()
        return {
          async execute(sql, values) {
            const [answer, ...rest] = await connection.execute(sql, values)
            if (!Array.isArray(answer) || !sql.includes('AS part')) return [answer, ...rest]
            looks += 1
            const unseen = looks === 1 ? hidden : []
            const isSeen = (row: object): boolean => (
              !('part' in row && 'seq' in row && row.part === 'page' && unseen.includes(Number(row.seq)))
            )
            return [answer.filter(isSeen), ...rest]
          },
          query: sql => connection.query(sql),
          release: () => connection.release(),
          destroy: () => connection.destroy(),
        }
      },
    }
    const reader = opened(createMysqlStore(hiding, { prefix }))
    async function read(cursor: string | null, unseen: readonly number[]): Promise<readonly string[]> {
      looks = 0
      hidden = unseen
      const { changes } = await reader.changesSince(cursor, 10)
      return changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])
    }
    const { cursor } = await reader.changesSince(null, 2)
    expect([await read(null, []), looks]).toEqual([handles, 1])
    expect([await read(null, [2, 4]), looks]).toEqual([handles, 2])
    expect([await read(cursor, [3]), looks]).toEqual([handles.slice(2), 2])
    // The lifetime of the samples' access tokens.
    await writer.removeExpired(sampleNow + 5 * minute, 10)
    const left = handles.filter(handle => handle !== sampleHandle(2))
    expect([await read(null, []), looks], 'one was pruned').toEqual([left, 2])
    expect([await read(cursor, []), looks], 'and a cursor that pointed to it starts from the beginning')
      .toEqual([left, 3])
  })

  test('revocations of the same sessions in any order, at once, do not deadlock for good', async () => {
    const { store, prefix } = await freshStore()
    const other = opened(createMysqlStore(url, { prefix }))
    const handles = Array.from({ length: 60 }, (_, number) => sampleHandle(number))
    await Promise.all(handles.map(handle => store.insert(sampleRecord({ handle }))))
    const removed = await Promise.all([
      store.remove(handles, sampleNow), other.remove(handles.toReversed(), sampleNow),
      store.removeByUser(sampleUserRemoval({ from: sampleNow })),
      ...handles.map(handle => other.remove([handle], sampleNow)),
    ])
    expect(removed.flatMap(removal => removal.handles).toSorted()).toEqual(handles.toSorted())
  })

  test.each([
    [3101, 'Plugin instructed the server to rollback the current transaction.', true],
    [1180, 'Got error 149 - \'Lock deadlock; Retry transaction\' during COMMIT', true],
    [1180, 'Got error 28 - \'No space left on device\' during COMMIT', false],
  ])('E-03: a commit that fails with %i, "%s", is repeated: %s', async (errno, message, isRepeated) => {
    const { store, prefix, pool } = await freshStore()
    let failures = 0
    const failing: MysqlPool = {
      async getConnection() {
        const connection = await pool.getConnection()
        const failOnce = async (): Promise<void> => {
          if (failures++ > 0) return
          await connection.query('ROLLBACK')
          throw Object.assign(new Error(message), { errno })
        }
        return {
          async execute(sql, values) {
            if (sql.startsWith('UPDATE') || /^INSERT.*RETURNING/s.test(sql)) await failOnce()
            return connection.execute(sql, values)
          },
          async query(sql) {
            if (sql === 'COMMIT') await failOnce()
            return connection.query(sql)
          },
          release: () => connection.release(),
          destroy: () => connection.destroy(),
        }
      },
    }
    const raced = opened(createMysqlStore(failing, { prefix }))
    const calls: [call: () => Promise<unknown>, result: unknown][] = [
      [() => raced.rotate(sampleRotation()),
        { ...sampleRecord(), ...sampleNext(), expiresAt: sampleNow + 60 * minute }],
      [async () => (await raced.remove([sampleHandle(1)], sampleNow)).handles, [sampleHandle(1)]],
    ]
    await store.insert(sampleRecord())
    for (const [call, result] of calls) {
      failures = 0
      if (isRepeated) expect(await call()).toEqual(result)
      else await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(failures).toBe(isRepeated ? 2 : 1)
    }
  })

  // MariaDB returns what an update wrote; on MySQL, the store reads it in the same transaction.
  if (!isMariadb) test('a rotation that is overtaken by another still returns what it wrote', async () => {
    const prefix = `own_${++prefixes}_`
    const admin = openPool(url)
    const { pool, statements } = watched(admin)
    const overtaken: MysqlPool = {
      async getConnection() {
        const connection = await pool.getConnection()
        return {
          ...connection,
          async execute(sql, values) {
            if (sql.startsWith('SELECT') && statements.at(-1)?.sql.startsWith('UPDATE') === true) {
              await admin.query(
                `UPDATE ${prefix}session SET refresh_hash = 'hash-2', generation = 2, session_info = '{"new":1}'`)
            }
            return connection.execute(sql, values)
          },
        }
      },
    }
    const store = opened(createMysqlStore(overtaken, { prefix, migrate: 'auto' }))
    await store.insert(sampleRecord())
    const rotated = await store.rotate(sampleRotation())
    expect(rotated).toEqual({
      ...sampleRecord(), ...sampleNext(), sessionInfo: '{"new":1}', expiresAt: sampleNow + 60 * minute,
    })
  })

  if (!isMariadb) test('a rotation that a re-authentication overtakes returns null, and never the new times', async () => {
    const prefix = `own_${++prefixes}_`
    const { pool, statements } = watched(openPool(url))
    const other = opened(createMysqlStore(url, { prefix, migrate: 'auto' }))
    const overtaken: MysqlPool = {
      async getConnection() {
        const connection = await pool.getConnection()
        return {
          ...connection,
          async execute(sql, values) {
            if (sql.startsWith('SELECT') && statements.at(-1)?.sql.startsWith('UPDATE') === true) {
              const record = await other.find(sampleHandle(1))
              if (record !== null) await other.reauthenticate(sampleReauthentication(record))
            }
            return connection.execute(sql, values)
          },
        }
      },
    }
    const store = opened(createMysqlStore(overtaken, { prefix, migrate: 'auto' }))
    await store.insert(sampleRecord())
    expect(await store.rotate(sampleRotation())).toBeNull()
    expect(await store.find(sampleHandle(1))).toMatchObject({ anchorHash: 'anchor-1', generation: 2 })
  })

  test('ST-09: a cursor that the log no longer has reads from the beginning', async () => {
    const { store, prefix, pool } = await freshStore()
    const revoke = async (number: number): Promise<void> => {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], sampleNow + minute)
    }
    for (const number of [1, 2]) await revoke(number)
    await pool.query(`CREATE TABLE ${prefix}saved_meta AS SELECT * FROM ${prefix}meta`)
    for (const number of [3, 4]) await revoke(number)
    const { cursor } = await store.changesSince(null, 100)
    await pool.query(
      `DELETE FROM ${prefix}change WHERE seq > 2; REPLACE INTO ${prefix}meta SELECT * FROM ${prefix}saved_meta`)
    for (const number of [5, 6, 7]) await revoke(number)
    const changes = (await store.changesSince(cursor, 100)).changes
      .flatMap(change => change.kind === 'revoked' ? change.handles : [])
    expect(changes).toEqual([1, 2, 5, 6, 7].map(sampleHandle))

    // Emptied, including the counter.
    await pool.query(`TRUNCATE ${prefix}change; TRUNCATE ${prefix}meta`)
    expect(await store.changesSince(cursor, 100)).toEqual({ changes: [], cursor: null, more: false })
    for (const number of [8, 9]) await revoke(number)
    expect((await store.changesSince(cursor, 100)).changes).toHaveLength(2)
    expect(await store.addKeyIfNewest(sampleKey('key-1'), null)).toBe(true)
  })

  test('E-01: migration: any number of processes at once, and again', async () => {
    const prefix = `own_${++prefixes}_`
    const results = await Promise.all(Array.from({ length: 6 }, () => migrateMysql(url, { prefix })))
    expect(results.map(result => result.from).toSorted()).toEqual([0, 1, 1, 1, 1, 1])
    expect(await migrateMysql(url, { prefix })).toEqual({ from: 1, to: 1 })
    await openPool(url).query(`UPDATE ${prefix}meta SET number = 99 WHERE name = 'schema'`)
    await expect(migrateMysql(url, { prefix })).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('migration: the printed SQL can be run by hand, and twice', async () => {
    const prefix = `own_${++prefixes}_`
    const pool = openPool(url)
    for (let time = 0; time < 2; time++) await pool.query(printMysqlMigrations({ prefix }))
    expect(await migrateMysql(pool, { prefix })).toEqual({ from: 1, to: 1 })
    expect(await opened(createMysqlStore(pool, { prefix })).find(sampleHandle(1))).toBeNull()
  })

  test('ST-03: a prefix that is not a plain name is refused', () => {
    for (const prefix of ['a`b', 'a.b', '', '1a', 'a b', 'a'.repeat(32), 'ä']) {
      expect(() => createMysqlStore(url, { prefix })).toThrow('prefix must be 1 to 31 letters')
    }
  })
})
