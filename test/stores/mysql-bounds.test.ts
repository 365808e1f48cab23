import type { RowDataPacket } from 'mysql2/promise'
import { describe, expect, onTestFinished, test } from 'vitest'
import { REMOVAL_LIMIT } from '../../src/session/store.ts'
import type { RemovedOfUser, SessionStore } from '../../src/session/store.ts'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import type { MysqlPool } from '../../src/stores/mysql.ts'
import { rowOf } from '../../src/stores/sql/row.ts'
import {
  minute, sampleClaim, sampleEvent, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation,
  sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { removeDue } from '../../src/testing/store-contract/expiry.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { opened, openPool, watched } from '../support/mysql-pools.ts'

let prefixes = 0

async function freshPrefix(url: string): Promise<string> {
  const prefix = `bound_${++prefixes}_`
  await migrateMysql(url, { prefix })
  return prefix
}

/** A pool that does more before or after a statement. */
function intercepted(
  pool: MysqlPool,
  around: (sql: string, run: () => Promise<[unknown, unknown]>) => Promise<[unknown, unknown]>,
): MysqlPool {
  return {
    async getConnection() {
      const connection = await pool.getConnection()
      return {
        execute: (sql, values) => around(sql, () => connection.execute(sql, values)),
        query: sql => around(sql, () => connection.query(sql)),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      }
    },
  }
}

/** A store that stops before its next COMMIT, until it is released. */
function pausing(url: string, prefix: string): { store: SessionStore; paused: Promise<void>; resume: () => void } {
  const [reached, released] = [signal(), signal()]
  const pool = intercepted(openPool(url), async (sql, run) => {
    if (sql === 'COMMIT') {
      reached.send()
      await released.sent
    }
    return run()
  })
  onTestFinished(() => released.send())
  return {
    store: opened(createMysqlStore(pool, { prefix, requestTimeout: 60 })),
    paused: reached.sent,
    resume: () => released.send(),
  }
}

function signal(): { readonly sent: Promise<void>; send(): void } {
  let send = (): void => undefined
  const sent = new Promise<void>(resolve => {
    send = resolve
  })
  return { sent, send: () => send() }
}

for (const { name, available, url } of await mysqlEngines('bounds')) describe.skipIf(!available)(name, () => {
  test('P-06: while sessions of a user are removed, logins and refreshes do not wait', async () => {
    const prefix = await freshPrefix(url)
    const other = opened(createMysqlStore(url, { prefix, requestTimeout: 60 }))
    // Users before and after it in the index, and more sessions than one call looks at.
    for (const [index, userId] of ['user-0', 'user-1', 'user-2'].entries()) {
      await Promise.all(Array.from({ length: REMOVAL_LIMIT + 20 }, (_, number) => other.insert(sampleRecord({
        handle: sampleHandle(1000 * index + number), userId, createdAt: sampleNow - number,
      }))))
    }
    const { store, paused, resume } = pausing(url, prefix)
    const removal = store.removeByUser(sampleUserRemoval({ notBefore: { time: sampleNow, until: sampleNow + minute } }))
    await paused
    const login = (number: number, userId: string, createdAt: number) => (
      other.insert(sampleRecord({ handle: sampleHandle(number), userId, createdAt }))
    )
    expect(await Promise.all([
      login(5001, 'user-1', sampleNow), login(5002, 'user-0', sampleNow - 10), login(5003, 'user-2', sampleNow - 200),
    ])).toEqual([true, true, true])
    expect(await login(5004, 'user-1', sampleNow - 1), 'it began before the removal').toBe(false)
    const rotate = (number: number) => other.rotate(sampleRotation({ handle: sampleHandle(number) }))
    expect(await rotate(1000 + REMOVAL_LIMIT + 10), 'of the next page').not.toBeNull()
    expect(await rotate(2010), 'of another user').not.toBeNull()
    resume()
    expect((await removal).handles).toHaveLength(REMOVAL_LIMIT)
  })

  test('P-06: a user with 2,000 sessions is removed in short transactions', async () => {
    const prefix = await freshPrefix(url)
    const { pool, statements } = watched(openPool(url))
    const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    const numbers = Array.from({ length: 2000 }, (_, number) => number)
    // Half of them began in the same millisecond, as after an import.
    await Promise.all(numbers.map(number => store.insert(sampleRecord({
      handle: sampleHandle(number), createdAt: number % 2 === 0 ? sampleNow : sampleNow - number,
    }))))
    statements.length = 0
    let after: string | null = null
    let removed = 0
    do {
      const part: RemovedOfUser = await store.removeByUser(sampleUserRemoval({ after }))
      removed += part.handles.length
      after = part.next
    } while (after !== null)
    expect(removed).toBe(2000)
    expect(statements.filter(({ sql }) => sql === 'COMMIT')).toHaveLength(2000 / REMOVAL_LIMIT)
    expect(statements.every(({ values }) => values.length <= 2 * REMOVAL_LIMIT)).toBe(true)
  })

  test('P-06: a page of sessions that began in the same millisecond reads no more rows than it has', async () => {
    const prefix = await freshPrefix(url)
    const pool = openPool(url)
    const { pool: only, statements } = watched(pool)
    const store = opened(createMysqlStore(only, { prefix, requestTimeout: 60 }))
    await Promise.all(Array.from({ length: 600 }, (_, number) => (
      store.insert(sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow }))
    )))
    let after: string | null = null
    for (let page = 0; page < 5; page++) {
      after = (await store.listByUser('user-1', { limit: 100, after })).next
    }
    const { sql = '', values = [] } = statements.at(-1) ?? {}
    const connection = await pool.getConnection()
    await connection.query('FLUSH STATUS')
    await connection.execute(sql, [...values])
    const [counts] = await connection.query<RowDataPacket[]>('SHOW SESSION STATUS LIKE \'Handler_read%\'')
    connection.release()
    expect(counts.reduce((sum, { Value: count }) => sum + Number(count), 0)).toBeLessThan(110)
  })

  test('P-05: a cleanup looks at no more rows of each kind than its limit, in ten statements', async () => {
    const prefix = await freshPrefix(url)
    const { pool, statements } = watched(openPool(url))
    const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    for (let number = 0; number < 30; number++) {
      if (number < 15) {
        const userId = `gone-${number}`
        await store.insert(sampleRecord({ handle: sampleHandle(number), userId, accessTokenLifetime: 0 }))
        await store.removeByUser(sampleUserRemoval({ userId, notBefore: { time: sampleNow, until: sampleNow + 1 } }))
        await store.appendEvent(sampleEvent(number, { until: sampleNow + 1 }))
        const handle = sampleHandle(200 + number)
        await store.admitImport({ claim: sampleClaim({ handle, until: sampleNow + 1 }),
          record: sampleRecord({ handle }) })
      }
      await store.insert(sampleRecord({ handle: sampleHandle(100 + number), createdAt: sampleNow - 60 * minute }))
      await store.rotate(sampleRotation({
        handle: sampleHandle(100 + number), bounds: { now: sampleNow - minute, rotatedAfter: 0, createdAfter: 0 },
        next: sampleNext({ rotatedAt: sampleNow }),
      }))
    }
    await store.insert(sampleRecord({ handle: sampleHandle(500), createdAt: sampleNow - 50 * minute }))
    statements.length = 0
    expect(await store.removeExpired(sampleNow + 20 * minute, 10), 'ten that were kept alive')
      .toEqual({ removed: 0, more: true })
    expect(statements).toHaveLength(10)
    expect((await store.changesSince(null, 100)).changes).toHaveLength(5)
    const thefts = { kinds: ['theft'], userId: null, handle: null } as const
    expect((await store.pageEvents(thefts, { limit: 100, after: null })).events).toHaveLength(5)
    expect((await store.countImports()).map(({ count }) => count)).toEqual([5])
    expect(await removeDue(store, sampleNow + 20 * minute, 10)).toBe(1)
    expect(await store.removeExpired(sampleNow + 20 * minute, 10)).toEqual({ removed: 0, more: false })
  })

  test('P-05: a cleanup locks no gaps: changes are appended and sessions are added while it runs', async () => {
    const prefix = await freshPrefix(url)
    const pool = openPool(url)
    const other = opened(createMysqlStore(url, { prefix, requestTimeout: 60 }))
    for (const number of [1, 2, 3]) {
      await other.insert(sampleRecord({ handle: sampleHandle(number), accessTokenLifetime: 0 }))
      await other.remove([sampleHandle(number)], sampleNow)
      await other.insert(sampleRecord({ handle: sampleHandle(number), expiresAt: sampleNow }))
    }
    // The statements of a cleanup commit by themselves. Here, their locks last.
    const connection = await pool.getConnection()
    onTestFinished(() => connection.release())
    const held: MysqlPool = {
      getConnection: async () => ({
        execute: (sql, values) => connection.execute(sql, values), query: sql => connection.query(sql),
        release: () => undefined, destroy: () => undefined,
      }),
    }
    const store = createMysqlStore(held, { prefix })
    await store.find(sampleHandle(9))
    await connection.query('START TRANSACTION')
    expect(await store.removeExpired(sampleNow, 100)).toEqual({ removed: 3, more: false })
    await other.insert(sampleRecord({ handle: sampleHandle(4), expiresAt: sampleNow + 1 }))
    expect((await other.remove([sampleHandle(4)], sampleNow + 1)).handles).toEqual([sampleHandle(4)])
    await connection.query('COMMIT')
  })

  test('P-03: a kind that cannot be removed does not keep the others, and its error is thrown', async () => {
    for (const table of ['change', 'not_before', 'event', 'session']) {
      const prefix = await freshPrefix(url)
      const pool = openPool(url)
      const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
      await store.insert(sampleRecord({ accessTokenLifetime: 0 }))
      await store.removeByUser(sampleUserRemoval({ notBefore: { time: 1, until: sampleNow } }))
      await store.appendEvent(sampleEvent(0, { until: sampleNow }))
      await store.insert(sampleRecord({ handle: sampleHandle(2), expiresAt: sampleNow }))
      await pool.query(`CREATE TRIGGER ${prefix}broken BEFORE DELETE ON ${prefix}${table} FOR EACH ROW
        SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'Lock wait timeout exceeded'`)
      await expect(store.removeExpired(sampleNow, 10)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      const left: string[] = []
      for (const each of ['change', 'not_before', 'event', 'session']) {
        const [rows] = await pool.query(`SELECT 1 FROM ${prefix}${each}`)
        if (Array.isArray(rows) && rows.length > 0) left.push(each)
      }
      expect(left).toEqual([table])
    }
  })

  test('P-01: what is confirmed is not written again', async () => {
    const prefix = await freshPrefix(url)
    const found: unknown[] = []
    const pool = intercepted(openPool(url), async (sql, run) => {
      const [answer, fields] = await run()
      if (sql.includes('SET confirmed = 1')) found.push(rowOf(answer)['affectedRows'])
      return [answer, fields]
    })
    const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    await store.insert(sampleRecord())
    await store.insert(sampleRecord({ handle: sampleHandle(2), confirmed: true }))
    for (const _ of [1, 2]) {
      await store.confirm([1, 2].map(number => ({ handle: sampleHandle(number), generation: 0, branch: 0 })))
    }
    expect(found).toEqual([1, 0])
  })

  test('P-10: revocations of one tick of the event loop share a transaction and a change', async () => {
    const prefix = await freshPrefix(url)
    const { pool, statements } = watched(openPool(url))
    const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    const handles = Array.from({ length: 150 }, (_, number) => sampleHandle(number))
    await Promise.all(handles.map(handle => store.insert(sampleRecord({ handle }))))
    statements.length = 0
    const named = [...handles.map(handle => [handle]), [sampleHandle(7)]]
    const removals = await Promise.all(named.map(each => store.remove(each, sampleNow)))
    // Of the two calls for one session, either may be the first.
    const removed = removals.map(removal => removal.handles)
    expect(removed.toSpliced(7, 1).toSpliced(-1)).toEqual(named.toSpliced(7, 1).toSpliced(-1))
    expect([...removed[7] ?? [], ...removed[150] ?? []]).toEqual([sampleHandle(7)])
    const { changes } = await store.changesSince(null, 10)
    expect(changes.flatMap(change => change.kind === 'revoked' ? change.handles : []).toSorted())
      .toEqual(handles.toSorted())
    expect(changes.length).toBeLessThanOrEqual(4)
    expect(statements.filter(({ sql }) => sql === 'COMMIT').length, 'one of them finds nothing').toBeLessThanOrEqual(4)
  })

  test('P-10: a locked session delays only its own revocation', async () => {
    const prefix = await freshPrefix(url)
    const pool = openPool(url)
    const store = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    for (const number of [0, 1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const holder = await pool.getConnection()
    await holder.query('START TRANSACTION')
    await holder.query(`SELECT 1 FROM ${prefix}session WHERE handle = '${sampleHandle(2)}' FOR UPDATE`)
    const removals = [0, 1, 2, 3].map(number => store.remove([sampleHandle(number)], sampleNow))
    const free = await Promise.all(removals.filter((_, index) => index !== 2))
    expect(free.flatMap(({ handles }) => handles)).toEqual([0, 1, 3].map(sampleHandle))
    await holder.query('ROLLBACK')
    holder.release()
    expect((await removals[2])?.handles).toEqual([sampleHandle(2)])
  })

  test('a reading of the change log takes two statements at most, whatever is appended meanwhile', async () => {
    const prefix = await freshPrefix(url)
    const writer = opened(createMysqlStore(url, { prefix, requestTimeout: 60 }))
    let made = 0
    const revoke = async (): Promise<void> => {
      made += 1
      await writer.insert(sampleRecord({ handle: sampleHandle(made) }))
      await writer.remove([sampleHandle(made)], sampleNow)
    }
    let readings = 0
    // Each reading does not see yet the entry before its last one.
    const pool = intercepted(openPool(url), async (sql, run) => {
      if (!sql.includes('AS part')) return run()
      readings += 1
      for (const _ of [1, 2]) if (made < 20) await revoke()
      const [rows, fields] = await run()
      // The last row is the head of the log.
      return [Array.isArray(rows) && readings < 10 ? rows.toSpliced(-3, 1) : rows, fields]
    })
    const reader = opened(createMysqlStore(pool, { prefix, requestTimeout: 60 }))
    await revoke()
    const first = await reader.changesSince(null, 100)
    expect(readings).toBe(2)
    expect(first.more).toBe(true)
    readings = 10
    const rest = await reader.changesSince(first.cursor, 100)
    const handles = [...first.changes, ...rest.changes]
      .flatMap(change => change.kind === 'revoked' ? change.handles : [])
    expect(handles).toEqual(Array.from({ length: made }, (_, index) => sampleHandle(index + 1)))
  })
})
