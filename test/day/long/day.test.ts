import { test } from 'vitest'
import { canRun, runDay } from '../support/run-day.ts'

const title = 'OPS-01: a day in production ends no honest session, accepts no revoked one, leaves nothing behind'

test.skipIf(!canRun)(title, async () => {
  // `DAY_SEED` repeats a day. What the processes and the network do at the same time is not repeated.
  const seed = Number(process.env['DAY_SEED'] ?? Date.now() % 1_000_000)
  await runDay({ sessions: 2_000, seed, rounds: 2, quiet: 150_000, activity: 0.08 })
}, 2_400_000)
