// Runs the tests of each store on every version of its engine that can be had here, one engine at a time, and writes
// docs/engines.md. `npm run test:engines -- mysql redict` runs only those that are named, and keeps the other rows.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentFor, findServer, librariesFor, type SoftwareName } from '../test/support/servers/programs.ts'
import { type EngineResult, readResults, readRun, type VitestJson, writeTable } from './engine-table.ts'
import { provision } from './provision.ts'

interface Engine {
  readonly name: string
  readonly title: string
  /** What takes the place of the ordinary servers, the engine itself first. Empty for the project `engines`. */
  readonly software: readonly SoftwareName[]
  /** What the paths of its test files begin with. */
  readonly files: string
}

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/engines.md')
const report = join(root, '.cache/engines/run.json')

const engine = (title: string, files: string, ...software: readonly [SoftwareName, ...SoftwareName[]]): Engine => (
  { name: software[0], title, software, files: `test/stores/${files}` }
)

const engines: readonly Engine[] = [
  engine('PostgreSQL', 'postgres', 'postgres', 'pgbouncer'),
  engine('PostgreSQL', 'postgres', 'postgres-sid', 'pgbouncer-sid'),
  // The package has no pg_basebackup.
  engine('PostgreSQL', 'postgres', 'postgres-npm', 'postgres-sid', 'pgbouncer-sid'),
  engine('MariaDB', 'mysql', 'mariadb'),
  engine('MariaDB', 'mysql', 'mariadb-sid'),
  engine('MySQL', 'mysql', 'mysql'),
  engine('MySQL', 'mysql', 'mysql-8.0.15'),
  engine('Redis', 'redis', 'redis'),
  engine('Redis', 'redis', 'redis-6.2'),
  engine('Redis', 'redis', 'redis-sid'),
  engine('Redict', 'redis', 'redict'),
  engine('Valkey', 'redis', 'valkey'),
  { name: 'arrangements', title: 'Other arrangements', software: [], files: 'test/engines/' },
]

/** What the tests of the project `engines` start. */
const arrangementNeeds: readonly SoftwareName[] = ['mysql', 'redis', 'valkey', 'postgres', 'mariadb', 'galera']

async function main(named: readonly string[]): Promise<void> {
  const unknown = named.find((name) => !engines.some((each) => each.name === name))
  if (unknown !== undefined) {
    console.error(`keyturn: no engine is called ${unknown}; there are: ${engines.map(({ name }) => name).join(', ')}`)
    process.exitCode = 1
    return
  }
  const results = new Map(existsSync(page) ? readResults(readFileSync(page, 'utf8')) : [])
  for (const each of engines.filter(({ name }) => named.length === 0 || named.includes(name))) {
    const needs = each.software.length === 0 ? arrangementNeeds : each.software
    const missing = await provision(needs.flatMap((name) => [name, ...librariesFor(name)]))
    if (missing.length > 0) {
      console.log(`keyturn: ${each.name} does not run without ${missing.join(', ')}`)
      if (process.env['CI'] === 'true') process.exitCode = 1
      continue
    }
    const result = await runOn(each)
    results.set(each.name, result)
    if (result.failures > 0) process.exitCode = 1
    const known = engines.flatMap(({ name }) => results.get(name) ?? [])
    writeFileSync(page, writeTable(known))
    console.log(`${each.name}: ${result.passed} passed, ${result.failures} failed`)
  }
}

async function runOn({ name, title, software, files }: Engine): Promise<EngineResult> {
  mkdirSync(join(root, '.cache/engines'), { recursive: true })
  rmSync(report, { force: true })
  const project = software.length === 0 ? 'engines' : 'stores'
  const child = spawn('vitest', [
    'run', '--project', project, '--passWithNoTests',
    '--reporter=default', '--reporter=json', `--outputFile=${report}`, files,
  ], { cwd: root, stdio: 'inherit', env: { ...process.env, TEST_ENGINE: software.join(',') } })
  await once(child, 'close')
  const json: VitestJson = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { testResults: [{ name: files, status: 'failed', message: 'no report', assertionResults: [] }] }
  return {
    name,
    title,
    version: software.filter(isShown).map(versionOf).join(', '),
    date: new Date().toISOString().slice(0, 10),
    ...readRun(json),
  }
}

/** A second PostgreSQL only lends its tools to the first. */
function isShown(name: SoftwareName, index: number): boolean {
  return index === 0 || name.startsWith('pgbouncer')
}

/** What the program says with `--version`, without what is not the version. */
function versionOf(name: SoftwareName): string {
  const path = findServer(name)
  if (path === null) return ''
  const text = execFileSync(path, ['--version'], { encoding: 'utf8', env: { ...process.env, ...environmentFor(path) } })
  const version = /\d+\.\d+(?:\.\d+)?/.exec(text.replace(path, ''))?.[0] ?? ''
  return name.startsWith('pgbouncer') ? `PgBouncer ${version}` : version
}

await main(process.argv.slice(2))
