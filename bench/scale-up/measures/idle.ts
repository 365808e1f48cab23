import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { startPostgresBackend } from '../backends.ts'
import { startChild } from '../child-process.ts'
import { createApplication } from '../sessions.ts'
import { below } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

/** A process is idle after 10 s; the server counts what a connection did at the latest 10 s later. */
const BEFORE = 22_000
const WINDOW = 60_000

/** Counts the transactions of a process that serves no requests, on PostgreSQL (P-16). */
export async function measureIdle(): Promise<readonly Promised[]> {
  const backend = await startPostgresBackend({ autovacuum: 'off' })
  const application = createApplication(await backend.open('idle'))
  const token = await application.login('user')
  await application.close()
  const child = startChild<object, string>('idler', [backend.place, 'idle', token])
  await child.next()
  // In another database, so that these transactions are not counted.
  const url = new URL(backend.place)
  url.pathname = '/template1'
  const observer = new pg.Client({ connectionString: url.href })
  await observer.connect()
  async function transactions(): Promise<number> {
    const { rows } = await observer.query<{ n: string }>(
      'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = \'postgres\'')
    return Number(rows[0]?.n)
  }
  try {
    await pause(BEFORE)
    const before = await transactions()
    await pause(WINDOW)
    const perSecond = (await transactions() - before) / WINDOW * 1000
    return [below('transactions per second of an idle process', 0.3, perSecond, '')]
  } finally {
    child.stop()
    await observer.end()
    await backend.stop()
  }
}
