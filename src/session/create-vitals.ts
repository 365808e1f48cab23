import type { Scheduler } from '../base/scheduler.ts'
import type { Engine } from './engine.ts'
import { createHealth } from './health.ts'
import { createReadiness } from './readiness.ts'
import type { Vitals } from './vitals.ts'

/** Creates `ready` and `health` of an engine. `schedule` is not shortened at random, since callers wait for it. */
export function createVitals(engine: Engine, schedule: Scheduler): Vitals {
  return { ready: createReadiness(engine, schedule), health: createHealth(engine, schedule) }
}
