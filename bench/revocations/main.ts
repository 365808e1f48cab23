import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import type { RevocationCost } from './child.ts'

const MOST_BYTES = 90
const MOST_ADDED = 0.1

/** Measures what a million revoked sessions cost a process, and fails if it exceeds the promise. */
export async function measureRevocations(): Promise<void> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--max-semi-space-size=64'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [cost] = await once(child, 'message') as [RevocationCost]
  const { bytesEach, few, many, longestPrune } = cost
  writeReport('revocations', { machine: machine(), ...cost }, [
    '# A million revoked sessions in one process',
    '',
    'As many as are revoked in an hour at 280 a second. Repeat with `npm run bench -- revocations`.',
    '',
    machine(),
    '',
    '| what | must | measured |',
    '|---|--:|--:|',
    `| memory of each, bytes | <= ${MOST_BYTES} | ${bytesEach.toFixed(0)} |`,
    `| verification of a cached token, µs of CPU, 64 live sessions: none revoked | | ${few.empty.toFixed(2)} |`,
    `| ... a million revoked | | ${few.full.toFixed(2)} |`,
    `| added | <= ${MOST_ADDED} | ${few.added.toFixed(3)} |`,
    `| added with 1,000 live sessions | | ${many.added.toFixed(3)} |`,
    `| longest stop for forgetting them, ms | | ${longestPrune.toFixed(2)} |`,
    '',
    'The sessions take turns; the added time is the median of the differences of 15 rounds. With many of them it is the time '
      + 'that memory takes to answer: each look-up reads a part of the table that is in no cache of the processor.',
  ])
  if (bytesEach > MOST_BYTES || few.added > MOST_ADDED) process.exitCode = 1
}
