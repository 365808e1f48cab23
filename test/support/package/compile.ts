import { join } from 'node:path'
import { olderCompiler } from '../runtimes/install.ts'
import { run } from './pack.ts'

/** A compiler that applications use. */
export interface Compiler {
  readonly version: '5.4' | '5.9' | '6.0' | '7.0'
  /** The program, for Node; null if it could not be installed. */
  readonly program: string | null
}

/** The project's own compiler, and the quickest. */
export const newestCompiler: Compiler = {
  version: '7.0', program: join(import.meta.dirname, '../../../node_modules/typescript/bin/tsc'),
}

/** From the oldest that can read the package's declarations to the newest. */
export const compilers: readonly Compiler[] = [
  ...(['5.4', '5.9', '6.0'] as const).map(version => ({ version, program: olderCompiler(version) })), newestCompiler,
]

/** What a compiler found wrong. */
export interface Complaint {
  /** As the compiler names it; empty if no file is at fault. */
  readonly file: string
  /** The line that it printed. */
  readonly text: string
}

/** Compiles a project. @throws Error if the compiler does not exist or fails without a word. */
export function compile(
  { version, program }: Compiler,
  folder: string,
  project: string,
  options: readonly string[] = [],
): readonly Complaint[] {
  if (program === null) throw new Error(`TypeScript ${version} could not be installed`)
  const { succeeded, output } = run(process.execPath, [program, '-p', project, '--pretty', 'false', ...options], folder)
  const complaints = output.split('\n').flatMap(line => {
    const found = /^(?:(\S.*?)\(\d+,\d+\): )?error TS\d+: /.exec(line)
    return found === null ? [] : [{ file: found[1] ?? '', text: line }]
  })
  if (!succeeded && complaints.length === 0) throw new Error(`TypeScript ${version} failed:\n${output}`)
  return complaints
}
