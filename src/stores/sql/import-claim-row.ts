import type { AdmittedImport, ImportClaim, ImportCount } from '../../session/import-claims.ts'
import { MILLISECONDS_PER_DAY } from '../import-counts.ts'
import { readHandle, readInteger, readText } from './row.ts'
import type { Row, SqlValue } from './row.ts'

/** The columns of a claim, in the order of {@link claimValues}. */
export const claimColumns: readonly string[] = [
  'handle', 'source', 'kid', 'proof', 'issued_at', 'admitted_at', 'until',
]

/** The values of a claim, in the order of {@link claimColumns}. */
export function claimValues(claim: ImportClaim): SqlValue[] {
  return [claim.handle, claim.source, claim.kid, claim.proof, claim.issuedAt, claim.admittedAt, claim.until]
}

/** Reads a claim from a row. @throws GeneralError if the row does not hold one. */
export function claimFromRow(row: Row): ImportClaim {
  return {
    handle: readHandle(row, 'handle'),
    source: readText(row, 'source'),
    kid: readText(row, 'kid'),
    proof: readText(row, 'proof'),
    issuedAt: readInteger(row, 'issued_at'),
    admittedAt: readInteger(row, 'admitted_at'),
    until: readInteger(row, 'until'),
  }
}

/** The result of an admission. `claim` is the one that stands. */
export function admissionOf(claim: ImportClaim, isFirst: boolean, isRefused: boolean): AdmittedImport {
  return { claim, outcome: isRefused ? 'refused' : isFirst ? 'admitted' : 'known' }
}

/** Reads a count from a row with `source`, `day` (in days) and `count`. @throws GeneralError if it is none. */
export function importCountFromRow(row: Row): ImportCount {
  return {
    source: readText(row, 'source'),
    day: readInteger(row, 'day') * MILLISECONDS_PER_DAY,
    count: readInteger(row, 'count'),
  }
}
