import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Software {
  /** All must be there. */
  readonly programs: readonly string[]
  /** The Debian packages that bring them. */
  readonly packages: readonly string[]
}

const catalogue = {
  chromium: { programs: ['chromium'], packages: ['chromium'] },
  firefox: { programs: ['firefox-esr'], packages: ['firefox-esr'] },
  postgres: { programs: ['postgres', 'initdb', 'pg_basebackup'], packages: ['postgresql'] },
  // The core packages have the programs without a system service. The installer needs one program of the client's.
  mariadb: {
    programs: ['mariadbd', 'mariadb-install-db', 'my_print_defaults'],
    packages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  redis: { programs: ['redis-server'], packages: ['redis-server'] },
  systemd: { programs: ['systemd-analyze'], packages: ['systemd'] },
  pgbouncer: { programs: ['pgbouncer'], packages: ['pgbouncer'] },
} as const satisfies Record<string, Software>

/** Software that the tests use but npm cannot deliver. */
export type SoftwareName = keyof typeof catalogue

/** Where the packages are unpacked when the tests may not install them. */
export const unpackedPrograms: string = join(import.meta.dirname, '../../../.cache/programs')

/** Where `name` is installed, or null. Debian keeps PostgreSQL's programs, and those for root, off an ordinary PATH. */
export function findProgram(name: string): string | null {
  const folders = [
    ...postgresFolders('/'),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/sbin',
    ...postgresFolders(unpackedPrograms),
    // Before usr/bin, whose starters look for the browsers in the system's folders.
    join(unpackedPrograms, 'usr/lib/chromium'),
    join(unpackedPrograms, 'usr/lib/firefox-esr'),
    join(unpackedPrograms, 'usr/bin'),
    join(unpackedPrograms, 'usr/sbin'),
  ]
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

/** `LD_LIBRARY_PATH` for the programs that were unpacked; empty when none were. */
export function unpackedLibraries(): string {
  return folderNames(join(unpackedPrograms, 'usr/lib')).filter((name) => name.includes('-linux-'))
    .map((name) => join(unpackedPrograms, 'usr/lib', name)).join(delimiter)
}

/** Like `findProgram`, but its absence is an error that names the program. */
export function requireProgram(name: string): string {
  const path = findProgram(name)
  if (path === null) throw new Error(`${name} is not installed on this machine`)
  return path
}

/** What this machine lacks of `names`. */
export function missingSoftware(names: readonly SoftwareName[]): SoftwareName[] {
  return names.filter((name) => catalogue[name].programs.some((program) => findProgram(program) === null))
}

/** The Debian packages to install for `names`. */
export function packagesOf(names: readonly SoftwareName[]): string[] {
  return names.flatMap((name) => catalogue[name].packages)
}

function postgresFolders(root: string): string[] {
  const parent = join(root, 'usr/lib/postgresql')
  return folderNames(parent).sort((a, b) => Number(b) - Number(a)).map((version) => join(parent, version, 'bin'))
}

function folderNames(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : []
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
