import { requireVersion } from '../sql/missing-tables.ts'
import type { MigrationResult } from '../sql/migrations.ts'
import { readText } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { migrationStatements, newestVersion } from '../sqlite/schema.ts'
import { toCallError } from './errors.ts'
import { statement } from './run.ts'
import type { RunStatements } from './run.ts'

/** The tables of a store. */
export interface Tables {
  readonly run: RunStatements
  readonly names: TableNames
  /** What creates or updates the tables, for errors. */
  readonly cure: string
}

/** The version of the tables; null if there are none. */
async function readVersion({ run, names, cure }: Tables): Promise<number | null> {
  const read = statement(`SELECT value FROM ${names.meta} WHERE name = 'schema'`)
  try {
    const [rows = []] = await run([read()])
    const [row] = rows
    return typeof row === 'object' && row !== null ? Number(readText({ ...row }, 'value')) : null
  } catch (cause) {
    const error = toCallError(cause, cure)
    if ('reason' in error && error.reason === 'tables-missing') return null
    throw error
  }
}

/** Refuses tables of another version, and a database without tables. @throws GeneralError (`MISUSE`) */
export async function requireSchema(tables: Tables): Promise<void> {
  requireVersion(await readVersion(tables), newestVersion, tables.cure)
}

/**
 * Brings the schema up to date, in one transaction. Any number of processes may call it at once: one migrates, the
 * others fail at the first statement and find nothing left to do.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database.
 */
export async function migrateSchema(tables: Tables): Promise<MigrationResult> {
  const { run, names, cure } = tables
  const from = await readVersion(tables)
  if (from === newestVersion) return { from, to: newestVersion }
  try {
    await run(migrationStatements(names, from ?? 0).map(sql => ({ sql, values: [] })))
  } catch (cause) {
    if (await readVersion(tables) !== newestVersion) throw toCallError(cause, cure)
  }
  return { from: from ?? 0, to: newestVersion }
}
