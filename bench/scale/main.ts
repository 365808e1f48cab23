import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeReport } from '../support/report.ts'
import { verification } from './cache.ts'
import { checkModel } from './check.ts'
import { simulate } from './model.ts'
import type { FleetResult, ModelledCall } from './model.ts'
import { needLines, needs } from './operators.ts'
import {
  BYTES_CACHED, BYTES_ENTRY, BYTES_HANDLE, CACHE_SIZE, postgres, RETENTION_SECONDS, TOKEN_SECONDS,
} from './parameters.ts'

// A simulation of a thousand processes and 100 million sessions, and its comparison with measurements.

const SESSIONS = 100_000_000
const PROCESSES = 1000
const ACTIVE = 10_000_000
const REQUESTS_PER_TOKEN = TOKEN_SECONDS / 10

/** Simulates the fleet, checks the model, and writes the report and the table of docs/scale.md. */
export async function simulateScale(): Promise<void> {
  const rates = [1, 38, 280, 1000].map(changesPerSecond => {
    // Each change is a thousand notifications to simulate.
    const seconds = changesPerSecond >= 280 ? 4 : 10
    const fleet = { ...postgres, processes: PROCESSES, changesPerSecond, expiriesPerSecond: changesPerSecond, seconds }
    return {
      changesPerSecond,
      pushed: simulate(fleet),
      unpaused: simulate({ ...fleet, pushPause: 0 }),
      polled: simulate({ ...fleet, push: false }),
    }
  })
  const idle = [0, 500, 999, 1000].map(count => ({
    count, result: simulate({ ...postgres, processes: PROCESSES, idle: count, seconds: 30 }),
  }))
  const refreshes = ACTIVE / TOKEN_SECONDS
  const routings = (['sticky', 'random'] as const).map(routing => {
    const seenBy = routing === 'sticky' ? 1 : PROCESSES * (1 - (1 - 1 / PROCESSES) ** REQUESTS_PER_TOKEN)
    return {
      routing, seenBy,
      ...verification(ACTIVE, PROCESSES, routing, REQUESTS_PER_TOKEN, CACHE_SIZE),
      fleet: simulate({
        ...postgres, processes: PROCESSES, changesPerSecond: 38, expiriesPerSecond: 38,
        confirmationsPerProcess: refreshes * seenBy / PROCESSES,
      }),
    }
  })
  const checks = checkModel()
  writeOperatorTable()
  const names: readonly ModelledCall[] = ['changesSince', 'confirm', 'listKeys', 'time', 'acquireLease', 'removeExpired']
  writeReport('scale', { rates, idle, routings, checks, needs: needs() }, [
    '# A thousand processes and 100 million sessions, simulated',
    '',
    'Deterministic. What follows from it is in [scale.md](../scale.md). Repeat with `npm run bench -- scale`.',
    '',
    `${PROCESSES} processes on one PostgreSQL with ${postgres.cores} cores; push and a poll each second, each timer shortened by a random part of up to `
      + `a fifth. A call keeps a core busy for ${postgres.callWork * 1000} µs, each session in a confirmation for ${postgres.confirmationWork * 1000} µs more, each one that the `
      + `cleanup removes for ${postgres.removalWork * 1000} µs more: estimates.`,
    '',
    '## The feed',
    '',
    '"All know" is the time until the last process knows of a revocation, in milliseconds.',
    '',
    '| changes/s | how | all know: p50 | p99 | readings/s per process | readings/s of the store | its busy cores | feed to a process, kB/s | its list, MB | rows of the log |',
    '|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rates.flatMap(({ changesPerSecond, pushed, unpaused, polled }) => [
      row(changesPerSecond, 'push', pushed), row(changesPerSecond, 'push, were there no pause of 50 ms', unpaused),
      row(changesPerSecond, 'polling alone', polled),
    ]),
    '',
    `${(SESSIONS / 1e6).toFixed(0)} million sessions that each end once in 30 days by a revocation make 38 changes a second. The log and the lists hold `
      + `what was revoked within ${RETENTION_SECONDS} s.`,
    '',
    '## Processes without requests',
    '',
    'A process that verifies nothing for 10 s stops following the log and reads it about every 18 s. All processes have started sessions before, so each '
      + 'asks for the lease of the cleanup once a minute. Calls per second of the whole fleet; nothing is revoked.',
    '',
    `| without requests | ${names.join(' | ')} | all | busy cores |`,
    `|--:|${names.map(() => '--:').join('|')}|--:|--:|`,
    ...idle.map(({ count, result }) => `| ${count} of ${PROCESSES} | ${callCells(names, result)} | ${result.busyCores.toFixed(3)} |`),
    '',
    '## Tokens that a process has not seen, and confirmations',
    '',
    `10 million of the sessions are active, each with a request every 10 s: 1,000 requests a second and process. ${CACHE_SIZE.toLocaleString('en')} tokens are `
      + `remembered (${(CACHE_SIZE * BYTES_CACHED / 1e6).toFixed(0)} MB). A token that the process has not seen costs a MAC. Each session is refreshed every `
      + `${TOKEN_SECONDS / 60} minutes, and each process that sees the new token later than a minute confirms it once. 38 changes a second.`,
    '',
    '| requests of a session | unseen tokens | CPU of a verification, µs | cores per process | processes that confirm a refresh | sessions confirmed/s '
      + `| ${names.join(' | ')} | all calls/s | busy cores of the store |`,
    `|---|--:|--:|--:|--:|--:|${names.map(() => '--:').join('|')}|--:|--:|`,
    ...routings.map(({ routing, unseen, cpu, seenBy, fleet }) => (
      `| ${routing === 'sticky' ? 'to one process' : 'to any process'} | ${(unseen * 100).toFixed(1)} % | ${cpu.toFixed(1)} `
      + `| ${(cpu * 1000 / 1e6).toFixed(3)} | ${seenBy.toFixed(0)} | ${fleet.confirmedPerSecond.toFixed(0)} | ${callCells(names, fleet)} | ${fleet.busyCores.toFixed(2)} |`
    )),
    '',
    '## What operators provide',
    '',
    ...needLines(),
    '',
    'The assumptions are in [scale.md](../scale.md).',
    '',
    '## The model beside measurements',
    '',
    '[latency.md](latency.md): one revocation every 37 ms and a little, and fleets that work steadily for two minutes. Calls per second and process; '
      + 'p50 and p99 until all know.',
    '',
    '| fleet | what | measured | model | differs by more than a third because |',
    '|---|---|--:|--:|---|',
    ...checks.map(({ fleet, what, measured, model, why }) => `| ${fleet} | ${what} | ${digits(measured)} | ${digits(model)} | ${why} |`),
  ])
}

function row(changesPerSecond: number, how: string, result: FleetResult): string {
  const { p50, p99, callsPerSecond: { changesSince }, busyCores } = result
  const listed = changesPerSecond * RETENTION_SECONDS
  return `| ${changesPerSecond} | ${how} | ${p50.toFixed(0)} | ${p99.toFixed(0)} | ${(changesSince / PROCESSES).toFixed(1)} | ${changesSince.toFixed(0)} `
    + `| ${busyCores.toFixed(2)} | ${(changesPerSecond * BYTES_ENTRY / 1000).toFixed(1)} | ${(listed * BYTES_HANDLE / 1e6).toFixed(1)} | ${listed} |`
}

/** The calls per second, and their sum. */
function callCells(names: readonly ModelledCall[], { callsPerSecond }: FleetResult): string {
  const all = names.reduce((sum, name) => sum + callsPerSecond[name], 0)
  return [...names.map(name => digits(callsPerSecond[name])), digits(all)].join(' | ')
}

const digits = (value: number): string => value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3)

/** Replaces the table of docs/scale.md, which stands between two comments. */
function writeOperatorTable(): void {
  const file = fileURLToPath(new URL('../../docs/scale.md', import.meta.url))
  const [begin, end] = ['<!-- table: npm run bench -- scale -->', '<!-- end of the table -->']
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error('docs/scale.md has no place for the table')
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${needLines().join('\n')}\n\n${text.slice(to)}`)
}
