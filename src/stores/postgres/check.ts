import { GeneralError } from '../../base/errors.ts'
import { missingPrivileges, requireVersion } from '../sql/missing-tables.ts'
import { listPrivileges, neededPrivileges } from '../sql/privileges.ts'
import { readText, rowOf } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import { uncached } from './change-log.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'
import { newestVersion, readVersion } from './schema.ts'

/** The privileges that the database user needs on each table. */
export const postgresPrivileges: typeof neededPrivileges = {
  ...neededPrivileges,
  // The cleanup reads these tables with FOR UPDATE, for which PostgreSQL demands the privilege UPDATE.
  change: [...neededPrivileges.change, 'UPDATE'],
  event: [...neededPrivileges.event, 'UPDATE'],
  importClaim: [...neededPrivileges.importClaim, 'UPDATE'],
}

/** Creates the check of the tables and privileges. It writes nothing. */
export function createCheck(database: Database, names: PostgresNames): () => Promise<void> {
  const needed = listPrivileges(names, postgresPrivileges)
  const run = (text: string, values: unknown[] = []): Promise<Row[]> => database.transaction({ text, values })
  return async () => {
    requireVersion(await readVersion(run, names), newestVersion)
    const missing = await run(
      `SELECT needed.privilege || ' ON ' || needed.name AS entry
       FROM unnest($1::text[], $2::text[]) AS needed (name, privilege)
       WHERE NOT has_table_privilege(needed.name, needed.privilege) AND ${uncached}`,
      [needed.map(([name]) => name), needed.map(([, privilege]) => privilege)])
    if (missing.length > 0) throw missingPrivileges(missing.map(row => readText(rowOf(row), 'entry')))
    const [state] = await run(`SELECT current_setting('transaction_read_only') AS setting WHERE ${uncached}`)
    if (readText(rowOf(state), 'setting') === 'off') return
    throw new GeneralError('STORE_UNAVAILABLE', 'the PostgreSQL server accepts no writes: it is a standby, or '
      + 'default_transaction_read_only is on')
  }
}
