import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NextToken, Rotation } from '../../session/store.ts'
import { integerOf, listOf, textOf, unreadable } from './reply.ts'

/**
 * A session is one text of seven lines, since Redis and its scripts handle one value in a fraction of the time and
 * memory that a hash of its members takes:
 * 1. expiresAt
 * 2. hash of the refresh token
 * 3. generation, branch, confirmed, rotatedAt, servedAt, the client as JSON
 * 4. user id
 * 5. createdAt, authenticatedAt, idleTimeout, absoluteExpiry or `-`, accessTokenLifetime, persistent,
 *    name of the insertion, the tenant as JSON
 * 6. version and text of the JWT payload
 * 7. version and text of the session info
 *
 * `insertion` tells a command that was sent twice from another login.
 */
export function sessionText(record: SessionRecord, insertion: string): string {
  const { createdAt, authenticatedAt, idleTimeout, absoluteExpiry, accessTokenLifetime, persistent } = record
  return [
    record.expiresAt,
    line(record.refreshHash),
    tokenLine(record),
    line(record.userId),
    `${createdAt} ${authenticatedAt} ${idleTimeout} ${absoluteExpiry ?? '-'} ${accessTokenLifetime} `
      + `${Number(persistent)} ${insertion} ${JSON.stringify(record.tenantId)}`,
    `${record.payloadVersion} ${line(record.jwtPayload)}`,
    `${record.infoVersion} ${line(record.sessionInfo)}`,
  ].join('\n')
}

/** The line of a session that a rotation writes anew, beside the hash. */
export function tokenLine(token: Omit<NextToken, 'refreshHash'>): string {
  const { generation, branch, confirmed, rotatedAt, servedAt, client } = token
  return `${generation} ${branch} ${Number(confirmed)} ${rotatedAt} ${servedAt} `
    + JSON.stringify([client.ip, client.userAgent])
}

/** Any text as one line. JSON as this package writes it is one already. */
export function line(text: string): string {
  return /[\n\u0001]/.test(text) ? text.replaceAll('\u0001', '\u0001a').replaceAll('\n', '\u0001b') : text
}

/** Reads a session; null if there is none. @throws GeneralError if it is not one. */
export function sessionOf(handle: SessionHandle, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const [expiresAt = '', hash = '', token = '', ...rest] = textOf(reply).split('\n')
  const [generation, branch, confirmed, rotatedAt, servedAt, client] = words(token, 5)
  const [ip, userAgent] = listOf(parsed(client))
  return {
    handle,
    refreshHash: unlined(hash),
    generation: integerOf(generation),
    branch: integerOf(branch),
    confirmed: confirmed === '1',
    rotatedAt: integerOf(rotatedAt),
    servedAt: integerOf(servedAt),
    client: { ip: textOrNull(ip), userAgent: textOrNull(userAgent) },
    ...keptOf(expiresAt, rest),
  }
}

/** The session that a rotation has just written, from its lines but the hash and the token's. @throws GeneralError */
export function rotatedSessionOf({ handle, next }: Rotation, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const [expiresAt = '', ...rest] = textOf(reply).split('\n')
  return { handle, ...next, ...keptOf(expiresAt, rest) }
}

function keptOf(
  expiresAt: string,
  [user = '', fixed = '', payload = '', info = '']: readonly string[],
): Omit<SessionRecord, 'handle' | keyof NextToken> {
  const [
    createdAt, authenticatedAt, idleTimeout, absoluteExpiry, accessTokenLifetime, persistent, , tenant,
  ] = words(fixed, 7)
  const [payloadVersion, jwtPayload] = words(payload, 1)
  const [infoVersion, sessionInfo] = words(info, 1)
  return {
    userId: unlined(user),
    tenantId: textOf(parsed(tenant)),
    createdAt: integerOf(createdAt),
    authenticatedAt: integerOf(authenticatedAt),
    idleTimeout: integerOf(idleTimeout),
    absoluteExpiry: absoluteExpiry === '-' ? null : integerOf(absoluteExpiry),
    expiresAt: integerOf(expiresAt),
    accessTokenLifetime: integerOf(accessTokenLifetime),
    persistent: persistent === '1',
    jwtPayload: unlined(textOf(jwtPayload)),
    payloadVersion: integerOf(payloadVersion),
    sessionInfo: unlined(textOf(sessionInfo)),
    infoVersion: integerOf(infoVersion),
  }
}

/** The text that {@link line} was given. */
export function unlined(text: string): string {
  return text.includes('\u0001') ? text.replaceAll('\u0001b', '\n').replaceAll('\u0001a', '\u0001') : text
}

/** The first `count` words, and the rest as it is. */
function words(text: string, count: number): string[] {
  const parts: string[] = []
  let from = 0
  for (let index = 0; index < count; index++) {
    const to = text.indexOf(' ', from)
    if (to < 0) throw unreadable('a session')
    parts.push(text.slice(from, to))
    from = to + 1
  }
  parts.push(text.slice(from))
  return parts
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    throw unreadable('a session')
  }
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : textOf(value)
}
