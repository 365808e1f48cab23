import { isSessionError } from '../base/errors.ts'

/** What a command reads from and writes to: the process's own, or a test's. */
export interface Terminal {
  /** A line of the answer. */
  out(line: string): void
  /** A line about what went wrong. */
  error(line: string): void
}

/** How a command ends: 0 done, 1 it could not be done, 2 it was asked wrongly. */
export type ExitCode = 0 | 1 | 2

/** One verb of the command line. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /** The whole help. */
  readonly help: string
  /** Does it. @throws UsageError if it was asked wrongly; anything else if it could not be done. */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** The words of a call do not fit; the message says which and how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What went wrong. A driver's own message is told only as the cause of ours, which holds no credentials (ST-07). */
export function reasonOf(error: unknown): string {
  if (isSessionError(error) && error.cause instanceof Error) return `${error.message} (${error.cause.message})`
  return error instanceof Error ? error.message : String(error)
}
