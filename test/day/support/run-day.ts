import { liveDay } from '../day.ts'
import type { DaySettings } from '../day.ts'
import { missingSoftware } from '../../support/servers/programs.ts'
import { describeDay, judgeDay } from './report.ts'
import { startWorld } from './world.ts'

/** Whether the day can be lived here. With `CI=true` nothing is left out. */
export const canRun: boolean = process.env['CI'] === 'true' || missingSoftware(['postgres', 'pgbouncer']).length === 0

/** Lives a day, prints what it measured, and judges it. */
export async function runDay(settings: Omit<DaySettings, 'log'>): Promise<void> {
  const log = (line: string): void => console.log(line)
  log(`a day: the seed is ${settings.seed}`)
  // The caches of verified tokens are full before noon, as they are in production.
  const world = await startWorld({ tokenCacheSize: Math.ceil(settings.sessions / 8) })
  try {
    const result = await liveDay(world, { ...settings, log })
    const total = await world.total()
    await world.stopAll()
    log(describeDay(world, result, total))
    await judgeDay(world, result, total)
  } catch (error) {
    log(world.ledger.report())
    log(world.ledger.faults.slice(0, 50).join('\n'))
    throw error
  } finally {
    await world.close()
  }
}
