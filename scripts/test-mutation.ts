// Changes the sources of session, tokens and transport, one place at a time, and runs the tests on each change; then
// writes docs/mutation.md. `npm run test:mutation -- rules`, `-- session` or `-- FILE...` runs a part, and keeps the
// other rows. Flags, such as `--concurrency=1`, go to Stryker.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { explanations } from '../test/mutation/survivors.ts'
import { TestPackages } from '../test/support/install-packages.ts'
import { findFaults, isRule, readReport, type Results, writePage } from './mutation-report.ts'

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/mutation.md')
const stored = join(root, 'docs/mutation.json')
const reportsFolder = join(root, '.cache/mutation')

const modules = ['session', 'tokens', 'transport']
const sources = modules.flatMap((module) => globSync(`src/${module}/*.ts`, { cwd: root }))
  .map((path) => path.replaceAll('\\', '/')).filter((path) => !path.endsWith('.test.ts')).sort()

/** The files that an argument stands for. */
function filesOf(argument: string): readonly string[] {
  if (argument === 'rules') return sources.filter(isRule)
  return sources.filter((file) => file === argument || file.startsWith(`src/${argument}/`))
}

const readStored = (): Results => existsSync(stored) ? JSON.parse(readFileSync(stored, 'utf8')) : {}

/** Runs Stryker on the files. Returns their results, or null if it failed. `name` is that of its report. */
async function mutate(
  program: string,
  name: string,
  files: readonly string[],
  flags: readonly string[],
): Promise<Results | null> {
  if (files.length === 0) return {}
  const report = join(reportsFolder, 'report.json')
  rmSync(report, { force: true })
  const child = spawn(process.execPath, [
    program, 'run', 'test/mutation/stryker.config.mjs', '--mutate', files.join(), ...flags,
  ], { cwd: root, stdio: 'inherit' })
  const [code] = await once(child, 'close')
  if (code !== 0 || !existsSync(report)) return null
  renameSync(join(reportsFolder, 'report.html'), join(reportsFolder, `${name}.html`))
  return readReport(JSON.parse(readFileSync(report, 'utf8')), new Date().toISOString().slice(0, 10))
}

async function main(args: readonly string[]): Promise<void> {
  const given = args.filter((arg) => !arg.startsWith('--'))
  const flagsGiven = args.filter((arg) => arg.startsWith('--'))
  const unknown = given.find((argument) => filesOf(argument).length === 0)
  if (unknown !== undefined) {
    console.error(`keyturn: ${unknown} is neither rules, ${modules.join(', ')} nor a file of them`)
    process.exitCode = 1
    return
  }
  const packages = new TestPackages('mutation', ['--ignore-scripts', '--legacy-peer-deps'])
  packages.install('Stryker')
  const program = packages.find('Stryker', '@stryker-mutator/core/bin/stryker.js')
  const selected = given.length === 0 ? sources : [...new Set(given.flatMap(filesOf))]
  for (const [name, files, ...flags] of [
    ['rules', selected.filter(isRule)],
    // A mutant of a constant meets every test: that is affordable for few files.
    ['others', selected.filter((file) => !isRule(file)), '--ignoreStatic'],
  ] as const) {
    const found = program === null ? null : await mutate(program, name, files, [...flags, ...flagsGiven])
    if (found === null) {
      process.exitCode = 1
      return
    }
    const known: Results = { ...readStored(), ...found }
    const results: Results = Object.fromEntries(sources.flatMap((file) => (
      known[file] === undefined ? [] : [[file, known[file]]]
    )))
    writeFileSync(stored, `${JSON.stringify(results, null, 2)}\n`)
    writeFileSync(page, writePage(results, explanations))
  }
  const faults = findFaults(readStored(), explanations)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}

await main(process.argv.slice(2))
