import { expect } from 'vitest'
import type { DayResult } from '../day.ts'
import type { ProcessState } from './messages.ts'
import type { World } from './world.ts'

/** The heap may grow by so much between noon and evening. */
const GROWTH = 1.05

/** What must have happened, and what must not have. `total` was counted in all processes of the day. */
export async function judgeDay(world: World, result: DayResult, total: ProcessState): Promise<void> {
  const { ledger, stopped } = world
  const { events } = total
  expect(ledger.faults).toEqual([])

  // Each fault has happened to somebody.
  const phases = ledger.phases
  const outages = phases.filter(name => /^(killed database|silent network|failover)/.test(name))
  expect(outages.length).toBeGreaterThanOrEqual(3)
  for (const outage of outages) {
    expect(ledger.counted('store calls under way when the store went away', outage), outage).toBeGreaterThan(0)
  }
  for (const outage of outages.filter(name => !name.startsWith('failover'))) {
    expect(ledger.counted('visit 200', outage), outage).toBeGreaterThan(0)
    expect(ledger.counted('login 503', outage), outage).toBeGreaterThan(0)
    expect(ledger.counted('ended: revoked', outage), outage).toBeGreaterThan(0)
  }
  // The store repeats a rotation whose connection broke, so a killed database may be back before any refresh fails.
  expect(ledger.counted('refresh 503')).toBeGreaterThan(0)
  expect(events['unchecked']).toBeGreaterThan(0)
  expect(ledger.counted('process stopped amid requests')).toBe(4)
  expect(ledger.counted('connections cut', 'failover')).toBeGreaterThan(0)
  expect(ledger.counted('lost login')).toBeGreaterThan(0)
  expect(ledger.counted('session whose revocation is lost: refresh 200')).toBeGreaterThan(0)
  expect(events['refreshed: adopt']).toBeGreaterThan(0)
  for (const how of ['rotate', 'early', 'retry', 'branch']) expect(events[`refreshed: ${how}`], how).toBeGreaterThan(0)
  for (const careless of ['jar fell back', 'refresh: answer lost']) {
    expect(ledger.counted(careless), careless).toBeGreaterThan(0)
  }
  for (const how of ['revoked', 'user revoked', 'signed out', 'everybody revoked']) {
    expect(ledger.counted(`ended: ${how}`), how).toBeGreaterThan(0)
    expect(ledger.counted(`${how} session, due: visit 401`), how).toBeGreaterThan(0)
  }
  expect([...result.keys.evening].filter(kid => result.keys.morning.has(kid))).toEqual([])

  // One session was stolen, and no other was taken for stolen.
  expect(ledger.counted('thief 401')).toBe(1)
  const suspicions = Object.keys(events).filter(name => /^(theft|shared|rejected|misconfiguration)/.test(name))
  expect(suspicions).toEqual(['theft'])
  expect(events['theft']).toBe(1)

  // What the processes hold.
  const resources = result.started.map(measured => measured.resources)
  expect(result.evening.map(measured => measured.resources)).toEqual(resources)
  expect(result.noon.map(measured => measured.resources)).toEqual(resources)
  for (const [index, { heap }] of result.evening.entries()) {
    expect(heap / (result.noon[index]?.heap ?? 0), `heap of process ${index}`).toBeLessThan(GROWTH)
  }

  // Every process ended by itself, and none had anything to say.
  expect(stopped.map(({ code, output }) => [code, output])).toEqual(stopped.map(() => [0, '']))
  expect(stopped).toHaveLength(8)
}

/** What the day measured, for the log of the test. */
export function describeDay(world: World, result: DayResult, total: ProcessState): string {
  const { revokedAfter, noon, evening, started } = result
  const heaps = evening.map(({ heap }, index) => `${megabytes(noon[index]?.heap)} and ${megabytes(heap)}`)
  return [
    world.ledger.report(),
    `events: ${JSON.stringify(total.events)}`,
    `errors that were answered: ${JSON.stringify(total.errors)}`,
    `calls of the store: ${JSON.stringify(total.storeCalls)}`,
    `a revoked session was refused by all processes after ${revokedAfter.join(' and ')} ms`,
    `heap at noon and in the evening: ${heaps.join('; ')}`,
    `open handles at the start: ${JSON.stringify(started.map(({ resources }) => resources))}`,
    `open handles in the evening: ${JSON.stringify(evening.map(({ resources }) => resources))}`,
  ].join('\n')
}

function megabytes(bytes = 0): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}
