import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const wanted = join(import.meta.dirname, '../../runtimes')
const folder = join(import.meta.dirname, '../../../.cache/runtimes')
const files = ['package.json', 'package-lock.json']

/** The runtimes, and the compiler of last year's projects, that come in packages of their own. */
export type RuntimeName = 'node' | 'bun' | 'deno' | 'workerd' | 'tsc'

/** One of these programs, or null if it could not be had; with CI=true everything must be there. */
export function runtimeProgram(name: RuntimeName): string | null {
  const program = join(folder, 'node_modules', '.bin', name)
  if (existsSync(program)) return program
  if (process.env['CI'] === 'true') throw new Error(`${name} could not be installed`)
  return null
}

/** Installs the runtimes that test/runtimes/package-lock.json names, unless they are there. For `globalSetup`. */
export default function install(): void {
  const isInstalled = files.every(file => {
    const copy = join(folder, file)
    return existsSync(copy) && readFileSync(copy, 'utf8') === readFileSync(join(wanted, file), 'utf8')
  })
  if (isInstalled && existsSync(join(folder, 'node_modules', '.package-lock.json'))) return
  console.log('keyturn: for the tests, installing Node 22, Bun, Deno, workerd and TypeScript 5 in .cache/runtimes')
  mkdirSync(folder, { recursive: true })
  for (const file of files) copyFileSync(join(wanted, file), join(folder, file))
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder, encoding: 'utf8', timeout: 600_000,
  })
  if (status !== 0) console.log(`keyturn: not everything could be installed\n${stderr}`)
}
