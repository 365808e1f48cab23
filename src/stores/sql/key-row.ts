import { keyPurposes } from '../../tokens/key-store.ts'
import type { StoredKey } from '../../tokens/key-store.ts'
import { readInteger, readText, unreadable } from './row.ts'
import type { Row, SqlValue } from './row.ts'

const algorithms = ['ES256', 'EdDSA', 'RS256', 'HS256', 'HMAC-SHA-256'] as const

/** The columns of a key, in the order of {@link keyValues}. */
export const keyColumns: readonly string[] = ['kid', 'purpose', 'algorithm', 'created_at', 'active_from', 'material']

/** The values of a key, in the order of {@link keyColumns}. */
export function keyValues(key: StoredKey): SqlValue[] {
  return [key.kid, key.purpose, key.algorithm, key.createdAt, key.activeFrom, key.material]
}

/** Reads a key from a row. @throws GeneralError if the row does not hold one. */
export function keyOf(row: Row): StoredKey {
  const purpose = keyPurposes.find(each => each === row['purpose'])
  const algorithm = algorithms.find(each => each === row['algorithm'])
  if (purpose === undefined) throw unreadable('purpose')
  if (algorithm === undefined) throw unreadable('algorithm')
  return {
    kid: readText(row, 'kid'),
    purpose,
    algorithm,
    createdAt: readInteger(row, 'created_at'),
    activeFrom: readInteger(row, 'active_from'),
    material: readText(row, 'material'),
  }
}
