import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './servers/programs.ts'

/** The Go toolchain of this machine, or null if there is none: `npm test` does not install one. */
export const go: string | null = findProgram('go')

/** Has the modules that the tests need, and what they build. */
export const goFolder: string = join(import.meta.dirname, '../../.cache/go')

/** Builds a program from the folder's package or another one, with the versions of the folder's go.mod and go.sum. */
export async function buildGo(folder: string, program: string, from = '.'): Promise<void> {
  if (go === null) throw new Error('there is no Go toolchain')
  // The cache can be removed like any other folder: Go's modules are not read-only.
  await promisify(execFile)(go, ['build', '-modcacherw', '-o', program, from], {
    cwd: folder, maxBuffer: 100_000_000,
    env: {
      ...process.env,
      GOPATH: join(goFolder, 'path'),
      GOMODCACHE: join(goFolder, 'path/pkg/mod'),
      GOCACHE: join(goFolder, 'build'),
      CGO_ENABLED: '0',
    },
  })
}
