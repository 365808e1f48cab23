import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { REMOVAL_LIMIT } from '../session/store.ts'
import type { SessionStore } from '../session/store.ts'
import {
  minute, sampleEvent, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../testing/samples.ts'
import { createSqliteStore, openSqliteStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-parts-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(directory, `sessions-${files}.db`)
}

/** A store on a new file, and what its statements did in each tick of the event loop. */
interface Watched {
  readonly store: SessionStore
  readonly database: DatabaseSync
  /** Runs the work. Returns the rows that its statements returned or changed, summed by tick of the event loop. */
  rowsByTick(work: () => Promise<unknown>, statement?: RegExp): Promise<readonly number[]>
}

function watched(): Watched {
  const database = new DatabaseSync(newFile())
  onTestFinished(() => database.close())
  let ticks: number[] = []
  let counting = /(?:)/
  const count = (sql: string, rows: number): void => {
    const tick = ticks.length - 1
    if (counting.test(sql)) ticks[tick] = (ticks[tick] ?? 0) + rows
  }
  const store = createSqliteStore({
    exec: sql => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        all(...values) {
          const rows = statement.all(...values)
          count(sql, rows.length)
          return rows
        },
        run(...values) {
          const { changes } = statement.run(...values)
          if (!/^(BEGIN|COMMIT)/.test(sql)) count(sql, Number(changes))
          return { changes }
        },
      }
    },
    close: () => undefined,
  })
  return {
    store,
    database,
    async rowsByTick(work, statement = /(?:)/) {
      ticks = [0]
      counting = statement
      let isOver = false
      const tick = (): void => {
        ticks.push(0)
        if (!isOver) setImmediate(tick)
      }
      setImmediate(tick)
      await work()
      isOver = true
      return ticks
    },
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** More than one part of each kind that can expire, and as many sessions that were kept alive. */
async function insertDue(store: SessionStore, count: number): Promise<void> {
  const all: Promise<unknown>[] = []
  for (let number = 0; number < count; number++) {
    const userId = `gone-${number}`
    await store.insert(sampleRecord({ handle: sampleHandle(number), userId, accessTokenLifetime: 0 }))
    await store.removeByUser(sampleUserRemoval({ userId, notBefore: { time: sampleNow, until: sampleNow + 1 } }))
    await store.appendEvent(sampleEvent(number, { until: sampleNow + 1 }))
    all.push(store.insert(sampleRecord({ handle: sampleHandle(1000 + number), expiresAt: sampleNow + number })))
    await store.insert(sampleRecord({ handle: sampleHandle(2000 + number), idleTimeout: 11 * minute }))
    await store.rotate(sampleRotation({
      handle: sampleHandle(2000 + number), next: sampleNext({ rotatedAt: sampleNow + 30 * minute }),
    }))
  }
  await Promise.all(all)
}

describe('the event loop', () => {
  test('P-05: runs between the parts of a cleanup, and rows that were kept alive count', async () => {
    const { store, rowsByTick } = watched()
    await insertDue(store, 70)
    const later = sampleNow + 40 * minute
    const counts: number[] = []
    const ticks = await rowsByTick(async () => {
      for (let more = true; more;) {
        const part = await store.removeExpired(later, 100)
        counts.push(part.removed)
        more = part.more
      }
    }, /^(DELETE|UPDATE)/)
    expect(Math.max(...ticks)).toBeLessThanOrEqual(16)
    expect(sum(ticks), 'changes, not-befores, events, sessions, and those that were postponed').toBe(5 * 70)
    expect(sum(counts)).toBe(70)
    expect(counts, 'no call looks at more than 100 sessions').toHaveLength(2)
  })

  test('P-05: runs between the parts of a removal of all sessions', async () => {
    const { store, rowsByTick } = watched()
    await Promise.all(Array.from({ length: 100 }, (_, number) => (
      store.insert(sampleRecord({ handle: sampleHandle(number), createdAt: sampleNow - 50 + number }))
    )))
    const notBefore = { time: sampleNow, until: sampleNow + minute }
    const ticks = await rowsByTick(async () => {
      const last = sampleHandle(89)
      expect(await store.removeAll({ notBefore, limit: 90, after: null })).toEqual({ removed: 51, next: last })
      expect(await store.removeAll({ notBefore, limit: 90, after: last })).toEqual({ removed: 0, next: null })
    }, /session/)
    expect(Math.max(...ticks)).toBeLessThanOrEqual(32)
  })

  test('P-12: runs between the parts of a page of the change log, and before the next page', async () => {
    const { store, database, rowsByTick } = watched()
    const handles = JSON.stringify(Array.from({ length: REMOVAL_LIMIT }, (_, number) => sampleHandle(number)))
    database.prepare(`WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 300)
      INSERT INTO keyturn_change (kind, handles, version, until) SELECT 'revoked', ?, 0, n FROM number`).run(handles)
    const untils: number[] = []
    const ticks = await rowsByTick(async () => {
      for (let cursor: string | null = null, more = true; more;) {
        const page: Awaited<ReturnType<SessionStore['changesSince']>> = await store.changesSince(cursor, 100)
        untils.push(...page.changes.map(({ until }) => until));
        [cursor, more] = [page.cursor, page.more]
      }
    }, /keyturn_change WHERE seq/)
    expect(untils).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
    expect(Math.max(...ticks)).toBeLessThanOrEqual(16)
    const single = await rowsByTick(async () => {
      for (let cursor: string | null = null, more = true; more;) {
        const page: Awaited<ReturnType<SessionStore['changesSince']>> = await store.changesSince(cursor, 1);
        [cursor, more] = [page.cursor, page.more]
      }
    }, /keyturn_change WHERE seq/)
    expect(Math.max(...single), 'one more than the page, and the next page').toBeLessThanOrEqual(4)
  })

  test('a commit does not copy more than 250 pages of the write-ahead log', () => {
    const file = newFile()
    const connections = [new DatabaseSync(file), new DatabaseSync(file)] as const
    createSqliteStore(connections[0], { fast: connections[1] })
    for (const connection of connections) {
      expect(connection.prepare('PRAGMA wal_autocheckpoint').get()).toEqual({ wal_autocheckpoint: 250 })
      connection.close()
    }
  })
})

test('P-03: a kind that cannot be removed does not keep the others, and its error is thrown', async () => {
  for (const table of ['change', 'not_before', 'event', 'session']) {
    const { store, database } = watched()
    await insertDue(store, 40)
    database.exec(`CREATE TRIGGER broken BEFORE DELETE ON keyturn_${table} BEGIN SELECT RAISE(FAIL, 'broken'); END`)
    await expect(store.removeExpired(sampleNow + 40 * minute, 1000))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const left = ['change', 'not_before', 'event', 'session'].filter(each => (
      database.prepare(`SELECT 1 FROM keyturn_${each} WHERE ${each === 'session' ? 'expires_at' : 'until'} <= ?`)
        .get(sampleNow + 40 * minute) !== undefined
    ))
    expect(left).toEqual([table])
  }
})

test('P-06: of the sessions of a user, a call reads and removes no more than its limit', async () => {
  const { store, rowsByTick } = watched()
  await Promise.all(Array.from({ length: 300 }, (_, number) => (
    store.insert(sampleRecord({
      handle: sampleHandle(number), createdAt: sampleNow - number, tenantId: number < 100 ? 'two' : 'one',
    }))
  )))
  const ticks = await rowsByTick(() => store.removeByUser(sampleUserRemoval({ tenantId: 'one' })), /session/)
  expect(sum(ticks), 'it looks at 100 of the other tenant').toBe(100)
})

test('P-01: what is confirmed is not written again', async () => {
  const { store, rowsByTick } = watched()
  await store.insert(sampleRecord())
  await store.insert(sampleRecord({ handle: sampleHandle(2), confirmed: true }))
  const confirmations = [1, 2].map(number => ({ handle: sampleHandle(number), generation: 0, branch: 0 }))
  const confirm = () => store.confirm(confirmations)
  expect(sum(await rowsByTick(confirm))).toBe(1)
  expect(sum(await rowsByTick(confirm))).toBe(0)
})

test('P-14: a list reads neither JWT payload nor session data', async () => {
  const lists: string[] = []
  const database = new DatabaseSync(newFile())
  onTestFinished(() => database.close())
  createSqliteStore({
    exec: sql => database.exec(sql),
    prepare(sql) {
      if (/\(created_at, handle\) </.test(sql)) lists.push(sql)
      return database.prepare(sql)
    },
    close: () => undefined,
  })
  expect(lists).toHaveLength(3)
  for (const sql of lists) expect(sql).not.toMatch(/jwt_payload|session_info/)
})

describe('P-10: revocations of one tick of the event loop', () => {
  async function withSessions(count: number): Promise<SessionStore> {
    const store = openSqliteStore(newFile())
    onTestFinished(() => store.close())
    await Promise.all(Array.from({ length: count }, (_, number) => store.insert(sampleRecord({
      handle: sampleHandle(number), accessTokenLifetime: number * minute,
    }))))
    return store
  }

  test('share a change, except for the first; each caller gets its own handles', async () => {
    const store = await withSessions(6)
    const named = [[0], [1], [2, 9], [1, 3], []].map(numbers => numbers.map(sampleHandle))
    const removals = await Promise.all(named.map(handles => store.remove(handles, sampleNow)))
    expect(removals.map(({ handles }) => handles))
      .toEqual([[0], [1], [2], [3], []].map(numbers => numbers.map(sampleHandle)))
    expect(removals.slice(1, 4).map(({ until }) => until - sampleNow)).toEqual([3, 3, 3].map(number => number * minute))
    const { changes } = await store.changesSince(null, 10)
    expect(changes).toEqual([
      { kind: 'revoked', handles: [sampleHandle(0)], until: sampleNow },
      { kind: 'revoked', handles: [1, 2, 3].map(sampleHandle), until: sampleNow + 3 * minute },
    ])
  })

  test('share no change of more handles than one may have', async () => {
    const store = await withSessions(170)
    const groups = Array.from({ length: 17 }, (_, group) => (
      Array.from({ length: 10 }, (_unused, index) => sampleHandle(10 * group + index))
    ))
    const removals = await Promise.all(groups.map(handles => store.remove(handles, sampleNow)))
    expect(removals.map(({ handles }) => handles.toSorted())).toEqual(groups)
    const { changes } = await store.changesSince(null, 10)
    expect(changes.map(change => change.kind === 'revoked' ? change.handles.length : 0)).toEqual([10, 100, 60])
  })

  test('are on the disk before the store is closed', async () => {
    const file = newFile()
    const store = openSqliteStore(file)
    for (const number of [1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    const removals = [1, 2, 3].map(number => store.remove([sampleHandle(number)], sampleNow))
    await store.close()
    expect((await Promise.all(removals)).flatMap(({ handles }) => handles)).toHaveLength(3)
  })
})

test('a store is closed when the calls that work in parts have ended', async () => {
  const store = openSqliteStore(newFile())
  await insertDue(store, 70)
  const working = [store.removeExpired(sampleNow + 40 * minute, 1000), store.changesSince(null, 1000)]
  await store.close()
  expect(await Promise.all(working)).toMatchObject([{ removed: 70, more: false }, { more: false }])
})
