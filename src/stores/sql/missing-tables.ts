import { GeneralError } from '../../base/errors.ts'

/** The error for a database that lacks a table or column that the store expects. */
export function missingTables(cause?: unknown): GeneralError {
  return new GeneralError('MISUSE', 'the tables of Keyturn are missing or old: run "npx keyturn migrate <url>", '
    + 'or create the store with migrate: "auto"', { cause })
}
