import { parseJsonObject } from '../base/json.ts'
import type { StoredSession } from '../session/core.ts'
import type { ClientInfo, SessionRecord } from '../session/record.ts'
import type { ListedSession } from '../session/store.ts'
import type { ShownClient, SessionDetail, SessionRow, Versioned } from './api-types.ts'
import { deviceName } from './device-name.ts'

/** A client, with the name of its device. Pure. */
export function showClient({ ip, userAgent }: ClientInfo): ShownClient {
  return { ip, userAgent, deviceName: deviceName(userAgent) }
}

/** A line of a list: an allowlist of fields. Pure. */
export function describeRow(session: ListedSession): SessionRow {
  const { handle, userId, tenantId, createdAt, rotatedAt, expiresAt, client } = session
  return { handle, userId, tenantId, createdAt, refreshedAt: rotatedAt, expiresAt, client: showClient(client) }
}

/** All of a session but what could be a secret or the digest of one. Pure. */
export function showSession({ record }: Pick<StoredSession<object, object>, 'record'>): SessionDetail {
  const { generation, branch, confirmed } = record
  return {
    ...describeRow(record),
    authenticatedAt: record.authenticatedAt,
    lifetimes: {
      accessToken: record.accessTokenLifetime, idleTimeout: record.idleTimeout, absoluteExpiry: record.absoluteExpiry,
      reuseInterval: record.reuseInterval,
    },
    lineage: { generation, branch, isConfirmed: confirmed, sentence: describeLineage(record) },
    isPersistent: record.persistent,
    refreshKeyId: record.refreshKeyId,
    jwtPayload: payloadOf(record),
    sessionInfo: infoOf(record),
  }
}

/** The JWT payload of a record, and its version. */
export function payloadOf({ jwtPayload, payloadVersion }: SessionRecord): Versioned {
  return { value: parseJsonObject(jwtPayload) ?? {}, version: payloadVersion }
}

/** The session data of a record, and its version. */
export function infoOf({ sessionInfo, infoVersion }: SessionRecord): Versioned {
  return { value: parseJsonObject(sessionInfo) ?? {}, version: infoVersion }
}

/** Where the current refresh token stands, in words. Pure. */
export function describeLineage(
  { generation, branch, confirmed }: Pick<SessionRecord, 'generation' | 'branch' | 'confirmed'>,
): string {
  if (generation === 0) return 'It was not refreshed since the login: the client has the refresh token of the login.'
  const often = generation === 1 ? 'once' : `${generation} times`
  const issued = branch === 0 ? ''
    : ` The client has not received the first answer to the last refresh: token ${branch + 1} was issued for it.`
  const stored = confirmed ? 'The client has certainly stored the current refresh token.'
    : 'It is not certain yet that the client has stored the current refresh token.'
  return `It was refreshed ${often}.${issued} ${stored}`
}

/** What the sessions of a list have in common; null: anything. */
export interface RowFilter {
  readonly tenantId: string | null
  readonly ip: string | null
  /** A part of the user agent, in upper or lower case. */
  readonly userAgent: string | null
}

/** The condition that a filter sets, as the store applies it to the logins of all users; null: none. Pure. */
export function rowCondition({ tenantId, ip, userAgent }: RowFilter): ((session: ListedSession) => boolean) | null {
  if (tenantId === null && ip === null && userAgent === null) return null
  const part = userAgent?.toLowerCase() ?? ''
  return ({ tenantId: ownTenant, client }) => (
    (tenantId === null || ownTenant === tenantId)
    && (ip === null || client.ip === ip)
    && (userAgent === null || client.userAgent?.toLowerCase().includes(part) === true)
  )
}
