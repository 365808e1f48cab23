// The Python package: its own tests with each release of Django and of Python that it accepts, the checkers, and a
// built wheel.
import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { pythonPackage } from '../support/django.ts'
import { findPython, preparePython } from '../support/python.ts'
import { createDirectory, removeDirectory } from '../support/servers/workspace.ts'

const newest = await preparePython(join(pythonPackage, 'requirements/dev.txt'))
const oldest = await preparePython(join(pythonPackage, 'requirements/oldest.txt'))

/** Runs a module of Python in the package's folder, and returns its output. Fails with it. */
async function run(python: string | null, ...parameters: readonly string[]): Promise<string> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', RUFF_NO_CACHE: 'true' }
  try {
    const options = { cwd: pythonPackage, env, maxBuffer: 16 * 1024 * 1024 }
    return (await promisify(execFile)(python ?? '', ['-m', ...parameters], options)).stdout
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : []
    throw new Error(`${String(error).slice(0, 200)}\n${output.join('\n').slice(-8000)}`)
  }
}

/** The last line of pytest: `74 passed in 17.88s`. */
const allPassed = /\n\d+ passed in [^\n]+\n$/

describe.skipIf(newest === null)('the Python package', () => {
  test('V-02: refuses a revoked session without a call per request: its tests pass with Django 5.2', async () => {
    expect(await run(newest, 'pytest', '--quiet')).toMatch(allPassed)
  }, 600_000)

  test('has types and no warnings, for the oldest and the newest Python', async () => {
    expect(await run(newest, 'ruff', 'check')).toContain('All checks passed')
    for (const version of ['3.10', '3.13']) {
      const flags = ['--cache-dir', '/dev/null', '--python-version', version]
      expect(await run(newest, 'mypy', ...flags)).toContain('no issues found')
    }
  })

  test('is built as a wheel that has its types', async () => {
    const folder = createDirectory()
    const source = join(folder, 'source')
    cpSync(pythonPackage, source, { recursive: true, filter: path => !/__pycache__|egg-info|_cache/.test(path) })
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-build-isolation', '--no-index']
    await run(newest, 'pip', 'install', ...flags, '--target', join(folder, 'installed'), source)
    const files = await run(newest, 'pip', 'list', '--path', join(folder, 'installed'), '--disable-pip-version-check')
    expect(files).toMatch(/^keyturn +\d/m)
    const check = `import keyturn, pathlib; assert (pathlib.Path(keyturn.__file__).parent / 'py.typed').exists()`
    const options = { env: { ...process.env, PYTHONPATH: join(folder, 'installed') } }
    await promisify(execFile)(newest ?? '', ['-c', check], options)
    removeDirectory(folder)
  })
})

/** Without the processes of real servers. */
const quick = ['pytest', '--quiet', '--ignore', 'tests/test_processes.py']

describe.skipIf(oldest === null)('the Python package with the oldest releases that it accepts', () => {
  test('passes its tests', async () => {
    expect(await run(oldest, ...quick)).toMatch(allPassed)
  }, 600_000)
})

// Not every machine has several versions of Python: those that are missing are not tested.
describe.for([
  ['3.10', 'oldest'], ['3.11', 'django-5.0'], ['3.12', 'between'], ['3.13', 'dev'],
] as const)('the Python package on Python %s, requirements/%s.txt', ([version, requirements]) => {
  const program = findPython(version)

  test.skipIf(program === null)('passes its tests', async () => {
    const python = await preparePython(join(pythonPackage, `requirements/${requirements}.txt`), program)
    expect(await run(python, ...quick)).toMatch(allPassed)
  }, 900_000)
})
