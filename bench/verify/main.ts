import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import type { Slice } from './child.ts'
import type { SetUp } from './contender.ts'
import { median, ratios } from './ratios.ts'
import type { Medians } from './ratios.ts'

// From Node's request object to the session, in process: one process per contender, and slices of work in alternation.

const ROUNDS = 15
const SLICE_MILLISECONDS = 150

const files = ['limits', 'keyturn', 'jwt-libraries', 'supertokens', 'better-auth', 'cookie-sessions']

interface Contestant {
  readonly name: string
  readonly process: ChildProcess
}

async function start(file: string): Promise<Contestant[]> {
  const path = fileURLToPath(new URL(`contenders/${file}.ts`, import.meta.url))
  const { setUps }: { setUps: Readonly<Record<string, SetUp>> } = await import(path)
  const contestants: Contestant[] = []
  for (const name of Object.keys(setUps)) {
    const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [path, name], {
      execArgv: ['--expose-gc', '--max-semi-space-size=64'],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (first === 'ready') contestants.push({ name, process: child })
    else console.error(`${name} could not be set up`)
  }
  return contestants
}

async function slice({ process: child }: Contestant): Promise<Slice> {
  child.send(SLICE_MILLISECONDS)
  const [result] = await once(child, 'message')
  return result as Slice
}

export async function compareVerification(): Promise<void> {
  const contestants: Contestant[] = []
  for (const file of files) contestants.push(...await start(file))
  const rounds: Medians[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const results: Record<string, Slice> = {}
    for (const contestant of contestants) results[contestant.name] = await slice(contestant)
    rounds.push(results)
  }
  for (const { process: child } of contestants) {
    child.send(0)
    await once(child, 'exit')
  }
  report(rounds)
}

function report(rounds: readonly Medians[]): void {
  const names = Object.keys(rounds[0] ?? {})
  const middle = (name: string, column: keyof Slice): number => median(rounds.map(round => round[name]?.[column] ?? 0))
  const medians: Medians = Object.fromEntries(names.map(name => [name, {
    operations: middle(name, 'operations'), cpu: middle(name, 'cpu'), time: middle(name, 'time'), heap: middle(name, 'heap'),
  }]))
  const promises = ratios(rounds, medians)
  writeReport('verify', { machine: machine(), rounds: ROUNDS, medians, promises }, [
    '# Verification in process',
    '',
    'From Node\'s request object to the session of the request, one process per contender, alternating slices of '
      + `${SLICE_MILLISECONDS} ms, ${ROUNDS} rounds; making the requests is not counted. Repeat with \`npm run bench -- verify\`.`,
    '"Hit": the token is in the cache. "Miss": twice as many tokens as the cache holds take turns, so that about four in ten are found. "No cache": `tokenCacheSize: 0`.',
    '',
    machine(),
    '',
    '| promise | must | measured | |',
    '|---|--:|--:|---|',
    ...promises.map(({ what, must, value, reached }) => (
      `| ${what} | ${must} | ${value < 10 ? value.toFixed(2) : value.toFixed(0)} | ${reached ? 'reached' : '**missed**'} |`
    )),
    '',
    'A ratio is the other\'s CPU per operation over Keyturn\'s, the median of the ratios of the rounds.',
    '',
    '| contender | CPU, µs | by the clock, µs | heap, bytes |',
    '|---|--:|--:|--:|',
    ...names.toSorted((left, right) => (medians[left]?.cpu ?? 0) - (medians[right]?.cpu ?? 0)).map(name => (
      `| ${name} | ${medians[name]?.cpu.toFixed(2)} | ${medians[name]?.time.toFixed(2)} | ${medians[name]?.heap.toFixed(0)} |`
    )),
  ])
}
