// npm run bench:revision -- REVISION [WORKLOAD ...]: compares the working tree with an earlier revision, in one run.
import { fork, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'
import type { Slice } from './child.ts'

/** Two processes of one revision can differ by a tenth, by the order of compilation. So there are several of each. */
const PAIRS = 5
const ROUNDS = 7
const SLICE_MILLISECONDS = 200

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A workload, its number of calls in flight, and the most that its median CPU or time may be, as a ratio to before. */
interface Comparison {
  readonly workload: string
  readonly lanes: number
  readonly most: number
}

const comparisons: readonly Comparison[] = [
  { workload: 'hit', lanes: 1, most: 1.03 },
  { workload: 'miss', lanes: 1, most: 1.03 },
  { workload: 'bearer', lanes: 1, most: 1.03 },
  { workload: 'login', lanes: 1, most: 1.05 },
  { workload: 'memory', lanes: 1, most: 1.05 },
  { workload: 'sqlite', lanes: 1, most: 1.05 },
  ...['postgres', 'mariadb', 'redis'].flatMap(workload => [1, 16].map(lanes => ({ workload, lanes, most: 1.05 }))),
]

const titles: Readonly<Record<string, string>> = {
  hit: 'a verification, token in the cache',
  miss: 'a verification, token of a cookie not in the cache',
  bearer: 'a verification, bearer token not in the cache',
  login: 'a login, memory',
  memory: 'a refresh, memory',
  sqlite: 'a refresh, SQLite',
  postgres: 'a refresh, PostgreSQL',
  mariadb: 'a refresh, MariaDB',
  redis: 'a refresh, Redis',
}

/** Unpacks a revision below `.cache`, so that it finds the installed packages, and builds it. */
function build(revision: string): string {
  const commit = output('git', ['rev-parse', '--short=12', `${revision}^{commit}`]).trim()
  const folder = join(root, '.cache', 'revisions', commit)
  if (!existsSync(join(folder, 'dist'))) {
    mkdirSync(folder, { recursive: true })
    output('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', commit, folder])
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    output('npm', ['--prefix', folder, 'run', 'build'])
  }
  return folder
}

function output(command: string, parameters: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${stderr}${stdout}`)
  return stdout
}

async function start(folder: string, side: string, { workload }: Comparison, url: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [join(folder, 'dist'), side, workload, url], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  child.on('exit', code => {
    if (code !== null && code !== 0) throw new Error(`${side}: ${workload} has ended`)
  })
  await once(child, 'message')
  return child
}

async function slice(child: ChildProcess, lanes: number): Promise<Slice> {
  child.send({ milliseconds: SLICE_MILLISECONDS, lanes })
  const [result] = await once(child, 'message')
  return result as Slice
}

async function compare(folders: readonly [string, string], comparison: Comparison, url: string): Promise<Result> {
  const rounds: { readonly before: Slice; readonly after: Slice }[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const children = [
      await start(folders[0], `before${pair}`, comparison, url), await start(folders[1], `after${pair}`, comparison, url),
    ] as const
    for (let round = 0; round < ROUNDS; round++) {
      const isSwapped = round % 2 === 1
      const first = await slice(children[isSwapped ? 1 : 0], comparison.lanes)
      const second = await slice(children[isSwapped ? 0 : 1], comparison.lanes)
      rounds.push(isSwapped ? { before: second, after: first } : { before: first, after: second })
    }
    for (const child of children) child.kill()
  }
  const middle = (side: 'before' | 'after', column: keyof Slice): number => median(rounds.map(it => it[side][column]))
  const ratio = (column: keyof Slice): number => median(rounds.map(it => it.after[column] / it.before[column]))
  const result = {
    ...comparison, before: { cpu: middle('before', 'cpu'), time: middle('before', 'time') },
    after: { cpu: middle('after', 'cpu'), time: middle('after', 'time') }, cpuRatio: ratio('cpu'), timeRatio: ratio('time'),
  }
  console.log(titles[comparison.workload], comparison.lanes, result.cpuRatio.toFixed(3), result.timeRatio.toFixed(3))
  return result
}

interface Result extends Comparison {
  readonly before: Slice
  readonly after: Slice
  readonly cpuRatio: number
  readonly timeRatio: number
}

const [revision, ...chosen] = process.argv.slice(2)
if (revision === undefined) throw new Error('name a revision: npm run bench:revision -- REVISION')
const folders = [build(revision), root] as const
const starters: Readonly<Record<string, () => Promise<{ readonly url: string; remove(): Promise<void> }>>> = {
  postgres: () => startPostgres({}), mariadb: () => startMariadb({}), redis: () => startRedis(),
}
const results: Result[] = []
for (const workload of new Set(comparisons.map(comparison => comparison.workload))) {
  if (chosen.length > 0 && !chosen.includes(workload)) continue
  const server = await starters[workload]?.()
  for (const comparison of comparisons.filter(each => each.workload === workload)) {
    results.push(await compare(folders, comparison, server?.url ?? ''))
  }
  await server?.remove()
}

// The report is written only if all workloads ran.
if (chosen.length > 0) process.exit(0)
writeReport('revision', { machine: machine(), before: revision, pairs: PAIRS, rounds: ROUNDS, results }, [
  '# Beside an earlier revision',
  '',
  `The present code beside ${revision}, each in a process of its own: ${PAIRS} pairs of processes, each in ${ROUNDS}`,
  `alternating slices of ${SLICE_MILLISECONDS} ms. Node's request object goes in, a session or new tokens come out; every refresh`,
  'is a rotation. Databases are on the same machine and do not wait for the disk. Repeat with',
  '`npm run bench:revision -- REVISION`.',
  '',
  machine(),
  '',
  '| operation | in flight | CPU before, µs | CPU after, µs | CPU ratio | time ratio | at most |',
  '|---|--:|--:|--:|--:|--:|--:|',
  ...results.map(({ workload, lanes, before, after, cpuRatio, timeRatio, most }) => (
    `| ${titles[workload]} | ${lanes} | ${before.cpu.toFixed(2)} | ${after.cpu.toFixed(2)} | ${cpuRatio.toFixed(2)} `
      + `| ${timeRatio.toFixed(2)} | ${most} |`
  )),
  '',
  'A ratio is the median of the ratios of the rounds; CPU is that of the process that serves, without the database\'s.',
])
process.exit(0)
