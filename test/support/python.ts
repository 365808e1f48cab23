import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './servers/programs.ts'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '../../.cache')
const limit = 600_000

/** The Python of a version such as `3.13`, of the machine or of pyenv; null if there is none. */
export function findPython(version: string): string | null {
  const installed = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  const found = existsSync(installed) ? readdirSync(installed).find(name => name.startsWith(`${version}.`)) : undefined
  return found === undefined ? findProgram(`python${version}`) : join(installed, found, 'bin/python3')
}

/**
 * A Python with the packages of a requirements file, in a virtual environment in the repository's cache. Returns null
 * if Python or its package index is not available, which is an error if `CI=true`. `program` is the Python to use, by
 * default the machine's `python3`.
 */
export async function preparePython(requirements: string, program: string | null = null): Promise<string | null> {
  const name = createHash('sha256').update(readFileSync(requirements)).update(program ?? '').digest('hex').slice(0, 12)
  const folder = join(cache, `python-${name}`)
  const python = join(folder, 'bin/python')
  if (existsSync(python)) return python
  const begun = `${folder}.${process.pid}`
  try {
    const system = program ?? findProgram('python3')
    if (system === null) throw new Error('python3 is not installed')
    await run(system, ['-m', 'venv', begun], { timeout: limit })
    const flags = ['--quiet', '--disable-pip-version-check', '--no-cache-dir']
    const install = ['-m', 'pip', 'install', ...flags, '--requirement', requirements]
    await run(join(begun, 'bin/python'), install, { timeout: limit })
    renameSync(begun, folder)
    return python
  } catch (error) {
    rmSync(begun, { recursive: true, force: true })
    // Another test file has prepared the same meanwhile.
    if (existsSync(python)) return python
    if (process.env['CI'] === 'true') throw error
    console.log(`keyturn: no Python with the SDK: ${error instanceof Error ? error.message.slice(0, 400) : ''}`)
    return null
  }
}
