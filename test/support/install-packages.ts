import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const files = ['package.json', 'package-lock.json']
const root = join(import.meta.dirname, '../..')

/** Packages that tests need besides the project's own, as a folder below `test` lists them. */
export class TestPackages {
  readonly #wanted: string
  readonly #flags: readonly string[]
  /** Named by a hash of its contents: several test runs may install and use it at the same time. */
  readonly #folder: string

  /** `name` is the folder below `test`, and that below `.cache`. `flags` are further ones for `npm ci`. */
  constructor(name: string, flags: readonly string[] = []) {
    this.#wanted = join(root, 'test', name)
    this.#flags = flags
    const contents = files.map((file) => readFileSync(join(this.#wanted, file), 'utf8')).join()
    this.#folder = join(root, '.cache', name, createHash('sha256').update(contents).digest('hex').slice(0, 12))
  }

  /** Installs them, unless they are installed. `what` says what they are. If that fails, prints why. */
  install(what: string): void {
    if (existsSync(this.#folder)) return
    console.log(`keyturn: for the tests, installing ${what} in .cache`)
    const workplace = `${this.#folder}.${process.pid}`
    mkdirSync(workplace, { recursive: true })
    for (const file of files) copyFileSync(join(this.#wanted, file), join(workplace, file))
    const flags = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...this.#flags]
    const { status, stderr } = spawnSync('npm', flags, { cwd: workplace, encoding: 'utf8', timeout: 600_000 })
    if (status !== 0) console.log(`keyturn: not everything could be installed\n${stderr}`)
    else if (!existsSync(this.#folder)) renameSync(workplace, this.#folder)
    rmSync(workplace, { recursive: true, force: true })
  }

  /** The path of a file or package, or null if it could not be installed, which is an error if `CI=true`. */
  find(what: string, path: string): string | null {
    const found = join(this.#folder, 'node_modules', path)
    if (existsSync(found)) return found
    if (process.env['CI'] === 'true') throw new Error(`${what} could not be installed`)
    return null
  }
}
