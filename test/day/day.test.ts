import { test } from 'vitest'
import { canRun, runDay } from './support/run-day.ts'

const title = 'OPS-01: a short day in production ends no honest session, accepts no revoked one, leaves nothing behind'

test.skipIf(!canRun)(title, async () => {
  await runDay({ sessions: 60, seed: 2, rounds: 1, quiet: 20_000, activity: 0.5 })
}, 600_000)
