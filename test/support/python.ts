import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './servers/programs.ts'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '../../.cache')
const limit = 600_000

/**
 * A Python with the packages of a requirements file, in a virtual environment in the repository's cache. Returns null
 * if Python or its package index is not available, which is an error if `CI=true`.
 */
export async function preparePython(requirements: string): Promise<string | null> {
  const name = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const folder = join(cache, `python-${name}`)
  const python = join(folder, 'bin/python')
  if (existsSync(python)) return python
  const begun = `${folder}.${process.pid}`
  try {
    const system = findProgram('python3')
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
