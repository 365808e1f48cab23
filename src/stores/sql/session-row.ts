import type { SessionRecord } from '../../session/record.ts'
import type { NextToken, Rotation } from '../../session/store.ts'
import { flag, handle, integer, integerOrNull, text, textOrNull } from './row.ts'
import type { Column, Row, SqlValue } from './row.ts'

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

/** The columns that a rotation sets, beside `expires_at`, in the order of {@link nextValues}. */
export const nextColumns: readonly string[] = [
  'refresh_hash', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at', 'ip', 'user_agent',
]

/** What a rotation sets, in the order of {@link nextColumns}. */
export function nextValues(next: NextToken): SqlValue[] {
  return [
    next.refreshHash, next.generation, next.branch, Number(next.confirmed), next.rotatedAt, next.servedAt,
    next.client.ip, next.client.userAgent,
  ]
}

/** What a rotation expects: handle and hash, and what `expires_at`, `rotated_at` and `created_at` must be above. */
export function expectedValues({ handle, expectedHash, alive }: Rotation): readonly (string | number)[] {
  return [handle, expectedHash, alive.now, alive.rotatedAfter, alive.createdAfter]
}

/** The columns that a rotation leaves as they are, but for the expiry that it moves. */
const keptByName = {
  userId: 'user_id',
  tenantId: 'tenant_id',
  createdAt: 'created_at',
  authenticatedAt: 'authenticated_at',
  idleTimeout: 'idle_timeout',
  absoluteExpiry: 'absolute_expiry',
  expiresAt: 'expires_at',
  accessTokenLifetime: 'access_token_lifetime',
  persistent: 'persistent',
  jwtPayload: 'jwt_payload',
  payloadVersion: 'payload_version',
  sessionInfo: 'session_info',
  infoVersion: 'info_version',
}

/** The columns that {@link rotatedSessionOf} needs, in the order of a row that is an array. */
export const keptColumns: readonly string[] = Object.values(keptByName)

const keptByPlace: Readonly<Record<keyof typeof keptByName, Column>> = {
  userId: 0,
  tenantId: 1,
  createdAt: 2,
  authenticatedAt: 3,
  idleTimeout: 4,
  absoluteExpiry: 5,
  expiresAt: 6,
  accessTokenLifetime: 7,
  persistent: 8,
  jwtPayload: 9,
  payloadVersion: 10,
  sessionInfo: 11,
  infoVersion: 12,
}

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
    ...keptOf(row, keptByName),
  }
}

/** The session that a rotation has just written, from {@link keptColumns} of its row. @throws GeneralError */
export function rotatedSessionOf({ handle, next }: Pick<Rotation, 'handle' | 'next'>, row: Row): SessionRecord {
  return { handle, ...next, ...keptOf(row, Array.isArray(row) ? keptByPlace : keptByName) }
}

function keptOf(row: Row, at: typeof keptByPlace): Omit<SessionRecord, 'handle' | keyof NextToken> {
  return {
    userId: text(row, at.userId),
    tenantId: text(row, at.tenantId),
    createdAt: integer(row, at.createdAt),
    authenticatedAt: integer(row, at.authenticatedAt),
    idleTimeout: integer(row, at.idleTimeout),
    absoluteExpiry: integerOrNull(row, at.absoluteExpiry),
    expiresAt: integer(row, at.expiresAt),
    accessTokenLifetime: integer(row, at.accessTokenLifetime),
    persistent: flag(row, at.persistent),
    jwtPayload: text(row, at.jwtPayload),
    payloadVersion: integer(row, at.payloadVersion),
    sessionInfo: text(row, at.sessionInfo),
    infoVersion: integer(row, at.infoVersion),
  }
}
