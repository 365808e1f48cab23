/** A separate process that uses a SQLite file. Arguments: a task, the file, and this process's number. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isSessionError } from '../../src/base/errors.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, samplePresented, sampleRecord, sampleRotation,
} from '../../src/testing/samples.ts'

const [task, file = '', number = '0'] = process.argv.slice(2)

/**
 * Prints synchronously: what is printed before a kill must be received. `process.stdout` would buffer in memory what a
 * slow reader does not read, and never flush it while the work continues from promise to promise.
 */
function print(line: string): void {
  writeSync(1, `${line}\n`)
}

async function startSignal(): Promise<void> {
  print('ready')
  await once(process.stdin, 'data')
  process.stdin.destroy()
}

/** Rotates one session ten times, from one hash. Prints which rotations succeeded and what the row is afterwards. */
async function race(): Promise<void> {
  const store = openSqliteStore(file)
  await startSignal()
  const results = await Promise.all(Array.from({ length: 10 }, (_, index) =>
    store.rotate(sampleRotation({ next: sampleNext({ refreshHash: `child-${number}-${index}` }) }))))
  const won = results.flatMap(record => record === null ? [] : [record.refreshHash])
  print(JSON.stringify({ won, row: (await store.find(sampleHandle(1)))?.refreshHash }))
  await store.close()
}

/** Opens a file that no process has opened before, and logs in at once. */
async function first(): Promise<void> {
  await startSignal()
  const store = openSqliteStore(file)
  await store.insert(sampleRecord({ handle: sampleHandle(Number(number)) }))
  await store.close()
  print('done')
}

/** Holds the write lock until the parent writes a line. */
async function hold(): Promise<void> {
  const database = new DatabaseSync(file)
  database.exec('BEGIN IMMEDIATE')
  print('locked')
  await once(process.stdin, 'data')
  database.close()
  process.stdin.destroy()
}

/**
 * Logs in while another process holds the write lock. Nothing but the call keeps this process alive, so it prints that
 * it waits only if the call does.
 */
async function insert(): Promise<void> {
  const store = openSqliteStore(file)
  const login = store.insert(sampleRecord({ handle: sampleHandle(1000) }))
  setTimeout(() => print('waiting'), 50).unref()
  await login
  await store.close()
  print('done')
}

/** Logs in, refreshes and revokes without end. Prints what it tries before, and what was acknowledged after. */
async function churn(): Promise<void> {
  const store = openSqliteStore(file)
  for (let session = Number(number); ; session++) {
    const handle = sampleHandle(session)
    await store.insert(sampleRecord({ handle, reuseInterval: 0 }))
    print(`inserted ${session} 0`)
    for (let generation = 1; generation <= 3; generation++) {
      const next = sampleNext({ refreshHash: `hash-${generation}`, generation })
      await store.rotate(
        sampleRotation({
          handle,
          expected: samplePresented({ refreshHash: `hash-${generation - 1}`, generation: generation - 1 }),
          next,
        }),
      )
      print(`rotated ${session} ${generation}`)
    }
    if (session % 2 === 0) continue
    print(`removing ${session} 0`)
    await store.remove([handle], sampleNow + minute)
    print(`removed ${session} 0`)
  }
}

/**
 * Works until the disk is full, and a little longer; then frees space. Prints the errors, and how many sessions are
 * not as they were acknowledged: while the disk is full, with free space again, and after a new start.
 */
async function fill(freeSpace: () => void): Promise<void> {
  const acknowledged = new Map<number, number>()
  let store = openSqliteStore(file)
  const lost = async (): Promise<number> => {
    let count = 0
    for (const [session, generation] of acknowledged) {
      if ((await store.find(sampleHandle(session)))?.generation !== generation) count += 1
    }
    return count
  }
  const insert = async (session: number): Promise<void> => {
    await store.insert(sampleRecord({ handle: sampleHandle(session), sessionInfo: 'x'.repeat(4000) }))
    acknowledged.set(session, 0)
  }
  const rotate = async (session: number): Promise<void> => {
    await store.rotate(sampleRotation({ handle: sampleHandle(session) }))
    acknowledged.set(session, 1)
  }
  const remove = async (session: number): Promise<void> => {
    await store.remove([sampleHandle(session)], sampleNow + minute)
    acknowledged.delete(session)
  }
  const untilRefused = async (work: (session: number) => Promise<void>): Promise<string> => {
    for (let session = 0; session < 10_000; session++) {
      try {
        await work(session)
      } catch (error) {
        return isSessionError(error) ? `${error.code}: ${error.message}` : `${error}`
      }
    }
    return 'never refused'
  }
  const refused = [await untilRefused(insert), await untilRefused(rotate), await untilRefused(remove)]
  const sessions = acknowledged.size
  const lostThen = [await lost()]
  freeSpace()
  for (const [session, generation] of [...acknowledged]) if (generation === 0) await rotate(session)
  await insert(20_000)
  await insert(20_001)
  await remove(20_000)
  lostThen.push(await lost())
  await store.close()
  store = openSqliteStore(file)
  lostThen.push(await lost())
  const removed = (await store.changesSince(null, 10_000)).changes.length
  await store.close()
  print(JSON.stringify({ refused, sessions, lost: lostThen, removed }))
}

async function fillDisk(): Promise<void> {
  const ballast = `${file}-ballast`
  writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024))
  await fill(() => rmSync(ballast))
}

async function fillQuota(): Promise<void> {
  await fill(() => void spawnSync('prlimit', ['--pid', `${process.pid}`, '--fsize=unlimited']))
}

if (task === 'race') await race()
else if (task === 'first') await first()
else if (task === 'hold') await hold()
else if (task === 'insert') await insert()
else if (task === 'churn') await churn()
else if (task === 'fill disk') await fillDisk()
else if (task === 'fill quota') await fillQuota()
