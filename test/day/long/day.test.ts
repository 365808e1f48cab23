import { test } from 'vitest'
import { canRun, runDay } from '../support/run-day.ts'

test.skipIf(!canRun)('OPS-01: a day in production logs nobody out, accepts nothing revoked, and leaves nothing behind', async () => {
  const seed = Number(process.env['DAY_SEED'] ?? Date.now() % 1_000_000)
  await runDay({ sessions: 2_000, seed, rounds: 2, quiet: 300_000, activity: 0.08 })
}, 2_400_000)
