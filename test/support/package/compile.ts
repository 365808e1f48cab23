import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { consumer, run } from './pack.ts'

/** Compiles a file of a project that has the package installed, with the options of its kind; what the compiler said. */
export function compile(compiler: string, file: string, options: Readonly<Record<string, unknown>>): string {
  const project = `${file}.json`
  const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2023', ...options }
  writeFileSync(join(consumer, project), JSON.stringify({ compilerOptions: strict, files: [join(consumer, file)] }))
  return run(compiler, ['-p', project]).output
}
