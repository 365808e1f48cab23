import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const wanted = join(import.meta.dirname, '../../runtimes')
const files = ['package.json', 'package-lock.json']
const cache = join(import.meta.dirname, '../../../.cache/runtimes')
/** Named by a hash of its contents: several test runs may install and use it at the same time. */
const folder = join(cache, createHash('sha256').update(files.map(read).join()).digest('hex').slice(0, 12))

/** The runtimes, and a test runner of others: in packages of their own. */
export type RuntimeName = 'node' | 'bun' | 'deno' | 'workerd' | 'jest'

/** The compilers of older projects. */
export type OlderTypeScript = '5.4' | '5.9' | '6.0'

/** One of these programs, or null if it could not be installed, which is an error if `CI=true`. */
export function runtimeProgram(name: RuntimeName): string | null {
  return find(name, `.bin/${name}`)
}

/** The compiler of this version as a program for Node, or null as {@link runtimeProgram} does. */
export function olderCompiler(version: OlderTypeScript): string | null {
  return find(`TypeScript ${version}`, `typescript-${version}/bin/tsc`)
}

/** Installs the runtimes of test/runtimes/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  if (existsSync(folder)) return
  console.log('keyturn: for the tests, installing Node 22, Bun, Deno, workerd, Jest, old TypeScript in .cache/runtimes')
  const workplace = `${folder}.${process.pid}`
  mkdirSync(workplace, { recursive: true })
  for (const file of files) copyFileSync(join(wanted, file), join(workplace, file))
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: workplace, encoding: 'utf8', timeout: 600_000,
  })
  if (status !== 0) console.log(`keyturn: not everything could be installed\n${stderr}`)
  else if (!existsSync(folder)) renameSync(workplace, folder)
  rmSync(workplace, { recursive: true, force: true })
}

function find(what: string, path: string): string | null {
  const program = join(folder, 'node_modules', path)
  if (existsSync(program)) return program
  if (process.env['CI'] === 'true') throw new Error(`${what} could not be installed`)
  return null
}

function read(file: string): string {
  return readFileSync(join(wanted, file), 'utf8')
}
