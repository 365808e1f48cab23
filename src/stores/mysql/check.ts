import { missingPrivileges, requireVersion } from '../sql/missing-tables.ts'
import { listPrivileges } from '../sql/privileges.ts'
import type { Privilege } from '../sql/privileges.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Database } from './database.ts'
import { isDenied } from './errors.ts'
import { newestVersion, readVersion } from './schema.ts'

/** Creates the check of the tables and privileges. It writes nothing. */
export function createCheck(database: Database, names: TableNames): () => Promise<void> {
  const columns = new Map([
    [names.session, 'handle'], [names.change, 'seq'], [names.key, 'kid'], [names.turn, 'task'],
    [names.notBefore, 'name'], [names.event, 'id'], [names.importClaim, 'handle'], [names.meta, 'name'],
  ])
  // MySQL has no function that tells a user's privileges. It checks them before it looks for rows.
  const statements: Readonly<Record<Privilege, (table: string, column: string) => string>> = {
    SELECT: (table, column) => `SELECT ${column} FROM ${table} WHERE FALSE`,
    INSERT: table => `INSERT INTO ${table} SELECT * FROM ${table} WHERE FALSE`,
    UPDATE: (table, column) => `UPDATE ${table} SET ${column} = ${column} WHERE FALSE`,
    DELETE: table => `DELETE FROM ${table} WHERE FALSE`,
  }
  return () => database.run(async ({ rows, change }) => {
    requireVersion(await readVersion(rows, names), newestVersion)
    const missing: string[] = []
    for (const [table, privilege] of listPrivileges(names)) {
      const sql = statements[privilege](table, columns.get(table) ?? '')
      try {
        await (privilege === 'SELECT' ? rows : change)(sql, [])
      } catch (error) {
        if (!isDenied(error)) throw error
        missing.push(`${privilege} ON ${table}`)
      }
    }
    if (missing.length > 0) throw missingPrivileges(missing)
  }, { repeatable: true })
}
