import { setTimeout as pause } from 'node:timers/promises'
import { startBackend } from '../backends.ts'
import type { Backend } from '../backends.ts'
import { cleanUp } from '../cleanup.ts'
import { dueBatch } from '../rows.ts'
import { atLeast, below, exactly, shown, watchLoop } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

const SQLITE_DUE = 1_000_000
const POSTGRES_DUE = 200_000
const STOP_LIMIT = 20
const IDLE_MS = 3000

/** Removes a million due sessions from SQLite, which works on the thread of the application (P-05). */
export async function measureSqliteCleanup(): Promise<readonly Promised[]> {
  const idle = watchLoop()
  await pause(IDLE_MS)
  const noise = idle.longest()
  const { removed, perSecond, longest, over } = await clean(await startBackend('sqlite'), SQLITE_DUE)
  return [
    exactly('sessions removed', SQLITE_DUE, removed, ''),
    below('longest stop of the event loop', STOP_LIMIT, longest, 'ms'),
    shown('... stops beyond that', over, ''),
    shown('... longest stop of a process that does nothing, on this machine', noise, 'ms'),
    shown('sessions removed per second', perSecond, ''),
  ]
}

/** Removes due sessions from PostgreSQL (P-11). */
export async function measurePostgresCleanup(): Promise<readonly Promised[]> {
  const { removed, perSecond } = await clean(await startBackend('postgres'), POSTGRES_DUE)
  return [
    exactly('sessions removed', POSTGRES_DUE, removed, ''),
    atLeast('sessions removed per second', 10_000, perSecond, ''),
  ]
}

async function clean(
  backend: Backend,
  count: number,
): Promise<Awaited<ReturnType<typeof cleanUp>> & { readonly longest: number; readonly over: number }> {
  const store = await backend.open('due')
  try {
    await backend.load('due', dueBatch(count))
    await backend.settle()
    const loop = watchLoop(STOP_LIMIT)
    return { ...await cleanUp(store), longest: loop.longest(), over: loop.over() }
  } finally {
    await store.close()
    await backend.stop()
  }
}
