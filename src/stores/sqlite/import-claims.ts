import type { AdmittedImport, ImportAdmission, ImportClaims } from '../../session/import-claims.ts'
import { notBeforeNames } from '../not-before.ts'
import { admissionOf, claimFromRow, claimValues, importCountFromRow } from '../sql/import-claim-row.ts'
import { sessionValues } from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'
import { sqliteStatements } from './statements.ts'

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

/**
 * The import claims in the database. A claim and its session are written in one transaction, which waits for the disk.
 * The session comes first: it is added only where no claim is.
 */
export function createImportClaims({ durable, reads, writes }: Connections, names: TableNames): ImportClaims {
  const texts = sqliteStatements(names)
  const find = durable.rows(texts.findClaim)
  const insert = durable.changes(texts.insertImported)
  const claimIt = durable.changes(texts.addClaim)
  const refusing = durable.rows(texts.isImportRefused)
  const remove = durable.changes(texts.removeRefusedImport)
  const count = durable.rows(texts.countClaims)

  function admit({ claim, record }: ImportAdmission): AdmittedImport {
    const { handle } = record
    const refusers = notBeforeNames(record)
    insert(...sessionValues(record), record.expiresAt, handle, ...refusers, claim.issuedAt)
    const isFirst = claimIt(...claimValues(claim)) === 1
    const isRefused = refusing(...refusers, handle).length > 0
    if (isRefused) remove(handle, ...refusers, handle)
    return admissionOf(find(handle).map(claimFromRow)[0] ?? claim, isFirst, isRefused)
  }

  return {
    findImport: handle => reads.run(() => find(handle).map(claimFromRow)[0] ?? null),
    admitImport: admission => writes.run(() => durable.transaction(() => admit(admission))),
    countImports: () => reads.run(() => count().map(importCountFromRow)),
  }
}
