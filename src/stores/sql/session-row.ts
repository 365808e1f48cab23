import type { SessionRecord } from '../../session/record.ts'
import type { NextToken, Rotation } from '../../session/store.ts'
import { flag, handle, integer, integerOrNull, text, textOrNull } from './row.ts'
import type { Row, SqlValue } from './row.ts'

/** The columns of a session, in the order of {@link sessionValues}. */
export const sessionColumns: readonly string[] = [
  'handle', 'user_id', 'tenant_id', 'created_at', 'authenticated_at',
  'refresh_hash', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at',
  'idle_timeout', 'absolute_expiry', 'expires_at', 'access_token_lifetime', 'persistent',
  'jwt_payload', 'payload_version', 'session_info', 'info_version', 'ip', 'user_agent',
]

/** The values of a session, in the order of {@link sessionColumns}. */
export function sessionValues(record: SessionRecord): SqlValue[] {
  return [
    record.handle, record.userId, record.tenantId, record.createdAt, record.authenticatedAt,
    record.refreshHash, record.generation, record.branch, Number(record.confirmed), record.rotatedAt, record.servedAt,
    record.idleTimeout, record.absoluteExpiry, record.expiresAt, record.accessTokenLifetime, Number(record.persistent),
    record.jwtPayload, record.payloadVersion, record.sessionInfo, record.infoVersion,
    record.client.ip, record.client.userAgent,
  ]
}

/** What a rotation writes, and the key that it finds the row by: known without a look at the row. */
const writtenColumns: ReadonlySet<string> = new Set([
  'handle', 'refresh_hash', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at', 'ip', 'user_agent',
])

/** The columns that {@link rotatedSessionOf} needs. */
export const keptColumns: readonly string[] = sessionColumns.filter(column => !writtenColumns.has(column))

/** Reads a session from a row. @throws GeneralError if the row does not hold one. */
export function sessionOf(row: Row): SessionRecord {
  return {
    handle: handle(row, 'handle'),
    refreshHash: text(row, 'refresh_hash'),
    generation: integer(row, 'generation'),
    branch: integer(row, 'branch'),
    confirmed: flag(row, 'confirmed'),
    rotatedAt: integer(row, 'rotated_at'),
    servedAt: integer(row, 'served_at'),
    client: { ip: textOrNull(row, 'ip'), userAgent: textOrNull(row, 'user_agent') },
    ...keptOf(row),
  }
}

/** The session that a rotation has just written, from {@link keptColumns} of its row. @throws GeneralError */
export function rotatedSessionOf({ handle, next }: Pick<Rotation, 'handle' | 'next'>, row: Row): SessionRecord {
  return { handle, ...next, ...keptOf(row) }
}

function keptOf(row: Row): Omit<SessionRecord, 'handle' | keyof NextToken> {
  return {
    userId: text(row, 'user_id'),
    tenantId: text(row, 'tenant_id'),
    createdAt: integer(row, 'created_at'),
    authenticatedAt: integer(row, 'authenticated_at'),
    idleTimeout: integer(row, 'idle_timeout'),
    absoluteExpiry: integerOrNull(row, 'absolute_expiry'),
    expiresAt: integer(row, 'expires_at'),
    accessTokenLifetime: integer(row, 'access_token_lifetime'),
    persistent: flag(row, 'persistent'),
    jwtPayload: text(row, 'jwt_payload'),
    payloadVersion: integer(row, 'payload_version'),
    sessionInfo: text(row, 'session_info'),
    infoVersion: integer(row, 'info_version'),
  }
}
