import { GeneralError } from '../../base/errors.ts'
import { conditionOf, newerTables } from './migrations.ts'

/** What creates or updates the tables of a store that has a URL. */
const COMMAND = 'run "npx keyturn migrate <url>", or create the store with migrate: "auto"'

/**
 * The error for a database that lacks a table (`missing`) or a column (`outdated`) that the store expects. `cure` says
 * what creates or updates the tables.
 */
export function missingTables(
  condition: 'missing' | 'outdated' = 'missing',
  cause?: unknown,
  cure: string = COMMAND,
): GeneralError {
  return new GeneralError('MISUSE', `the tables of Keyturn are ${condition}: ${cure}`, {
    cause, reason: `tables-${condition}`,
  })
}

/** The error for a database user who lacks privileges: `INSERT ON keyturn_session`; null if the server names none. */
export function missingPrivileges(privileges: readonly string[] | null, cause?: unknown): GeneralError {
  const cure = privileges === null ? 'SELECT, INSERT, UPDATE and DELETE on each of them' : privileges.join(', ')
  return new GeneralError('MISUSE', `the database user lacks a privilege on the tables of Keyturn: grant ${cure}`, {
    cause, reason: 'privileges-missing',
  })
}

/**
 * Refuses tables of another version than that of the code; `version` is null if there are none. `cure`: as of
 * {@link missingTables}.
 * @throws GeneralError (`MISUSE`)
 */
export function requireVersion(version: number | null, newest: number, cure?: string): void {
  const condition = conditionOf(version, newest)
  if (condition === 'newer') throw newerTables()
  if (condition !== 'ready') throw missingTables(condition, undefined, cure)
}
