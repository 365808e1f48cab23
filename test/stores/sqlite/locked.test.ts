// Another connection or process holds the lock of the file. The event loop goes on, and so do readers.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SessionStore } from '../../../src/session/store.ts'
import { nextEventLoopTurn } from '../../../src/stores/background.ts'
import { sqliteKind } from '../../../src/stores/sqlite/kind.ts'
import { createSqliteStore, openSqliteStore } from '../../../src/stores/sqlite.ts'
import { sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../../../src/testing/samples.ts'
import { fill, observed, writes } from '../../support/sqlite-writes.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-locked-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(directory, `sessions-${files}.db`)
}

/** Opens a store that is closed after the test. */
function opened(file: string): SessionStore {
  const store = openSqliteStore(file)
  onTestFinished(() => store.close())
  return store
}

/** Takes the write lock with a connection of its own. Returns a function that releases it. */
function lock(file: string, begin = 'BEGIN IMMEDIATE'): () => void {
  const other = new DatabaseSync(file)
  other.exec(begin)
  return () => {
    if (other.isOpen) other.close()
  }
}

/** Takes the write lock in another process. Returns a function that releases it. */
async function lockElsewhere(file: string): Promise<() => void> {
  const { child, lines } = start('hold', file)
  for await (const line of lines) if (line === 'locked') break
  return () => void child.stdin.end('release')
}

function start(task: string, file: string) {
  const script = join(import.meta.dirname, '../../support/sqlite-child.ts')
  const child = spawn(process.execPath, ['--conditions=keyturn-source', script, task, file], {
    env: { ...process.env, NODE_NO_WARNINGS: '1' }, stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, lines: createInterface(child.stdout) }
}

/** Lets the event loop run. */
async function loopTicks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await nextEventLoopTurn()
}

/** Whether the call is pending after as many ticks of the event loop. */
async function isPending(call: Promise<unknown>, ticks = 20): Promise<boolean> {
  let isOver = false
  const end = (): void => void (isOver = true)
  call.then(end, end)
  await loopTicks(ticks)
  return !isOver
}

describe('while another process holds the write lock', () => {
  test('L-30: a login waits, and the event loop and readers go on', async () => {
    const file = newFile()
    const store = opened(file)
    await fill(store)
    const release = await lockElsewhere(file)
    const login = store.insert(sampleRecord({ handle: sampleHandle(20) }))
    expect(await isPending(login)).toBe(true)
    expect(await store.find(sampleHandle(1))).toMatchObject({ userId: 'user-1' })
    expect(await store.find(sampleHandle(20))).toBeNull()
    expect((await store.listByUser('user-1', { limit: 10, after: null })).sessions).toHaveLength(1)
    expect(await store.changesSince(null, 10)).toMatchObject({ changes: [] })
    expect(await store.listKeys()).toHaveLength(1)
    release()
    expect(await login).toBe(true)
    expect(await store.find(sampleHandle(20))).not.toBeNull()
  })

  test('L-30: every call that writes waits, and all of them succeed in their order', async () => {
    const file = newFile()
    const store = opened(file)
    await fill(store)
    const release = await lockElsewhere(file)
    const done: string[] = []
    const calls = writes.map(async ([name, call]) => {
      const result = await call(store)
      done.push(name)
      return result
    })
    for (const call of calls) expect(await isPending(call, 5)).toBe(true)
    release()
    expect(await Promise.all(calls)).toEqual(writes.map(([, , expected]) => expected))
    expect(done.filter(name => name !== 'removeExpired')).toEqual(
      writes.map(([name]) => name).filter(name => name !== 'removeExpired'))
  })

  test('L-30: a call that begins while others are repeated comes after them', async () => {
    const file = newFile()
    const store = opened(file)
    await fill(store)
    const release = await lockElsewhere(file)
    const update = (sessionInfo: string): Promise<boolean> => (
      store.updateInfo({ handle: sampleHandle(1), sessionInfo, expectedVersion: null, now: sampleNow })
    )
    const first = update('first')
    const second = update('second')
    const third = first.then(() => update('third'))
    release()
    expect(await Promise.all([first, second, third])).toEqual([true, true, true])
    expect(await store.find(sampleHandle(1))).toMatchObject({ sessionInfo: 'third' })
  })

  test('L-30: the calls of a tick wait together', async () => {
    const file = newFile()
    const store = opened(file)
    await fill(store)
    const release = await lockElsewhere(file)
    const logins = Promise.all(Array.from({ length: 200 }, (_, number) => (
      store.insert(sampleRecord({ handle: sampleHandle(100 + number), userId: 'many' }))
    )))
    const rotations = Promise.all([1, 2, 3].map(number => (
      store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    )))
    const removals = Promise.all([4, 5, 6].map(number => store.remove([sampleHandle(number)], sampleNow)))
    for (const calls of [logins, rotations, removals]) expect(await isPending(calls)).toBe(true)
    release()
    expect(await logins).not.toContain(false)
    expect(await rotations).not.toContain(null)
    expect((await removals).map(({ handles }) => handles.length)).toEqual([1, 1, 1])
    expect((await store.listByUser('many', { limit: 1000, after: null })).sessions).toHaveLength(200)
  })

  test('L-30: closing waits for the calls that wait', async () => {
    const file = newFile()
    const store = openSqliteStore(file)
    await fill(store)
    const release = await lockElsewhere(file)
    const calls = Promise.all(writes.map(([, call]) => call(store)))
    const closing = store.close()
    expect(await isPending(closing)).toBe(true)
    release()
    await closing
    expect(await isPending(calls, 1)).toBe(false)
    expect(await calls).toEqual(writes.map(([, , expected]) => expected))
  })

  test('L-30: a new file is opened at once, and its tables are created when the lock is free', async () => {
    const file = newFile()
    const release = await lockElsewhere(file)
    const store = opened(file)
    const migration = sqliteKind.migrations?.apply(`sqlite:${file}`, {}) ?? Promise.reject(new Error('no migrations'))
    const login = store.insert(sampleRecord())
    for (const call of [login, migration]) expect(await isPending(call)).toBe(true)
    release()
    expect(await login).toBe(true)
    expect(await migration).toMatchObject({ to: 1 })
    expect(await store.find(sampleHandle(1))).not.toBeNull()
  })

  test('L-30: a file with tables is opened and read', async () => {
    const file = newFile()
    await fill(opened(file))
    const release = await lockElsewhere(file)
    expect(await opened(file).find(sampleHandle(1))).not.toBeNull()
    expect(await sqliteKind.inspect(`sqlite:${file}`, {})).toMatchObject({ condition: 'ready' })
    release()
  })

  test('L-30: a call that waits keeps its process alive', async () => {
    const file = newFile()
    await fill(opened(file))
    const release = lock(file)
    const { lines } = start('insert', file)
    const said: string[] = []
    for await (const line of lines) {
      said.push(line)
      if (line === 'waiting') release()
    }
    expect(said).toEqual(['waiting', 'done'])
  })
})

describe('a lock that is never released', () => {
  /** A store whose time is that of the test. */
  async function locked(): Promise<{ store: SessionStore; release: () => void }> {
    const file = newFile()
    const store = opened(file)
    await fill(store)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    return { store, release: lock(file) }
  }

  test('L-30: fails calls with STORE_UNAVAILABLE after 5 seconds, and nothing is written then or later', async () => {
    const { store, release } = await locked()
    const calls = writes.filter(([name]) => name !== 'removeExpired').map(([, call]) => call(store))
    await loopTicks(20)
    expect(vi.getTimerCount(), 'one for all calls').toBeLessThanOrEqual(2)
    await vi.advanceTimersByTimeAsync(4900)
    for (const call of calls) expect(await isPending(call, 1)).toBe(true)
    const settled = Promise.allSettled(calls)
    await vi.advanceTimersByTimeAsync(5000)
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: {
        code: 'STORE_UNAVAILABLE', message: expect.stringContaining('locked'), cause: expect.any(Error),
      } })
    }
    expect(vi.getTimerCount()).toBe(0)
    release()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await store.find(sampleHandle(1))).toMatchObject({ refreshHash: 'hash-0' })
    expect(await store.find(sampleHandle(20))).toBeNull()
    expect(await store.insert(sampleRecord({ handle: sampleHandle(20) }))).toBe(true)
  })

  test('L-30: is asked for less and less often', async () => {
    const file = newFile()
    const database = new DatabaseSync(file)
    onTestFinished(() => database.close())
    let statements = 0
    const store = createSqliteStore(observed(database, () => void (statements += 1)))
    onTestFinished(lock(file))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const calls = Promise.allSettled(writes.map(([, call]) => call(store)))
    statements = 0
    await vi.advanceTimersByTimeAsync(30)
    expect(statements).toBeGreaterThanOrEqual(4)
    await vi.advanceTimersByTimeAsync(70)
    statements = 0
    await vi.advanceTimersByTimeAsync(1000)
    expect(statements, 'one call asks for all').toBeGreaterThanOrEqual(1000 / 25 - 1)
    expect(statements, 'one call asks for all').toBeLessThanOrEqual(1000 / (25 * 0.8) + 1)
    // The cleanup waits for each of its kinds by itself.
    await vi.advanceTimersByTimeAsync(30_000)
    expect(vi.getTimerCount()).toBe(0)
    await calls
  })

  test('L-30: fails the call that opens a new file, and the next call tries again', async () => {
    const file = newFile()
    const release = lock(file)
    const store = opened(file)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const refused = expect(store.find(sampleHandle(1))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await vi.advanceTimersByTimeAsync(6000)
    await refused
    release()
    expect(await store.find(sampleHandle(1))).toBeNull()
    expect(await store.insert(sampleRecord())).toBe(true)
  })
})
