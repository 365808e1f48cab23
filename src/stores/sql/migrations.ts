import { GeneralError } from '../../base/errors.ts'

/** The statements that lead from one version of the schema to the next. Each may be run again without harm. */
export type Migration<Names> = (names: Names) => readonly string[]

/** What a migration run did. */
export interface MigrationResult {
  /** The version that was found; 0 for an empty database. */
  readonly from: number
  /** The version that is there now. */
  readonly to: number
}

/**
 * The migrations that a database at `version` still needs.
 * @throws GeneralError (`MISUSE`) if a newer Keyturn has migrated it.
 */
export function pending<Names>(migrations: readonly Migration<Names>[], version: number): readonly Migration<Names>[] {
  if (version > migrations.length) {
    throw new GeneralError('MISUSE', 'a newer version of Keyturn has migrated this database')
  }
  return migrations.slice(version)
}

/** Writes statements as a script. Migrations are indented by four spaces in their source. */
export function script(statements: readonly string[]): string {
  return statements.map(statement => `${statement.trim().replace(/^ {4}/gm, '')};\n`).join('')
}
