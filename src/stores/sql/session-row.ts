import type { SessionRecord } from '../../session/record.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { ListedSession, NextToken, Reauthentication, Rotation, TokenState } from '../../session/store.ts'
import { changeUntil } from '../apply.ts'
import { readFlag, readHandle, readInteger, readIntegerOrNull, readText, readTextOrNull } from './row.ts'
import type { Column, Row, SqlValue } from './row.ts'

/** The columns of a session, in the order of {@link sessionValues}. */
export const sessionColumns: readonly string[] = [
  'format', 'handle', 'user_id', 'tenant_id', 'created_at', 'authenticated_at',
  'refresh_hash', 'anchor_hash', 'refresh_key_id', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at',
  'idle_timeout', 'absolute_expiry', 'expires_at', 'access_token_lifetime', 'reuse_interval', 'persistent',
  'jwt_payload', 'payload_version', 'session_info', 'info_version', 'ip', 'user_agent',
]

/** The values of a session, in the order of {@link sessionColumns}. */
export function sessionValues(record: SessionRecord): SqlValue[] {
  return [
    record.format, record.handle, record.userId, record.tenantId, record.createdAt, record.authenticatedAt,
    record.refreshHash, record.anchorHash, record.refreshKeyId, record.generation, record.branch,
    Number(record.confirmed), record.rotatedAt, record.servedAt,
    record.idleTimeout, record.absoluteExpiry, record.expiresAt, record.accessTokenLifetime, record.reuseInterval,
    Number(record.persistent),
    record.jwtPayload, record.payloadVersion, record.sessionInfo, record.infoVersion,
    record.client.ip, record.client.userAgent,
  ]
}

/**
 * The columns of a session in a list, for {@link listedSessionFromRow}. JWT payload and session data are left out: they
 * can be long, and databases keep long values outside the row.
 */
export const listedColumns: readonly string[] = [
  'handle', 'user_id', 'tenant_id', 'created_at', 'rotated_at', 'expires_at', 'ip', 'user_agent',
]

/** The columns that a rotation sets besides `expires_at`, in the order of {@link nextValues}. */
export const nextColumns: readonly string[] = [
  'refresh_hash', 'refresh_key_id', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at', 'ip', 'user_agent',
]

/** The values that a rotation sets, in the order of {@link nextColumns}. */
export function nextValues(next: NextToken): SqlValue[] {
  return [
    next.refreshHash, next.refreshKeyId, next.generation, next.branch, Number(next.confirmed), next.rotatedAt,
    next.servedAt,
    next.client.ip, next.client.userAgent,
  ]
}

/** The columns that a re-authentication sets: those of a rotation and two more. */
export const reauthenticatedColumns: readonly string[] = [...nextColumns, 'anchor_hash', 'authenticated_at']

/** The values that a re-authentication sets, in the order of {@link reauthenticatedColumns}. */
export function reauthenticatedValues({ next }: Reauthentication): SqlValue[] {
  return [...nextValues(next), next.anchorHash, next.authenticatedAt]
}

/** The columns of the state of a session's token, in the order of {@link stateValues}. */
export const stateColumns: readonly string[] = [
  'refresh_hash', 'anchor_hash', 'generation', 'branch', 'confirmed', 'rotated_at', 'served_at',
]

/** The state of a session's token, in the order of {@link stateColumns}. */
export function stateValues(state: TokenState): SqlValue[] {
  const { refreshHash, anchorHash, generation, branch, confirmed, rotatedAt, servedAt } = state
  return [refreshHash, anchorHash, generation, branch, Number(confirmed), rotatedAt, servedAt]
}

/** The `until` of a change that names the sessions of these rows. */
export function keptUntil(rows: readonly Row[], from: EpochMilliseconds): EpochMilliseconds {
  return changeUntil(from, rows.map(row => readInteger(row, 'access_token_lifetime')))
}

/**
 * The values that a rotation expects, in the order of {@link expectedNames}. The last three are null if the record was
 * not read.
 */
export function expectedValues({ handle, expected, bounds }: Rotation): readonly SqlValue[] {
  const { refreshHash, anchorHash, generation, branch } = expected
  return [
    handle, refreshHash, anchorHash, generation, branch, bounds.now, bounds.rotatedAfter, bounds.createdAfter,
    ...expected.confirmed === undefined
      ? [null, null, null]
      : [Number(expected.confirmed), expected.rotatedAt, expected.servedAt],
  ]
}

/** The names of the values of {@link expectedValues}. */
export const expectedNames = [
  'handle', 'refresh_hash', 'anchor_hash', 'generation', 'branch', 'now', 'rotated_after', 'created_after',
  'confirmed', 'rotated_at', 'served_at',
] as const

/**
 * The condition of a rotation on a row of sessions, except for its handle (`Rotation.expected`, `Rotation.bounds`).
 * `row` is the prefix of the column names; `value` returns the expression for one of {@link expectedNames}.
 */
export function rotationCondition(row: string, value: (name: typeof expectedNames[number]) => string): string {
  return `${row}refresh_hash = ${value('refresh_hash')} AND ${row}anchor_hash = ${value('anchor_hash')}
    AND ${row}generation = ${value('generation')} AND ${row}branch = ${value('branch')}
    AND ${row}expires_at > ${value('now')} AND ${row}rotated_at > ${value('rotated_after')}
    AND ${row}created_at > ${value('created_after')}
    AND CASE WHEN ${value('confirmed')} IS NULL
      THEN ${row}generation = 0 OR ${row}reuse_interval = 0
        OR ${row}served_at < ${value('now')} - 2 * ${row}reuse_interval
        OR ${row}rotated_at < ${value('now')} - 6 * ${row}reuse_interval
      ELSE ${row}confirmed = ${value('confirmed')} AND ${row}rotated_at = ${value('rotated_at')}
        AND ${row}served_at = ${value('served_at')} END`
}

/**
 * The columns that a rotation does not change, and the expiry, which it computes. The anchor is left out: it is known.
 */
const keptByName = {
  format: 'format',
  reuseInterval: 'reuse_interval',
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

/** The columns that {@link rotatedSessionFromRow} needs, in the order of a row that is an array. */
export const keptColumns: readonly string[] = Object.values(keptByName)

const keptByPlace: Readonly<Record<keyof typeof keptByName, Column>> = {
  format: 0,
  reuseInterval: 1,
  userId: 2,
  tenantId: 3,
  createdAt: 4,
  authenticatedAt: 5,
  idleTimeout: 6,
  absoluteExpiry: 7,
  expiresAt: 8,
  accessTokenLifetime: 9,
  persistent: 10,
  jwtPayload: 11,
  payloadVersion: 12,
  sessionInfo: 13,
  infoVersion: 14,
}

/** Reads a session of a list from a row. @throws GeneralError if the row does not hold one. */
export function listedSessionFromRow(row: Row): ListedSession {
  return {
    handle: readHandle(row, 'handle'),
    userId: readText(row, 'user_id'),
    tenantId: readText(row, 'tenant_id'),
    createdAt: readInteger(row, 'created_at'),
    rotatedAt: readInteger(row, 'rotated_at'),
    expiresAt: readInteger(row, 'expires_at'),
    client: clientOf(row),
  }
}

/** Reads a session from a row. @throws GeneralError if the row does not hold one. */
export function sessionFromRow(row: Row): SessionRecord {
  return {
    handle: readHandle(row, 'handle'),
    refreshHash: readText(row, 'refresh_hash'),
    anchorHash: readText(row, 'anchor_hash'),
    refreshKeyId: readText(row, 'refresh_key_id'),
    generation: readInteger(row, 'generation'),
    branch: readInteger(row, 'branch'),
    confirmed: readFlag(row, 'confirmed'),
    rotatedAt: readInteger(row, 'rotated_at'),
    servedAt: readInteger(row, 'served_at'),
    client: clientOf(row),
    ...keptOf(row, keptByName),
  }
}

/** The session that a rotation has just written, from {@link keptColumns} of its row. @throws GeneralError */
export function rotatedSessionFromRow({ handle, expected, next }: Rotation, row: Row): SessionRecord {
  const { anchorHash } = expected
  return { handle, anchorHash, ...next, ...keptOf(row, Array.isArray(row) ? keptByPlace : keptByName) }
}

function clientOf(row: Row): SessionRecord['client'] {
  return { ip: readTextOrNull(row, 'ip'), userAgent: readTextOrNull(row, 'user_agent') }
}

function keptOf(row: Row, at: typeof keptByPlace): Omit<SessionRecord, 'handle' | 'anchorHash' | keyof NextToken> {
  return {
    format: readInteger(row, at.format),
    reuseInterval: readInteger(row, at.reuseInterval),
    userId: readText(row, at.userId),
    tenantId: readText(row, at.tenantId),
    createdAt: readInteger(row, at.createdAt),
    authenticatedAt: readInteger(row, at.authenticatedAt),
    idleTimeout: readInteger(row, at.idleTimeout),
    absoluteExpiry: readIntegerOrNull(row, at.absoluteExpiry),
    expiresAt: readInteger(row, at.expiresAt),
    accessTokenLifetime: readInteger(row, at.accessTokenLifetime),
    persistent: readFlag(row, at.persistent),
    jwtPayload: readText(row, at.jwtPayload),
    payloadVersion: readInteger(row, at.payloadVersion),
    sessionInfo: readText(row, at.sessionInfo),
    infoVersion: readInteger(row, at.infoVersion),
  }
}
