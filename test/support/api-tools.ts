import { execFile } from 'node:child_process'
import { TestPackages } from './install-packages.ts'

// None of them needs its install scripts.
const packages = new TestPackages('api-tools', ['--ignore-scripts'])
const what = 'the tools for OpenAPI documents'

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | string | null
  /** Everything that it wrote, to both streams. */
  readonly output: string
}

/** Installs the tools of test/api-tools/package-lock.json, unless they are installed. */
export function installApiTools(): void {
  packages.install('linters and generators for OpenAPI documents')
}

/** The path of a file of one of the tools, or null if they could not be installed, which is an error if `CI=true`. */
export function findApiTool(path: string): string | null {
  return packages.find(what, path)
}

/** Runs a program to its end, at most for nine minutes. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<ProgramEnd> {
  const { cwd, env = {} } = options
  return new Promise(resolve => {
    const limits = { timeout: 540_000, maxBuffer: 100_000_000 }
    execFile(file, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env }, ...limits }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? error.signal ?? null, output: `${stdout}${stderr}` })
    })
  })
}
