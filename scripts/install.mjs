import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Plain JavaScript for any Node from 18 on: on a fresh clone the machine's own Node runs it, with nothing installed.

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The Node that the project is developed on, there after `install()`. */
export const projectNode = join(root, 'node_modules', 'node', 'bin', 'node')

/** The environment for child processes: the project's own tools come first. */
export const toolEnvironment = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
}

/**
 * True if what npm says it installed is what the lock file asks for. Optional packages may be absent: they may be
 * another platform's.
 *
 * @param {{ packages: Record<string, { version?: string, optional?: boolean }> }} wanted package-lock.json
 * @param {{ packages: Record<string, { version?: string }> }} installed node_modules/.package-lock.json
 */
export function fits(wanted, installed) {
  const entries = Object.entries(wanted.packages).filter(([path]) => path !== '')
  const everyWantedIsThere = entries.every(([path, entry]) => {
    const found = installed.packages[path]
    return found === undefined ? entry.optional === true : found.version === entry.version
  })
  return everyWantedIsThere && Object.keys(installed.packages).every((path) => path in wanted.packages)
}

function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record) || !existsSync(projectNode)) return false
  try {
    return fits(readJson(join(root, 'package-lock.json')), readJson(record))
  } catch {
    return false
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Brings node_modules in line with package-lock.json; does and prints nothing when it already is. */
export function install() {
  if (isInstalled()) return
  console.log('keyturn: installing the development tools (npm ci) ...')
  const npm = process.env.npm_execpath
  const [command, prefix] = npm === undefined ? ['npm', []] : [process.execPath, [npm]]
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync(command, [...prefix, ...flags], { cwd: root, stdio: 'inherit' })
  if (error !== undefined || status !== 0) {
    console.error(`keyturn: npm ci failed${error === undefined ? '' : ` (${error.message})`}`)
    process.exit(1)
  }
  if (!isInstalled()) {
    console.error('keyturn: npm ci left something out (are install scripts switched off?)')
    process.exit(1)
  }
}
