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

// As if the packages were installed, except for owners and special permissions, which only root could set, and for
// files that the tests do not need.
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
 * Provides the missing programs of `software`: downloads their Debian packages with all dependencies, and unpacks each
 * software into its own folder in the repository's cache. It installs nothing, writes nowhere else, and needs no root
 * rights. It never throws: it prints what it could not provide and why, and returns the names.
 */
export async function provision(software: readonly SoftwareName[]): Promise<SoftwareName[]> {
  const missing = missingSoftware(software)
  if (missing.length === 0) return []
  if (findProgram('apt-get') === null || findProgram('dpkg-deb') === null) {
    for (const name of missing) console.log(`keyturn: install ${name}: it is missing, and there is no apt-get to fetch it`)
    return missing
  }
  const workspace = new Workspace()
  try {
    await workspace.updateLists()
    for (const name of missing) await workspace.fetch(name)
  } finally {
    workspace.remove()
  }
  return missingSoftware(missing)
}

/** From the output of `apt-get install --print-uris`: the file names of the archives, each with its size in bytes. */
export function readArchives(output: string): ReadonlyMap<string, number> {
  return new Map([...output.matchAll(/^'[^']+' (\S+\.deb) (\d+)/gm)].map(([, name = '', size]) => [name, Number(size)]))
}

/** A folder beside the unpacked software, with apt's state for one run. Software is unpacked there and then renamed. */
class Workspace {
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
    // Readable for the user that apt switches to for downloads when root runs it.
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
      // Hooks of the system that run after an update concern the system's own lists.
      #clear APT::Update;
    `)
    process.once('exit', this.#onExit)
  }

  /** Updates the lists of the system's package sources. If one fails, it may be one that is not needed. */
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
      // Another run may have provided it meanwhile.
      if (missingSoftware([name]).length === 0) return
      rmSync(join(unpackedPrograms, name), { recursive: true, force: true })
      renameSync(tree, join(unpackedPrograms, name))
    } catch (error) {
      const lines = `${this.#listProblem}\n${wordsOf(error)}`.split('\n').map((line) => line.trim()).filter(Boolean)
      console.log(`keyturn: could not provide ${name}:\n  ${lines.slice(-wordsLimit).join('\n  ')}`)
    }
  }

  remove(): void {
    process.off('exit', this.#onExit)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #download(name: SoftwareName): Promise<string[]> {
    const install = ['-c', this.#configuration, '-qq', 'install', '--yes', ...packagesOf(name)]
    // With the shared archive folder, apt would leave out packages that were already downloaded for another software.
    const empty = `Dir::Cache::archives=${join(this.#folder, 'nothing')}`
    const { stdout } = await this.#run('apt-get', [...install, '--print-uris', '-o', empty])
    const archives = readArchives(stdout)
    const folder = join(this.#folder, 'cache/archives')
    const toFetch = [...archives].filter(([file]) => !existsSync(join(folder, file)))
    const megabytes = Math.ceil(toFetch.reduce((sum, [, bytes]) => sum + bytes, 0) / 1e6)
    console.log(`keyturn: for the tests, unpacking ${name} in .cache/programs (${megabytes} MB to fetch)`)
    await this.#run('apt-get', [...install, '--download-only'])
    // The machine's C library is used: it must match the loader, whose absolute path is part of every program.
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
