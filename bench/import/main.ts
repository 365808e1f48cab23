import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'

// The cost of starting an application: fresh processes that each import one module, in alternation.

const ROUNDS = 31
const MOST_RSS = 8

const child = fileURLToPath(new URL('child.mjs', import.meta.url))
const built = (path: string): string => new URL(`../../dist/${path}.js`, import.meta.url).href

/** The modules that are imported; the empty name imports nothing. */
const modules: Readonly<Record<string, string>> = {
  'nothing': '',
  'node:crypto': 'node:crypto',
  'keyturn': built('index'),
  'keyturn/verify': built('verify'),
  'keyturn/frameworks/express': built('frameworks/express'),
  'keyturn/stores/sqlite': built('stores/sqlite'),
  'jose': 'jose',
  'fast-jwt': 'fast-jwt',
  'iron-session': 'iron-session',
  'express-session': 'express-session',
  '@fastify/secure-session': '@fastify/secure-session',
  'supertokens-node + session recipe': 'supertokens-node/recipe/session/index.js',
  'better-auth': 'better-auth',
}

/** The cost of one process: milliseconds, and resident memory at its end in megabytes (10^6 bytes). */
interface Start {
  /** By the clock, around the import. */
  readonly time: number
  /** CPU of all threads, around the import. */
  readonly cpu: number
  /** CPU of the whole process, from its start. */
  readonly processCpu: number
  readonly rss: number
  /** How many files were loaded, of the module and of its imports, without Node's own. */
  readonly files: number
}

/** A figure and what it must be. */
interface Promised {
  readonly what: string
  readonly must: string
  readonly value: number
  readonly reached: boolean
}

type Round = Readonly<Record<string, Start>>

function start(mode: 'time' | 'count', specifier: string): Start {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, mode, specifier], {
    encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' },
  })
  if (status !== 0) throw new Error(`${specifier} cannot be imported: ${stderr}`)
  return JSON.parse(stdout) as Start
}

/** Measures what importing the core entry costs beside its peers. */
export async function compareImports(): Promise<void> {
  const names = Object.keys(modules)
  const rounds: Round[] = []
  // The first round brings the files into the page cache; it counts the files, and its times do not count.
  const files = Object.fromEntries(names.map(name => [name, start('count', modules[name] ?? '').files]))
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(Object.fromEntries(names.map(name => [name, start('time', modules[name] ?? '')])))
  }
  report(rounds, files)
}

function report(rounds: readonly Round[], files: Readonly<Record<string, number>>): void {
  const names = Object.keys(modules)
  const of = (round: Round, name: string, column: keyof Start): number => round[name]?.[column] ?? Number.NaN
  const middle = (name: string, column: keyof Start): number => median(rounds.map(round => of(round, name, column)))
  const promise = (what: string, name: string, column: 'time' | 'cpu', most: number): Promised => {
    const value = median(rounds.map(round => of(round, name, column) / of(round, 'jose', column)))
    return { what, must: `<= ${most.toFixed(2)}`, value, reached: value <= most }
  }
  const extraRss = (name: string): number => (
    median(rounds.map(round => of(round, name, 'rss') - of(round, 'nothing', 'rss')))
  )
  const promises: readonly Promised[] = [
    promise('import of the core entry: time / jose\'s', 'keyturn', 'time', 0.35),
    promise('the same by CPU', 'keyturn', 'cpu', 0.35),
    promise('import of the Express adapter: time / jose\'s', 'keyturn/frameworks/express', 'time', 0.3),
    promise('the same by CPU', 'keyturn/frameworks/express', 'cpu', 0.3),
    {
      what: 'memory over bare Node, MB', must: `<= ${MOST_RSS}`, value: extraRss('keyturn'),
      reached: extraRss('keyturn') <= MOST_RSS,
    },
  ]
  const medians = Object.fromEntries(names.map(name => [name, {
    time: middle(name, 'time'), cpu: middle(name, 'cpu'), processCpu: middle(name, 'processCpu'), rss: extraRss(name),
    files: files[name],
  }]))
  writeReport('import', { machine: machine(), rounds: ROUNDS, medians, promises }, [
    '# Import',
    '',
    `A fresh process imports one module, as built and without a bundler: ${ROUNDS} rounds, in each every module once. `
      + 'Repeat with `npm run bench -- import`.',
    '',
    machine(),
    '',
    '| promise | must | measured | |',
    '|---|--:|--:|---|',
    ...promises.map(({ what, must, value, reached }) => (
      `| ${what} | ${must} | ${value.toFixed(2)} | ${reached ? 'reached' : '**missed**'} |`
    )),
    '',
    'A ratio is Keyturn\'s over jose\'s, the median of the ratios of the rounds.',
    '',
    '| module | by the clock, ms | CPU, ms | CPU of the whole process, ms | memory over bare Node, MB | files |',
    '|---|--:|--:|--:|--:|--:|',
    ...names.toSorted((left, right) => middle(left, 'cpu') - middle(right, 'cpu')).map(name => {
      const columns = ['time', 'cpu', 'processCpu'] as const
      const values = columns.map(column => middle(name, column).toFixed(1))
      return `| ${name} | ${values.join(' | ')} | ${extraRss(name).toFixed(1)} | ${files[name]} |`
    }),
    '',
    '## Where it goes',
    '',
    'Most of it is the number of files: Node finds, reads, compiles and links each of them for about a quarter of a',
    'millisecond of CPU, even when it is empty. So the package is a bundle ([decision 11](../decisions/0011-bundled.md)). What',
    'need not be loaded is not:',
    '',
    '- The default store is loaded by its first call. An application that names another store never loads SQLite, and',
    '  `createSessions` opens no file.',
    '- `node:crypto` is loaded by the first call that needs it, and by `process.getBuiltinModule`: an `import` would',
    '  also load what it holds back until it is asked for, WebCrypto above all, for 3 ms of CPU.',
  ])
}
