import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtimeProgram } from '../runtimes/install.ts'
import { consumer, run } from './pack.ts'

/** The compilers of new and of year-old projects; null if one is not installed. */
export const compilers: readonly (readonly [version: string, program: string | null])[] = [
  ['7', join(import.meta.dirname, '../../../node_modules/.bin/tsc')],
  ['5.9', runtimeProgram('tsc')],
]

/** Compiles files of a project that has the package installed, with these options. Returns the compiler's output. */
export function compile(compiler: string, files: readonly string[], options: Readonly<Record<string, unknown>>): string {
  const project = `${files[0]}.json`
  const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2023', ...options }
  writeFileSync(join(consumer, project), JSON.stringify({ compilerOptions: strict, files: files.map(file => join(consumer, file)) }))
  return run(compiler, ['-p', project]).output
}
