// Runs the named steps of npm test, one after the other, and sums them up. `npm test -- unit stores` runs only those;
// anything after the names goes to Vitest, so `npm test -- unit src/tokens` runs part of a step.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../test/support/servers/programs.ts'
import type { SoftwareName } from '../test/support/servers/programs.ts'
import { provision } from './provision.ts'
import { lastLine, type Outcome, outcomeOf, total } from './test-outcome.ts'

interface Step {
  readonly name: string
  /** What the machine must have for any of it to run. */
  readonly needs: readonly SoftwareName[]
  /** What makes more of it run; its tests skip themselves without. */
  readonly uses: readonly SoftwareName[]
  /** Whether it takes minutes: it runs where `CI=true`, or when it is named. */
  readonly isLong?: true
  run(vitestArgs: readonly string[]): Promise<Outcome>
}

type Output = 'inherit' | 'ignore'

const root = join(import.meta.dirname, '..')
const reports = join(root, '.cache', 'test')
const commandLimit = 20 * 60_000

const steps: readonly Step[] = [
  { name: 'types', needs: [], uses: [], run: checkTypes },
  { name: 'architecture', needs: [], uses: [], run: checkArchitecture },
  { name: 'unit', needs: [], uses: [], run: (args) => vitest('unit', args) },
  { name: 'long', needs: [], uses: [], isLong: true, run: (args) => vitest('long', args) },
  { name: 'frameworks', needs: [], uses: [], run: (args) => vitest('frameworks', args) },
  { name: 'runtimes', needs: [], uses: [], run: (args) => vitest('runtimes', args) },
  { name: 'package', needs: [], uses: [], run: (args) => vitest('package', args) },
  { name: 'server', needs: [], uses: ['systemd'], run: testServer },
  {
    name: 'stores',
    needs: [],
    uses: ['postgres', 'pgbouncer', 'mariadb', 'redis'],
    run: (args) => vitest('stores', args),
  },
  { name: 'e2e', needs: ['chromium'], uses: ['firefox'], run: (args) => vitest('e2e', args) },
]

async function checkTypes(): Promise<Outcome> {
  return single(await run('tsc', ['-b', 'src']) && await run('tsc', ['-p', 'tsconfig.test.json']))
}

async function checkArchitecture(): Promise<Outcome> {
  return single(await run('node', ['scripts/check-architecture.ts']))
}

async function testServer(args: readonly string[]): Promise<Outcome> {
  // A toolchain is more than the tests may ask of a machine.
  if (findProgram('go') === null) console.log('keyturn: there is no Go on this machine: the Go SDK is not tested')
  return vitest('server', args)
}

async function vitest(project: string, args: readonly string[]): Promise<Outcome> {
  mkdirSync(reports, { recursive: true })
  const report = join(reports, `${project}.json`)
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const endedWell = await run('vitest', ['run', '--project', project, ...reporters, ...args])
  try {
    return outcomeOf(JSON.parse(readFileSync(report, 'utf8')), endedWell)
  } catch {
    return single(false)
  }
}

let running: ChildProcess | null = null
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Vitest ends its workers and servers in order; what then remains of this process is nothing.
    running?.once('close', () => process.exit(1))
    if (running === null) process.exit(1)
    if (signal !== 'SIGINT' || !process.stdin.isTTY) running.kill(signal)
  })
}

async function run(command: string, args: readonly string[], output: Output = 'inherit'): Promise<boolean> {
  running = spawn(command, args, { cwd: root, stdio: output, timeout: commandLimit })
  const [code, signal]: (number | string | null)[] = await once(running, 'close')
  running = null
  if (signal !== null) console.error(`keyturn: ${command} was ended by ${signal}`)
  return code === 0
}

function single(passed: boolean): Outcome {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: [] }
}

async function perform(step: Step, vitestArgs: readonly string[]): Promise<Outcome> {
  console.log(`\n── ${step.name}`)
  const missing = provision([...step.needs, ...step.uses])
  const lacking = step.needs.filter((name) => missing.includes(name))
  if (lacking.length > 0) {
    console.log(`keyturn: step ${step.name} does not run without ${lacking.join(', ')}`)
    return { passed: 0, failed: 0, skipped: [`step ${step.name}`] }
  }
  return step.run(vitestArgs)
}

async function main(args: readonly string[]): Promise<void> {
  const isStep = (arg: string): boolean => steps.some(({ name }) => name === arg)
  const firstOther = args.findIndex((arg) => !isStep(arg))
  const names = firstOther === -1 ? args : args.slice(0, firstOther)
  const vitestArgs = args.slice(names.length)
  if (names.length === 0 && vitestArgs.length > 0) {
    console.error(`keyturn: no step is called ${vitestArgs[0]}; there are: ${steps.map(({ name }) => name).join(', ')}`)
    process.exitCode = 1
    return
  }
  const isSelected = ({ name, isLong }: Step): boolean => (
    names.length === 0 ? isLong !== true || process.env['CI'] === 'true' : names.includes(name)
  )
  const selected = steps.filter(isSelected)
  const began = Date.now()
  // Some tests use the built package. What the build has to say, the step `types` says.
  if (!selected.some(({ name }) => name === 'types')) await run('tsc', ['-b', 'src'], 'ignore')
  const outcomes: [step: string, outcome: Outcome][] = []
  for (const step of selected) outcomes.push([step.name, await perform(step, vitestArgs)])

  console.log('')
  for (const [name, outcome] of outcomes) console.log(`${name.padEnd(14)}${lastLine(outcome)}`)
  const sum = total(outcomes.map(([, outcome]) => outcome), process.env['CI'] === 'true')
  for (const name of sum.skipped) console.log(`skipped: ${name}`)
  for (const name of sum.refusedSkips) console.log(`skipped, which CI=true counts as failed: ${name}`)
  console.log(`in ${Math.round((Date.now() - began) / 1000)} s`)
  console.log(lastLine(sum))
  process.exitCode = sum.failed === 0 ? 0 : 1
}

await main(process.argv.slice(2))
