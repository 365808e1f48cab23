import { spawnSync } from 'node:child_process'
import {
  cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import installRuntimes from '../runtimes/install.ts'

const root = join(import.meta.dirname, '../../..')

/** The folder of an application whose only dependency is the packed package. */
export const consumer: string = join(root, '.cache/package/consumer')
/** The package as it would be published. */
export const tarball: string = join(root, '.cache/package/keyturn.tgz')
/** The installed package. */
export const installed: string = join(consumer, 'node_modules/keyturn')

/** The members of package.json that tests read. */
export interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, string>>
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

/** The package.json of the installed package. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
}

/** The import specifiers that the package offers. */
export function specifiers(): string[] {
  return Object.keys(readManifest().exports).map(path => `keyturn${path.slice(1)}`)
}

/** The specifiers of modules that run on every runtime with web-standard APIs. */
export const neutralSpecifiers: readonly string[] = [
  'keyturn', 'keyturn/errors', 'keyturn/verify', 'keyturn/stores/memory', 'keyturn/frameworks/web',
  'keyturn/stores/d1', 'keyturn/stores/libsql', 'keyturn/stores/durable-object', 'keyturn/frameworks/hono',
  'keyturn/frameworks/h3', 'keyturn/testing', 'keyturn/testing/contracts',
]

/**
 * Creates the folder of an application outside of the repository, whose packages would be found otherwise. It has the
 * installed package, and the named packages of the repository.
 */
export function createApplication(packages: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'application-'))
  cpSync(installed, join(folder, 'node_modules/keyturn'), { recursive: true })
  for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  const dependencies = Object.fromEntries(['keyturn', ...packages].map(name => [name, '*']))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  return folder
}

/** Runs a program to its end. Returns its output, and whether it succeeded. */
export function run(command: string, parameters: readonly string[], cwd: string = consumer): {
  readonly succeeded: boolean
  readonly output: string
} {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd, encoding: 'utf8', timeout: 120_000 })
  return { succeeded: status === 0, output: `${stdout}${stderr}` }
}

/** The files that are needed to build and pack. */
const sources = [
  'src', 'console', 'docs/operations', 'scripts/config-schema.ts', 'package.json', 'tsconfig.base.json', 'rolldown.config.ts',
  'LICENSE', 'README.md', 'SECURITY.md',
]

/**
 * Builds, packs and installs the package from a copy of its sources, so that it contains nothing of an older build. For
 * `globalSetup`.
 */
export default function packAndInstall(): void {
  installRuntimes()
  rmSync(join(root, '.cache/package'), { recursive: true, force: true })
  mkdirSync(consumer, { recursive: true })
  const copy = join(root, '.cache/package/source')
  for (const name of sources) cpSync(join(root, name), join(copy, name), { recursive: true })
  succeed('rolldown', ['-c'], copy)
  succeed('vite', ['build', '-c', 'console/vite.config.ts'], copy)
  succeed('node', ['--conditions=keyturn-source', 'scripts/config-schema.ts'], copy)
  // Errors of the compiler are reported by the step `types`.
  run('tsc', ['-b', 'src'], copy)
  const quiet = ['--ignore-scripts', '--loglevel=error']
  const packed = succeed('npm', ['pack', ...quiet, '--json', '--pack-destination', join(root, '.cache/package')], copy)
  const [{ filename }]: [{ filename: string }] = JSON.parse(packed.slice(packed.indexOf('[')))
  renameSync(join(root, '.cache/package', filename), tarball)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  succeed('npm', ['install', tarball, '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', ...quiet], consumer)
}

function succeed(command: string, parameters: readonly string[], cwd: string): string {
  const { succeeded, output } = run(command, parameters, cwd)
  if (!succeeded) throw new Error(`${command} ${parameters.join(' ')} failed:\n${output}`)
  return output
}
