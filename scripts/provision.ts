import { type ChildProcess, execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  findProgram,
  missingSoftware,
  packagesOf,
  type SoftwareName,
  unpackedPrograms,
} from '../test/support/servers/programs.ts'
import { removeLeftovers } from '../test/support/servers/workspace.ts'

const prefix = 'fetching-'
const commandLimit = 900_000
const wordsLimit = 8

// As in a system that installs them, without owners and special rights, which root alone could give, and without what
// nobody reads here.
const unpack = `
set -e
umask 022
tree=$1
shift
mkdir -p "$tree/usr"
for folder in bin sbin lib lib64; do
  mkdir "$tree/usr/$folder"
  ln -s "usr/$folder" "$tree/$folder"
done
for archive in "$@"; do
  dpkg-deb --fsys-tarfile "$archive" |
    tar -x -C "$tree" --keep-directory-symlink --no-same-owner --no-same-permissions \\
      --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/icons
done
fonts=$tree/etc/fonts/fonts.conf
if [ -e "$fonts" ]; then sed -i 's|<dir>/|<dir prefix="relative">../../|' "$fonts"; fi
`

/**
 * Makes sure of what is missing of `software`: fetches its Debian packages with all that they depend on, and unpacks
 * each software into a folder of its own in the repository's cache. Installs nothing, writes nowhere else, and needs no
 * rights. Never fails: prints plainly what could not be had and why, and returns it.
 */
export async function provision(software: readonly SoftwareName[]): Promise<SoftwareName[]> {
  const missing = missingSoftware(software)
  if (missing.length === 0) return []
  if (findProgram('apt-get') === null || findProgram('dpkg-deb') === null) {
    for (const name of missing) console.log(`keyturn: not installed: ${name}; and only Debian's apt-get could fetch it`)
    return missing
  }
  const workplace = new Workplace()
  try {
    await workplace.updateLists()
    for (const name of missing) await workplace.fetch(name)
  } finally {
    workplace.remove()
  }
  return missingSoftware(missing)
}

/** Of the output of `apt-get install --print-uris`: the names that the archives get, each with its size in bytes. */
export function readArchives(output: string): ReadonlyMap<string, number> {
  return new Map([...output.matchAll(/^'[^']+' (\S+\.deb) (\d+)/gm)].map(([, name = '', size]) => [name, Number(size)]))
}

/** A folder beside the unpacked software, in which one run has state of apt's own, and unpacks what it then renames. */
class Workplace {
  readonly #folder: string
  readonly #configuration: string
  #listProblem = ''
  #running: ChildProcess | null = null
  readonly #onExit = (): void => {
    this.#running?.kill()
    this.remove()
  }

  constructor() {
    mkdirSync(unpackedPrograms, { recursive: true })
    removeLeftovers(unpackedPrograms, prefix)
    this.#folder = mkdtempSync(join(unpackedPrograms, `${prefix}${process.pid}-`))
    // For the user that apt downloads as when root runs it.
    chmodSync(this.#folder, 0o755)
    this.#configuration = join(this.#folder, 'apt.conf')
    for (const folder of ['state/lists/partial', 'cache/archives/partial', 'nothing/partial']) {
      mkdirSync(join(this.#folder, folder), { recursive: true })
    }
    const status = join(this.#folder, 'status')
    writeFileSync(status, '')
    writeFileSync(this.#configuration, `
      Dir::State "${join(this.#folder, 'state')}";
      Dir::State::status "${status}";
      Dir::Cache "${join(this.#folder, 'cache')}";
      Dir::Log "${join(this.#folder, 'log')}";
      Dir::Cache::pkgcache "pkgcache.bin";
      Dir::Cache::srcpkgcache "srcpkgcache.bin";
      Debug::NoLocking "true";
      APT::Install-Recommends "false";
      Acquire::Languages "none";
      Acquire::Retries "3";
      // What the system wants done after an update is about its own lists.
      #clear APT::Update;
    `)
    process.once('exit', this.#onExit)
  }

  /** Fetches the lists of the system's package sources; one that fails may be one that is not needed. */
  async updateLists(): Promise<void> {
    try {
      this.#listProblem = (await this.#run('apt-get', ['-c', this.#configuration, '-qq', 'update'])).stderr
    } catch (error) {
      this.#listProblem = wordsOf(error)
    }
  }

  async fetch(name: SoftwareName): Promise<void> {
    try {
      const archives = await this.#download(name)
      const tree = join(this.#folder, name)
      await this.#run('sh', ['-c', unpack, 'sh', tree, ...archives])
      // Another run may have been quicker.
      if (missingSoftware([name]).length === 0) return
      rmSync(join(unpackedPrograms, name), { recursive: true, force: true })
      renameSync(tree, join(unpackedPrograms, name))
    } catch (error) {
      const lines = `${this.#listProblem}\n${wordsOf(error)}`.split('\n').map((line) => line.trim()).filter(Boolean)
      console.log(`keyturn: could not have ${name}:\n  ${lines.slice(-wordsLimit).join('\n  ')}`)
    }
  }

  remove(): void {
    process.off('exit', this.#onExit)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #download(name: SoftwareName): Promise<string[]> {
    const install = ['-c', this.#configuration, '-qq', 'install', '--yes', ...packagesOf(name)]
    // With the folder of all software, what has been fetched for another one would not be named.
    const empty = `Dir::Cache::archives=${join(this.#folder, 'nothing')}`
    const { stdout } = await this.#run('apt-get', [...install, '--print-uris', '-o', empty])
    const archives = readArchives(stdout)
    const folder = join(this.#folder, 'cache/archives')
    const toFetch = [...archives].filter(([file]) => !existsSync(join(folder, file)))
    const megabytes = Math.ceil(toFetch.reduce((sum, [, bytes]) => sum + bytes, 0) / 1e6)
    console.log(`keyturn: for the tests, unpacking ${name} in .cache/programs (${megabytes} MB to fetch)`)
    await this.#run('apt-get', [...install, '--download-only'])
    // The C library is the machine's: it fits no other loader, and programs name the loader by its place in the system.
    return [...archives.keys()].filter((file) => !file.startsWith('libc6_')).map((file) => join(folder, file))
  }

  async #run(command: string, args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const running = promisify(execFile)(command, args, {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      timeout: commandLimit,
      maxBuffer: 16 * 1024 * 1024,
    })
    this.#running = running.child
    try {
      return await running
    } finally {
      this.#running = null
    }
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'stderr' in error && error.stderr !== '' ? String(error.stderr) : error.message
}
