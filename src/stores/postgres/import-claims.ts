import { GeneralError } from '../../base/errors.ts'
import type { ImportClaims } from '../../session/import-claims.ts'
import { MILLISECONDS_PER_DAY } from '../import-counts.ts'
import { notBeforeNames } from '../not-before.ts'
import { claimColumns, claimFromRow, claimValues, importCountFromRow } from '../sql/import-claim-row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import { durably, uncached } from './change-log.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'

/** The table of import claims. */
export function importClaimTable(names: PostgresNames): readonly string[] {
  return [`
    CREATE TABLE IF NOT EXISTS ${names.importClaim} (
      handle text COLLATE "C" PRIMARY KEY,
      source text COLLATE "C" NOT NULL,
      kid text COLLATE "C" NOT NULL,
      proof text COLLATE "C" NOT NULL,
      issued_at bigint NOT NULL,
      admitted_at bigint NOT NULL,
      until bigint NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS ${names.index('importClaim', 'by_until')} ON ${names.importClaim} (until)`,
  ]
}

/**
 * The import claims in the database: two statements, as for a login. The first adds claim and session, both or neither,
 * and is committed before the second looks for not-befores: so of an admission and a removal that run at once, the
 * later sees the other.
 */
export function createImportClaims(database: Database, names: PostgresNames): ImportClaims {
  const claims = claimColumns.join(', ')
  const columns = [...sessionColumns, 'sweep_at']
  const parameters = (count: number, from: number): string =>
    Array.from({ length: count }, (_, index) => `$${from + index}`).join(', ')
  const find = database.statement(
    `SELECT ${claims} FROM ${names.importClaim} WHERE handle = $1 AND ${uncached}`, { repeatable: true })
  const add = database.statement(
    `WITH claimed AS (
       INSERT INTO ${names.importClaim} (${claims}) VALUES (${parameters(claimColumns.length, 1)})
       ON CONFLICT DO NOTHING RETURNING handle
     ),
     added AS (
       INSERT INTO ${names.session} (${columns.join(', ')})
       SELECT given.* FROM (VALUES (${sessionColumns.map((column, index) => (
         `$${claimColumns.length + 1 + index}::${integers.has(column) ? 'bigint' : 'text'}`
       )).join(', ')}, $${claimColumns.length + columns.length}::bigint)) AS given, claimed
     )
     SELECT handle, ${durably} FROM claimed`)
  const settle = database.statement(
    `WITH standing AS (SELECT ${claims} FROM ${names.importClaim} WHERE handle = $1),
     refusing AS (
       SELECT FROM ${names.notBefore} AS known, standing
       WHERE known.name = ANY ($2::text[]) AND known.time > standing.issued_at LIMIT 1
     ),
     gone AS (
       DELETE FROM ${names.session} WHERE handle = $1 AND generation = 0 AND EXISTS (SELECT FROM refusing)
     )
     SELECT ${claims}, EXISTS (SELECT FROM refusing) AS refused, ${durably} FROM standing`, { repeatable: true })
  const count = database.statement(
    `SELECT source, admitted_at / ${MILLISECONDS_PER_DAY} AS day, count(*) AS count FROM ${names.importClaim}
     WHERE ${uncached} GROUP BY 2, 1 ORDER BY 2, 1`, { repeatable: true })
  return {
    findImport: async handle => (await find(handle)).map(claimFromRow)[0] ?? null,

    async admitImport({ claim, record }) {
      const added = await add(...claimValues(claim), ...sessionValues(record), record.expiresAt)
      const [row] = await settle(record.handle, notBeforeNames(record))
      if (row === undefined) throw new GeneralError('STORE_UNAVAILABLE', 'the import claim is not in the database')
      const outcome = row['refused'] === true ? 'refused' : added.length === 1 ? 'admitted' : 'known'
      return { claim: claimFromRow(row), outcome }
    },

    countImports: async () => (await count()).map(importCountFromRow),
  }
}

/** The columns of a session that hold numbers: a list of values has no types of its own. */
const integers: ReadonlySet<string> = new Set([
  'format', 'created_at', 'authenticated_at', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at',
  'idle_timeout', 'absolute_expiry', 'expires_at', 'access_token_lifetime', 'reuse_interval', 'persistent',
  'payload_version', 'info_version',
])
