import type { ImportClaims } from '../../session/import-claims.ts'
import { notBeforeNames } from '../not-before.ts'
import { admissionOf, claimFromRow, claimValues, importCountFromRow } from '../sql/import-claim-row.ts'
import { sessionValues } from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import { statement } from './run.ts'
import type { Runner } from './run.ts'

/** The import claims in the database. An admission is one transaction, in the order of the store for SQLite files. */
export function createImportClaims({ one, all }: Runner, names: TableNames): ImportClaims {
  const texts = sqliteStatements(names)
  const find = statement(texts.findClaim)
  const insert = statement(texts.insertImported)
  const claimIt = statement(`${texts.addClaim} RETURNING 1`)
  const refusing = statement(texts.isImportRefused)
  const remove = statement(texts.removeRefusedImport)
  const count = statement(texts.countClaims)

  return {
    findImport: async handle => (await one(find(handle))).map(claimFromRow)[0] ?? null,

    async admitImport({ claim, record }) {
      const { handle } = record
      const refusers = notBeforeNames(record)
      const [, added = [], refused = [], , standing = []] = await all(
        insert(...sessionValues(record), record.expiresAt, handle, ...refusers, claim.issuedAt),
        claimIt(...claimValues(claim)),
        refusing(...refusers, handle),
        remove(handle, ...refusers, handle),
        find(handle),
      )
      return admissionOf(standing.map(claimFromRow)[0] ?? claim, added.length === 1, refused.length > 0)
    },

    countImports: async () => (await one(count())).map(importCountFromRow),
  }
}
