import { runCommandLine } from '../../src/cli/run.ts'

/** The exit code and the output of a call of the command line. */
export interface Answer {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Runs one call of the command line in this process. */
export async function keyturn(...args: string[]): Promise<Answer> {
  const out: string[] = []
  const error: string[] = []
  const code = await runCommandLine(args, { out: line => out.push(line), error: line => error.push(line) })
  return { code, out: out.join('\n'), error: error.join('\n') }
}
