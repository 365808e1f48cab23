import { type ChildProcess, execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  findProgram,
  missingSoftware,
  packagesOf,
  type SoftwareName,
  sourceOf,
  unpackedPrograms,
} from '../test/support/servers/programs.ts'
import { fetchElsewhere } from './provision-elsewhere.ts'
import { removeLeftovers } from '../test/support/servers/workspace.ts'

const prefix = 'fetching-'
const commandLimit = 900_000
const wordsLimit = 8
const sourceFormat = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

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

// Programs of another suite need its C library, and so its loader. The kernel would start them with the machine's: in
// the place of each program comes a script that names the loader, so that programs can start one another as usual.
const useOwnLoader = `
set -e
tree=$1
find "$tree/usr" -path '*/bin/*' -o -path '*/sbin/*' | while read -r program; do
  if [ ! -f "$program" ] || [ -L "$program" ] || [ ! -x "$program" ]; then continue; fi
  if [ "$(head -c 4 "$program" | tail -c 3)" != ELF ]; then continue; fi
  mv "$program" "$program.elf"
  cat > "$program" <<'SCRIPT'
#!/bin/sh
program=$(readlink -f "$0")
root=\${program%/usr/*}
for loader in "$root"/usr/lib/*/ld-linux-*.so.*; do
  exec "$loader" --inhibit-cache --library-path "\${loader%/*}:$root/usr/lib" --argv0 "$0" "$program.elf" "$@"
done
SCRIPT
  chmod 755 "$program"
done
`

/**
 * Provides the missing programs of `software`: downloads their Debian packages with all dependencies, and unpacks each
 * software into its own folder in the repository's cache. It installs nothing, writes nowhere else, and needs no root
 * rights. It never throws: it prints what it could not provide and why, and returns the names.
 */
export async function provision(software: readonly SoftwareName[]): Promise<SoftwareName[]> {
  const missing = missingSoftware(software)
  if (missing.length === 0) return []
  for (const name of missing) await fetchElsewhere(name)
  await fetchFromDebian(missing.filter((name) => [null, 'sid'].includes(sourceOf(name))))
  return missingSoftware(missing)
}

async function fetchFromDebian(missing: readonly SoftwareName[]): Promise<void> {
  if (missing.length === 0) return
  if (findProgram('apt-get') === null || findProgram('dpkg-deb') === null) {
    for (const name of missing) {
      console.log(`keyturn: install ${name}: it is missing, and there is no apt-get to fetch it`)
    }
    return
  }
  for (const suite of [null, 'sid'] as const) {
    const wanted = missing.filter((name) => sourceOf(name) === suite)
    if (wanted.length === 0) continue
    const workspace = new Workspace(suite)
    try {
      await workspace.updateLists()
      for (const name of wanted) await workspace.fetch(name)
    } finally {
      workspace.remove()
    }
  }
}

/** From the output of `apt-get install --print-uris`: the file names of the archives, each with its size in bytes. */
export function readArchives(output: string): ReadonlyMap<string, number> {
  return new Map([...output.matchAll(/^'[^']+' (\S+\.deb) (\d+)/gm)].map(([, name = '', size]) => [name, Number(size)]))
}

/** The versions of `packages`, by the file names of the archives: `mysql-server-core 9.7.4-2`. */
export function readVersions(archives: Iterable<string>, packages: readonly string[]): string {
  const versions = [...archives].map((file) => file.split('_'))
    .filter(([name = '']) => packages.includes(name))
    .map(([name, version = '']) => `${name} ${decodeURIComponent(version)}`)
  return versions.join(', ')
}

/**
 * From the output of `apt-get indextargets` with the format of `sourceFormat`: the address of the mirror that serves
 * the release `codename`, or null.
 */
export function readMirror(output: string, codename: string): string | null {
  const lines = output.split('\n').map((line) => line.split(' '))
  return lines.find(([, release, component]) => release === codename && component === 'main')?.[0] ?? null
}

/** A folder beside the unpacked software, with apt's state for one run. Software is unpacked there and then renamed. */
class Workspace {
  readonly #folder: string
  readonly #configuration: string
  readonly #suite: 'sid' | null
  #listProblem = ''
  #running: ChildProcess | null = null
  readonly #onExit = (): void => {
    this.#running?.kill()
    this.remove()
  }

  /** For packages of the machine's release, or of a suite. */
  constructor(suite: 'sid' | null) {
    this.#suite = suite
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
      Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
      Acquire::Retries "3";
      // Hooks of the system that run after an update concern the system's own lists.
      #clear APT::Update;
    `)
    process.once('exit', this.#onExit)
  }

  /** Updates the lists of the package sources. If one fails, it may be one that is not needed. */
  async updateLists(): Promise<void> {
    try {
      if (this.#suite !== null) await this.#useSuite(this.#suite)
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
      if (this.#suite !== null) await this.#run('sh', ['-c', useOwnLoader, 'sh', tree])
      // Another run may have provided it meanwhile.
      if (missingSoftware([name]).length === 0) return
      rmSync(join(unpackedPrograms, name), { recursive: true, force: true })
      renameSync(tree, join(unpackedPrograms, name))
    } catch (error) {
      const lines = `${this.#listProblem}\n${wordsOf(error)}`.split('\n').map((line) => line.trim()).filter(Boolean)
      console.log(`keyturn: could not provide ${name}:\n  ${lines.slice(-wordsLimit).join('\n  ')}`)
    }
  }

  /** From now on, apt knows no source but `suite`, at the mirror of the machine's release. */
  async #useSuite(suite: string): Promise<void> {
    const codename = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
    const { stdout } = await this.#run('apt-get', [
      // Without the last option, apt would list only what it has fetched.
      '-c', this.#configuration, 'indextargets', '--format', sourceFormat, '--no-release-info',
    ])
    const mirror = readMirror(stdout, codename)
    if (mirror === null) throw new Error(`no package source has ${codename}, and so there is no mirror for ${suite}`)
    const sources = join(this.#folder, 'sources.list')
    const signature = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
    writeFileSync(sources, `deb ${signature}${mirror} ${suite} main\n`)
    appendFileSync(this.#configuration, `
      Dir::Etc::sourcelist "${sources}";
      Dir::Etc::sourceparts "${join(this.#folder, 'nothing')}";
    `)
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
    const versions = readVersions(archives.keys(), packagesOf(name))
    console.log(`keyturn: for the tests, unpacking ${versions} in .cache/programs (${megabytes} MB to fetch)`)
    await this.#run('apt-get', [...install, '--download-only'])
    // For programs of the machine's release, the machine's C library is used: it must match the loader, whose absolute
    // path is part of every program.
    const isUsed = (file: string): boolean => this.#suite !== null || !file.startsWith('libc6_')
    return [...archives.keys()].filter(isUsed).map((file) => join(folder, file))
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
