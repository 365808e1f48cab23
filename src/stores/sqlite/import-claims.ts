import type { ImportAdmission, ImportClaims } from '../../session/import-claims.ts'
import { MILLISECONDS_PER_DAY } from '../import-counts.ts'
import { notBeforeNames } from '../not-before.ts'
import { claimColumns, claimFromRow, claimValues, importCountFromRow } from '../sql/import-claim-row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'

/** The table of import claims. */
export function importClaimTable({ importClaim }: TableNames): string {
  return `
    CREATE TABLE ${importClaim} (
      handle TEXT PRIMARY KEY NOT NULL,
      source TEXT NOT NULL,
      kid TEXT NOT NULL,
      proof TEXT NOT NULL,
      issued_at INTEGER NOT NULL,
      admitted_at INTEGER NOT NULL,
      until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ${importClaim}_by_until ON ${importClaim} (until);`
}

/** The import claims in the database. A claim and its session are written in one transaction, which waits for the disk. */
export function createImportClaims({ durable, reads, writes }: Connections, names: TableNames): ImportClaims {
  const list = (columns: readonly string[]): string => columns.map(() => '?').join(', ')
  const find = durable.rows(`SELECT ${claimColumns.join(', ')} FROM ${names.importClaim} WHERE handle = ?`)
  const claimIt = durable.changes(
    `INSERT INTO ${names.importClaim} (${claimColumns.join(', ')}) VALUES (${list(claimColumns)})
     ON CONFLICT DO NOTHING`)
  const refusing = durable.rows(`SELECT 1 FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ? LIMIT 1`)
  const insert = durable.changes(
    `INSERT INTO ${names.session} (${sessionColumns.join(', ')}, sweep_at) VALUES (${list(sessionColumns)}, ?)`)
  const remove = durable.changes(`DELETE FROM ${names.session} WHERE handle = ? AND generation = 0`)
  const count = durable.rows(
    `SELECT source, admitted_at / ${MILLISECONDS_PER_DAY} AS day, count(*) AS count FROM ${names.importClaim}
     GROUP BY 2, 1 ORDER BY 2, 1`)

  function admit({ claim: given, record }: ImportAdmission): Awaited<ReturnType<ImportClaims['admitImport']>> {
    const isFirst = claimIt(...claimValues(given)) === 1
    const claim = isFirst ? given : find(record.handle).map(claimFromRow)[0] ?? given
    if (refusing(...notBeforeNames(record), claim.issuedAt).length > 0) {
      remove(record.handle)
      return { claim, outcome: 'refused' }
    }
    if (isFirst) insert(...sessionValues(record), record.expiresAt)
    return { claim, outcome: isFirst ? 'admitted' : 'known' }
  }

  return {
    findImport: handle => reads.run(() => find(handle).map(claimFromRow)[0] ?? null),
    admitImport: admission => writes.run(() => durable.transaction(() => admit(admission))),
    countImports: () => reads.run(() => count().map(importCountFromRow)),
  }
}
