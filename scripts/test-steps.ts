// Runs the named steps of npm test and sums them up. `npm test -- unit stores` runs only those, and `npm run check` the
// quick ones; anything after the names goes to Vitest, so `npm test -- unit src/tokens` runs part of a step.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../test/support/servers/programs.ts'
import type { SoftwareName } from '../test/support/servers/programs.ts'
import { provision } from './provision.ts'
import {
  lastLine, listFailures, type Outcome, outcomeOf, outcomeOfRunner, type TestRun, total,
} from './test-outcome.ts'
import { reportPath } from './test-reporter.ts'

type Command = readonly [program: string, ...args: string[]]

/** A step that checks the sources: all its commands must succeed. */
interface Check {
  readonly name: string
  readonly commands: readonly Command[]
}

/** A step that is a project of Vitest. */
interface Project {
  readonly name: string
  /** Software without which none of its tests run. */
  readonly needs?: readonly SoftwareName[]
  /** Software that more of its tests need; without it they skip themselves. */
  readonly uses?: readonly SoftwareName[]
  /** Whether it takes minutes. Long projects run if `CI=true`, or if they are named. */
  readonly isLong?: true
}

/** What `npm run check` runs: less than a minute, and nothing to fetch. The contracts of two stores are in `unit`. */
const quick = ['types', 'architecture', 'lint', 'unit']

/**
 * What runs only with `CI=true`, like the long projects, or by name: the same laws on further drivers, settings, versions
 * and browsers; other people's compilers, fuzzers and package managers; and what kills and restarts servers for minutes.
 */
const leftToCi: readonly string[] = [
  'test/day/**', 'test/session/laws/laws.test.ts',
  ...[
    'bun-sql', 'import-*', 'laws', 'libsql', 'mysql-{faults,other-settings,rows,settings}', 'orms', 'other-settings',
    'pglite', 'postgres-{drivers,faults}', 'ready', 'redis-{cluster,failover,reshard,rights}', 'removal-races',
    'server-instances', 'servers', 'vercel-example', 'held-logins', 'hyperdrive', 'closing', 'ending',
  ].map((name) => `test/stores/${name}.test.ts`),
  ...[
    'api-linters', 'console-fuzzer', 'django-docs', 'fuzzer', 'generated-clients', 'go-*', 'killed', 'python-*',
    'restarts', 'address', 'inputs', 'shutdown', 'dynamic-applications', 'traces',
  ].map((name) => `test/server/${name}.test.ts`),
  ...['bundlers', 'lint', 'site', 'tools', 'type-mutants', 'types', 'typescript', 'writing-a-store', 'samples']
    .map((name) => `test/package/${name}.test.ts`),
  ...['mutants', 'next', 'nitro', 'start-pages', 'sveltekit'].map((name) => `test/frameworks/${name}.test.ts`),
  ...['cloudflare-stores', 'store-contract'].map((name) => `test/runtimes/${name}.test.ts`),
  ...[
    'client-*', 'console-{access,operators,pages,safety,states}', 'identity-provider', 'import', 'lighthouse', 'origin',
    'page-{access,devices,theft}', 'rendered-pages', 'sdk-{anti-csrf,busy,python}', 'start-spa', 'step-up',
  ].map((name) => `test/e2e/${name}.test.ts`),
]

type StepOutcome = readonly [step: string, outcome: Outcome]

const root = join(import.meta.dirname, '..')
const isCi = process.env['CI'] === 'true'
/** Ends what hangs, before whatever runs the tests does and no summary is printed. */
const commandLimit = 75 * 60_000

const checks: readonly Check[] = [
  {
    name: 'types',
    commands: [
      ['tsc', '-b', 'src'],
      ['tsc', '-p', 'tsconfig.test.json'],
      ['tsc', '-p', 'console'],
      // The step `package` compiles them against the packed package, with older compilers too.
      ...['edge', 'server', 'browser', 'commonjs'].map((name): Command => (
        ['tsc', '-p', `test/types/${name}`, '--skipLibCheck']
      )),
    ],
  },
  { name: 'architecture', commands: [['node', 'scripts/check-architecture.ts']] },
  // Many of its rules need types. Who imports the package by its name has those of its declarations.
  { name: 'lint', commands: [['tsc', '-b', 'src'], ['oxlint']] },
]

const projects: readonly Project[] = [
  { name: 'unit' },
  { name: 'simulation' },
  { name: 'long', isLong: true, uses: ['postgres', 'pgbouncer'] },
  { name: 'frameworks' },
  { name: 'runtimes' },
  { name: 'package' },
  { name: 'server', uses: ['systemd'] },
  { name: 'stores', uses: ['postgres', 'pgbouncer', 'mariadb', 'mysql', 'redis', 'valkey'] },
  { name: 'e2e', needs: ['chromium'], uses: isCi ? ['firefox'] : [] },
]

async function runCheck({ name, commands }: Check): Promise<Outcome> {
  for (const command of commands) {
    const { succeeded, output } = await run(command, 'shown and kept')
    const failure = { step: name, where: command.join(' '), title: 'failed', message: output }
    if (!succeeded) return { passed: 0, failures: [failure], skipped: [] }
  }
  return { passed: 1, failures: [], skipped: [] }
}

/** Returns those of the projects that can run here, and the results of the others. */
async function prepare(
  selected: readonly Project[],
): Promise<{ ready: readonly Project[]; skipped: readonly StepOutcome[] }> {
  const missing = await provision(selected.flatMap(({ needs = [], uses = [] }) => [...needs, ...uses]))
  const lackedBy = ({ needs = [] }: Project): readonly SoftwareName[] => needs.filter((name) => missing.includes(name))
  const skipped = selected.filter((project) => lackedBy(project).length > 0)
  for (const project of skipped) {
    console.log(`keyturn: step ${project.name} does not run without ${lackedBy(project).join(', ')}`)
  }
  // A Go toolchain is too much to install for the tests alone.
  if (selected.some(({ name }) => name === 'server') && findProgram('go') === null) {
    console.log('keyturn: Go is not installed: the Go SDK and a generated Go client are not tested')
  }
  return {
    ready: selected.filter((project) => !skipped.includes(project)),
    skipped: skipped.map(({ name }) => [name, { passed: 0, failures: [], skipped: [`step ${name}`] }]),
  }
}

/** One Vitest run for all projects: their files share the workers, and no worker is idle before the end. */
async function vitest(names: readonly string[], args: readonly string[]): Promise<readonly StepOutcome[]> {
  rmSync(reportPath, { force: true })
  const { succeeded } = await run([
    'vitest', 'run', ...names.flatMap((name) => ['--project', name]),
    '--reporter=default', '--reporter=./scripts/test-reporter.ts', ...args,
  ], 'shown')
  const report = readReport()
  const outcomes = names.map((name): StepOutcome => [name, outcomeOf(report, name)])
  const runner = outcomeOfRunner(report, succeeded)
  return runner.failures.length === 0 ? outcomes : [...outcomes, ['vitest', runner]]
}

function readReport(): TestRun {
  try {
    return JSON.parse(readFileSync(reportPath, 'utf8'))
  } catch {
    return { files: [], errors: [{ message: `there is no report in ${reportPath}` }] }
  }
}

let running: ChildProcess | null = null
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Vitest first shuts down its workers and servers; then this process exits.
    running?.once('close', () => process.exit(1))
    if (running === null) process.exit(1)
    if (signal !== 'SIGINT' || !process.stdin.isTTY) running.kill(signal)
  })
}

async function run(
  [program, ...args]: Command,
  output: 'shown' | 'shown and kept' | 'ignored',
): Promise<{ readonly succeeded: boolean; readonly output: string }> {
  const stdio = ({ shown: 'inherit', 'shown and kept': 'pipe', ignored: 'ignore' } as const)[output]
  // On Windows, the programs of packages are scripts of its shell.
  const shell = process.platform === 'win32'
  const child = spawn(program, args, { cwd: root, stdio: ['inherit', stdio, stdio], timeout: commandLimit, shell })
  running = child
  const parts: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      parts.push(part)
      process.stdout.write(part)
    })
  }
  const [code, signal]: (number | string | null)[] = await once(child, 'close')
  running = null
  if (signal !== null) console.error(`keyturn: ${program} was stopped by ${signal}`)
  return { succeeded: code === 0, output: parts.join('') }
}

async function main(given: readonly string[]): Promise<void> {
  const args = given[0] === 'check' ? [...quick, ...given.slice(1)] : given
  const names = [...checks, ...projects].map(({ name }) => name)
  const firstOther = args.findIndex((arg) => !names.includes(arg))
  const named = firstOther === -1 ? args : args.slice(0, firstOther)
  const vitestArgs = args.slice(named.length)
  if (named.length === 0 && vitestArgs.length > 0) {
    console.error(`keyturn: no step is called ${vitestArgs[0]}; there are: check, ${names.join(', ')}`)
    process.exitCode = 1
    return
  }
  const isSelected = ({ name, isLong }: { readonly name: string; readonly isLong?: true }): boolean => (
    named.length === 0 ? isLong !== true || isCi : named.includes(name)
  )
  const began = Date.now()
  const outcomes: StepOutcome[] = []
  for (const check of checks.filter(isSelected)) outcomes.push([check.name, await runCheck(check)])
  const selected = projects.filter(isSelected)
  if (selected.length > 0) {
    const { ready, skipped } = await prepare(selected)
    outcomes.push(...skipped)
    const leavesOut = named.length === 0 && !isCi
    const excluded = leavesOut ? leftToCi.flatMap((glob) => ['--exclude', glob]) : []
    if (leavesOut) console.log('keyturn: what takes minutes runs with CI=true, or by name: npm test -- stores')
    if (ready.length > 0) outcomes.push(...await vitest(ready.map(({ name }) => name), [...excluded, ...vitestArgs]))
  }

  console.log('')
  for (const [name, outcome] of outcomes) console.log(`${name.padEnd(14)}${lastLine(outcome)}`)
  const sum = total(outcomes.map(([, outcome]) => outcome), isCi)
  for (const name of sum.skipped) console.log(`skipped: ${name}`)
  for (const line of listFailures(sum.failures)) console.log(line)
  console.log(`in ${Math.round((Date.now() - began) / 1000)} s`)
  console.log(lastLine(sum))
  process.exitCode = sum.failures.length === 0 ? 0 : 1
}

await main(process.argv.slice(2))
