import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Plain JavaScript for any Node from 18 on: in a fresh clone the machine's own Node runs it before anything is
// installed.

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The Node version that the project is developed with; it exists after `install()`. */
export const projectNode = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** The environment for child processes: the project's own tools come first in PATH. */
export const toolEnvironment = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
}

/**
 * True if the packages that npm recorded as installed are those of the lock file. Optional packages may be missing:
 * they may be for another platform.
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

/** Installs node_modules as package-lock.json says. Does and prints nothing if they already match. */
export function install() {
  if (isInstalled()) return
  console.log('keyturn: installing the development tools (npm ci) ...')
  const npm = process.env.npm_execpath
  const [command, prefix] = npm === undefined ? ['npm', []] : [process.execPath, [npm]]
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const shell = npm === undefined && process.platform === 'win32'
  const { status, error } = spawnSync(command, [...prefix, ...flags], { cwd: root, stdio: 'inherit', shell })
  if (error !== undefined || status !== 0) {
    console.error(`keyturn: npm ci failed${error === undefined ? '' : ` (${error.message})`}`)
    process.exit(1)
  }
  if (!isInstalled()) {
    console.error('keyturn: npm ci did not install everything: enable install scripts (npm config ignore-scripts)')
    process.exit(1)
  }
}
