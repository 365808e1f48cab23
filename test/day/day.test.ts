import { test } from 'vitest'
import { canRun, runDay } from './support/run-day.ts'

test.skipIf(!canRun)('OPS-01: a short day in production logs nobody out, accepts nothing revoked, and leaves nothing behind', async () => {
  await runDay({ sessions: 60, seed: 2, rounds: 1, quiet: 20_000, activity: 0.5 })
}, 600_000)
