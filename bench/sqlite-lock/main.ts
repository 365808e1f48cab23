import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { percentile } from '../scale-up/statistics.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import type { Answer, Order } from './child.ts'

// A server on SQLite, while this process holds the write lock of its file for three seconds, again and again.

const ROUNDS = 5
const LOCKED_MS = 3000
const BOUND_MS = 20

interface Round {
  /** How long the request waited, in milliseconds. */
  readonly login: number
  readonly refresh: number
  readonly failed: readonly string[]
}

interface Latencies {
  readonly verifications: number[]
  readonly reads: number[]
}

/** Measures requests that need no lock, and logins and refreshes that do (L-30). */
export async function measureSqliteLock(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-lock-'))
  const file = join(directory, 'sessions.db')
  const server = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [file], {
    execArgv: ['--conditions=keyturn-source'],
    env: { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' },
  })
  await answerOf(server, 'measuring')
  const rounds: Round[] = []
  const free: Latencies = { verifications: [], reads: [] }
  const locked: Latencies = { verifications: [], reads: [] }
  const other = new DatabaseSync(file)
  for (let round = 0; round < ROUNDS; round++) {
    await during(server, free, () => pause(LOCKED_MS))
    await during(server, locked, async () => void rounds.push(await lockedRound(server, other)))
  }
  other.close()
  server.disconnect()
  rmSync(directory, { recursive: true })
  report(free, locked, rounds)
}

/** Holds the lock. A login and a refresh begin at once. */
async function lockedRound(server: ChildProcess, other: DatabaseSync): Promise<Round> {
  other.exec('BEGIN IMMEDIATE')
  const calls = Promise.all([ask(server, 'login', 'login'), ask(server, 'refresh', 'refresh')])
  await pause(LOCKED_MS)
  other.exec('ROLLBACK')
  const [login, refresh] = await calls
  return { login: login.took, refresh: refresh.took, failed: [login, refresh].flatMap(({ error }) => error ?? []) }
}

/** Adds the latencies of the requests that were due while the work went on. */
async function during(server: ChildProcess, into: Latencies, work: () => Promise<void>): Promise<void> {
  await ask(server, 'measure', 'measuring')
  await work()
  const { verifications, reads } = await ask(server, 'report', 'report')
  into.verifications.push(...verifications)
  into.reads.push(...reads)
}

type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { readonly kind: Kind }>

function ask<Kind extends Answer['kind']>(server: ChildProcess, order: Order, kind: Kind): Promise<AnswerOf<Kind>> {
  const answer = answerOf(server, kind)
  server.send(order)
  return answer
}

function answerOf<Kind extends Answer['kind']>(server: ChildProcess, kind: Kind): Promise<AnswerOf<Kind>> {
  const isWanted = (answer: Answer): answer is AnswerOf<Kind> => answer.kind === kind
  return new Promise(resolve => {
    const take = (answer: Answer): void => {
      if (!isWanted(answer)) return
      server.off('message', take)
      resolve(answer)
    }
    server.on('message', take)
  })
}

function report(free: Latencies, locked: Latencies, rounds: readonly Round[]): void {
  const row = (what: string, when: string, values: readonly number[], must: boolean): string => {
    const [p50, p99, longest] = [percentile(values, 0.5), percentile(values, 0.99), Math.max(...values)]
    const judged = must ? `< ${BOUND_MS} | ${p99 < BOUND_MS ? 'reached' : '**missed**'}` : '|'
    return `| ${what} | ${when} | ${values.length} | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${judged} | ${longest.toFixed(1)} |`
  }
  const failed = rounds.flatMap(round => round.failed)
  const afterwards = (values: readonly number[]): string => {
    const late = values.map(value => value - LOCKED_MS)
    return `${percentile(late, 0.5).toFixed(0)} ms at the median, ${Math.max(...late).toFixed(0)} ms at most`
  }
  const shown = (values: readonly number[]) => ({
    count: values.length, p50: percentile(values, 0.5), p99: percentile(values, 0.99), longest: Math.max(...values),
  })
  writeReport('sqlite-lock', {
    machine: machine(), rounds,
    free: { verifications: shown(free.verifications), reads: shown(free.reads) },
    locked: { verifications: shown(locked.verifications), reads: shown(locked.reads) },
  }, [
    '# A lock of another process on a SQLite file',
    '',
    `Another process holds the write lock of the file for ${LOCKED_MS / 1000} s, ${ROUNDS} times. The server gets 1,000 requests a `
      + 'second: four of five are verifications whose token is in the cache, the fifth reads the data of a session from the file. '
      + 'Each is measured in milliseconds from the time when it was due, so that a stop of the event loop makes all of them late. '
      + 'Repeat with `npm run bench -- sqlite-lock`; on a machine that does other work, put `chrt -f 1` before it, as was done here.',
    '',
    machine(),
    '',
    '| what | the lock | requests | p50 | p99 | p99 must | | longest |',
    '|---|---|--:|--:|--:|--:|---|--:|',
    row('verification', 'free', free.verifications, false),
    row('verification', 'held', locked.verifications, true),
    row('session read', 'free', free.reads, false),
    row('session read', 'held', locked.reads, true),
    '',
    `Each time, a login and a refresh begin just after the lock was taken. ${failed.length === 0 ? 'All' : `**${2 * ROUNDS - failed.length}**`} of `
      + `${2 * ROUNDS} succeeded: the logins ${afterwards(rounds.map(({ login }) => login))} after the ${LOCKED_MS / 1000} s, `
      + `the refreshes ${afterwards(rounds.map(({ refresh }) => refresh))}.`,
  ])
  const isSlow = [locked.verifications, locked.reads].some(values => percentile(values, 0.99) >= BOUND_MS)
  if (failed.length > 0 || isSlow) process.exitCode = 1
}
