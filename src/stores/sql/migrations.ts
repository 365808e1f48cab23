import { GeneralError } from '../../base/errors.ts'
import type { StoreState } from '../kind.ts'

/** The statements that lead from one version of the schema to the next. Each can be run again without harm. */
export type Migration<Names> = (names: Names) => readonly string[]

/** What a migration run did. */
export interface MigrationResult {
  /** The version before the migration; 0 for an empty database. */
  readonly from: number
  /** The version after the migration. */
  readonly to: number
}

/**
 * The migrations that a database at `version` still needs.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated it.
 */
export function pending<Each>(migrations: readonly Each[], version: number): readonly Each[] {
  if (version > migrations.length) {
    throw newerTables()
  }
  return migrations.slice(version)
}

/** The error for tables that this version of the package does not know. */
export function newerTables(): GeneralError {
  return new GeneralError('MISUSE', 'a newer version of Keyturn has migrated this database: install that version here, '
    + 'too', { reason: 'tables-newer' })
}

/**
 * The condition of tables with this version; `newest` is the version of the code, null means that there are no tables.
 */
export function conditionOf(version: number | null, newest: number): StoreState['condition'] {
  if (version === null) return 'missing'
  return version === newest ? 'ready' : version < newest ? 'outdated' : 'newer'
}

/** Joins statements into a script. Migrations are indented by four spaces in their source. */
export function migrationScript(statements: readonly string[]): string {
  return statements.map(statement => `${statement.trim().replace(/^ {4}/gm, '')};\n`).join('')
}
