import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { SessionHandle } from '../../../src/base/handle.ts'
import type { EpochMilliseconds } from '../../../src/base/time.ts'
import { createConfirmations } from '../../../src/session/confirmations.ts'
import type { Confirmations } from '../../../src/session/confirmations.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import { startPostgresBackend } from '../backends.ts'
import { handleOf, now } from '../rows.ts'
import { exactly, shown } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

const MANY = 1_000_000
const SOME = 30_000
/** Fewer than the queue holds. In a server, a timer flushes it once a second. */
const FLUSH_EVERY = 5000
const HOUR = 3_600_000

/** Counts what the confirmations of sessions that are verified in turn write, round by round (P-01). */
export async function measureConfirmations(): Promise<readonly Promised[]> {
  return [...await inOneProcess(), ...await onPostgres()]
}

/** One round: each session is verified once, with a token that is old enough to confirm. */
async function verifyAll(
  confirmations: Confirmations,
  handles: readonly SessionHandle[],
  time: EpochMilliseconds,
): Promise<void> {
  const iat = Math.floor((time - HOUR / 2) / 1000)
  for (const [index, sid] of handles.entries()) {
    confirmations.observe({ sid, gen: 1, brn: 0, iat, exp: iat + 2 * HOUR / 1000, ri: 30_000 }, time)
    if (index % FLUSH_EVERY === 0) await confirmations.flush()
  }
  await confirmations.flush()
}

const handlesUpTo = (count: number): SessionHandle[] => Array.from({ length: count }, (_, number) => handleOf(number))

function createCounted(store: SessionStore): Confirmations {
  return createConfirmations({
    store,
    schedule: () => () => {},
    onError(error) {
      throw error
    },
  })
}

async function inOneProcess(): Promise<readonly Promised[]> {
  let written = 0
  const confirmations = createCounted({
    ...createMemoryStore(),
    async confirm(batch) {
      written += batch.length
    },
  })
  const handles = handlesUpTo(MANY)
  const rounds: number[] = []
  const costs: number[] = []
  const before = heap()
  for (let round = 0; round < 3; round++) {
    written = 0
    const cpu = process.cpuUsage()
    await verifyAll(confirmations, handles, now + round * 60_000)
    costs.push(process.cpuUsage(cpu).user / MANY)
    rounds.push(written)
  }
  const bytes = (heap() - before) / MANY
  await confirmations.close()
  const [first = NaN, second = NaN, third = NaN] = rounds
  return [
    exactly('1,000,000 sessions in turn in one process: writes in the first round', MANY, first, ''),
    exactly('... in the second round', 0, second, ''),
    exactly('... in the third round', 0, third, ''),
    shown('... CPU of one in the first round', costs[0] ?? NaN, 'µs'),
    shown('... in the second round', costs[1] ?? NaN, 'µs'),
    shown('... memory of one', bytes, 'bytes'),
  ]
}

async function onPostgres(): Promise<readonly Promised[]> {
  const backend = await startPostgresBackend()
  const opened = await backend.open('confirm')
  await opened.close()
  await backend.load('confirm', { from: 0, count: SOME, perUser: 10, users: 'user-', state: 'unconfirmed' })
  await backend.settle()
  async function updates(): Promise<number> {
    // A connection reports what it did when it ends; those of the pools end after a moment.
    await pause(1500)
    const { rows } = await backend.client.query<{ n: string }>(
      'SELECT n_tup_upd AS n FROM pg_stat_user_tables WHERE relname = \'confirm_session\'')
    return Number(rows[0]?.n)
  }
  const handles = handlesUpTo(SOME)
  const counts: number[] = []
  async function round(confirmations: Confirmations): Promise<void> {
    const before = await updates()
    await verifyAll(confirmations, handles, now)
    counts.push(await updates() - before)
  }
  const [first, second] = [connect(), connect()]
  try {
    await round(first.confirmations)
    await round(first.confirmations)
    await round(second.confirmations)
  } finally {
    await first.close()
    await second.close()
    await backend.stop()
  }
  const [one = NaN, two = NaN, other = NaN] = counts
  return [
    exactly('30,000 sessions on PostgreSQL: rows updated in the first round', SOME, one, ''),
    exactly('... in the second round', 0, two, ''),
    exactly('... in the first round of a second process', 0, other, ''),
  ]

  function connect(): { readonly confirmations: Confirmations; close(): Promise<void> } {
    const pool = new pg.Pool({ connectionString: backend.place, idleTimeoutMillis: 100 })
    const store = createPostgresStore(pool, { prefix: 'confirm_' })
    return {
      confirmations: createCounted(store),
      async close() {
        await store.close()
        await pool.end()
      },
    }
  }
}

function heap(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
