import { GeneralError } from '../../base/errors.ts'
import type { ImportAdmission, ImportClaims } from '../../session/import-claims.ts'
import { MILLISECONDS_PER_DAY } from '../import-counts.ts'
import { notBeforeNames } from '../not-before.ts'
import { claimColumns, claimFromRow, claimValues, importCountFromRow } from '../sql/import-claim-row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { selection } from './columns.ts'
import { together } from './database.ts'
import type { Database, Runner } from './database.ts'
import { isDuplicate } from './errors.ts'

/** The table of import claims. */
export function importClaimTable({ importClaim }: TableNames): string {
  return `
    CREATE TABLE IF NOT EXISTS ${importClaim} (
      handle CHAR(23) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      source VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kid VARBINARY(255) NOT NULL,
      proof VARCHAR(255) NOT NULL,
      issued_at BIGINT NOT NULL,
      admitted_at BIGINT NOT NULL,
      until BIGINT NOT NULL,
      KEY by_until (until)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`
}

/**
 * The import claims in the database. Claim and session are added in one transaction, which is committed before the
 * not-befores are read: so of an admission and a removal that run at once, the later sees the other.
 */
export function createImportClaims(database: Database, names: TableNames): ImportClaims {
  const list = (columns: readonly string[]): string => columns.map(() => '?').join(', ')
  const find = `SELECT ${selection(claimColumns)} FROM ${names.importClaim} WHERE handle = ?`
  const claimIt = `INSERT INTO ${names.importClaim} (${claimColumns.join(', ')}) VALUES (${list(claimColumns)})`
  const insert =
    `INSERT INTO ${names.session} (${sessionColumns.join(', ')}, sweep_at) VALUES (${list(sessionColumns)}, ?)`
  const refusing = `SELECT time FROM ${names.notBefore} WHERE name IN (?, ?, ?) AND time > ?`
  const remove = `DELETE FROM ${names.session} WHERE handle = ? AND generation = 0`
  const count =
    `SELECT source, admitted_at DIV ${MILLISECONDS_PER_DAY} AS day, COUNT(*) AS count FROM ${names.importClaim}
     GROUP BY source, day ORDER BY day, source`

  /** Adds both; false if there is a claim. */
  async function add(runner: Runner, { claim, record }: ImportAdmission): Promise<boolean> {
    try {
      await together(runner, async () => {
        await runner.change(claimIt, claimValues(claim))
        await runner.change(insert, [...sessionValues(record), record.expiresAt])
      })
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  return {
    findImport: handle => database.run(async ({ rows }) => (await rows(find, [handle])).map(claimFromRow)[0] ?? null, {
      repeatable: true,
    }),

    admitImport(admission) {
      const { handle } = admission.record
      let isFirst = false
      return database.run(async runner => {
        isFirst ||= await add(runner, admission)
        const [row] = await runner.rows(find, [handle])
        if (row === undefined) throw new GeneralError('STORE_UNAVAILABLE', 'the import claim is not in the database')
        const claim = claimFromRow(row)
        const refused = await runner.rows(refusing, [...notBeforeNames(admission.record), claim.issuedAt])
        if (refused.length === 0) return { claim, outcome: isFirst ? 'admitted' : 'known' }
        await runner.change(remove, [handle])
        return { claim, outcome: 'refused' }
      })
    },

    countImports: () => database.run(async ({ rows }) => (await rows(count, [])).map(importCountFromRow), {
      repeatable: true,
    }),
  }
}
