import { isSessionError } from '../base/errors.ts'

/** What a command writes to: standard output and standard error of the process, or a test's own. */
export interface Terminal {
  /** Writes a line of the result. */
  out(line: string): void
  /** Writes a line about a problem. */
  error(line: string): void
}

/** 0: success. 1: the command failed, or found nothing. 2: it was called with invalid arguments. */
export type ExitCode = 0 | 1 | 2

/** One command of the program `keyturn`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /** The text of `--help`. */
  readonly help: string
  /** Runs the command. @throws UsageError if it was called with invalid arguments; any other error if it failed. */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** A command was called with invalid arguments. The message says which, and what is accepted. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The message of an error. A driver's message appears only as the cause of Keyturn's, without credentials (ST-07). */
export function reasonOf(error: unknown): string {
  if (isSessionError(error) && error.cause instanceof Error) return `${error.message} (${error.cause.message})`
  return error instanceof Error ? error.message : String(error)
}
