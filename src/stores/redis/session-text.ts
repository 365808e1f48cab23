import type { SessionHandle } from '../../base/handle.ts'
import { expiryOf } from '../../session/policy.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NextToken, Rotation } from '../../session/store.ts'
import { integerOf, listOf, textOf, unreadable } from './reply.ts'

/**
 * A session is one text of six lines, since Redis and its scripts handle one value in a fraction of the time and memory
 * that a hash of its members takes:
 * 1. expiresAt, rotatedAt, hash of the refresh token
 * 2. generation, branch, confirmed, servedAt, the client as JSON
 * 3. createdAt, idleTimeout, absoluteExpiry, authenticatedAt, accessTokenLifetime, persistent, name of the insertion,
 *    the tenant
 * 4. user id
 * 5. version and text of the JWT payload
 * 6. version and text of the session info
 *
 * A rotation writes the first two. The numbers before the hash and the first five of the third line are
 * {@link sortable}, so that they are found by their places. `insertion` tells a command that was sent twice from another
 * login.
 */
export function sessionText(record: SessionRecord, insertion: string): string {
  const { createdAt, authenticatedAt, idleTimeout, absoluteExpiry, accessTokenLifetime, persistent } = record
  return [
    `${sortable(record.expiresAt)} ${rotatedLines(record)}`
      + `${sortable(createdAt)} ${sortable(idleTimeout)} ${absoluteExpiry === null ? NEVER : sortable(absoluteExpiry)} `
      + `${sortable(authenticatedAt)} ${sortable(accessTokenLifetime)} ${Number(persistent)} ${insertion} `
      + line(record.tenantId),
    line(record.userId),
    `${record.payloadVersion} ${line(record.jwtPayload)}`,
    `${record.infoVersion} ${line(record.sessionInfo)}`,
  ].join('\n')
}

/** In the place of a {@link sortable} number. */
const NEVER = '-'.repeat(16)

/** A whole number as a text that sorts as it does. Below zero only for a bound, which every number is above. */
export function sortable(value: number): string {
  return value < 0 ? '' : `${value}`.padStart(16, '0')
}

/** What a rotation writes of the first two lines: all but `expiresAt`. */
export function rotatedLines(token: NextToken): string {
  const { refreshHash, generation, branch, confirmed, rotatedAt, servedAt, client } = token
  return `${sortable(rotatedAt)} ${line(refreshHash)}\n${generation} ${branch} ${Number(confirmed)} ${servedAt} `
    + `${JSON.stringify([client.ip, client.userAgent])}\n`
}

/** Any text as one line. JSON as this package writes it is one already. */
export function line(text: string): string {
  return /[\n\u0001]/.test(text) ? text.replaceAll('\u0001', '\u0001a').replaceAll('\n', '\u0001b') : text
}

/** Reads a session; null if there is none. @throws GeneralError if it is not one. */
export function sessionOf(handle: SessionHandle, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const text = textOf(reply)
  const second = after(text, '\n', 34)
  const third = after(text, '\n', second)
  const [generation, branch, confirmed, servedAt, client] = words(text.slice(second, third - 1), 4)
  const [ip, userAgent] = listOf(parsed(client))
  return {
    handle,
    refreshHash: unlined(text.slice(34, second - 1)),
    generation: integerOf(generation),
    branch: integerOf(branch),
    confirmed: confirmed === '1',
    rotatedAt: integerOf(text.slice(17, 33)),
    servedAt: integerOf(servedAt),
    expiresAt: integerOf(text.slice(0, 16)),
    client: { ip: textOrNull(ip), userAgent: textOrNull(userAgent) },
    ...keptOf(text.slice(third)),
  }
}

/** The session that a rotation has just written, from the lines that it left. @throws GeneralError */
export function rotatedSessionOf({ handle, next }: Rotation, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const kept = keptOf(textOf(reply))
  return { handle, ...next, expiresAt: expiryOf(next.rotatedAt, kept), ...kept }
}

/** Reads what a rotation leaves, which every refresh does: by places, which takes a third of what splitting does. */
function keptOf(text: string): Omit<SessionRecord, 'handle' | 'expiresAt' | keyof NextToken> {
  const tenant = after(text, ' ', 87)
  const user = after(text, '\n', tenant)
  const payload = after(text, '\n', user)
  const payloadText = after(text, ' ', payload)
  const info = after(text, '\n', payloadText)
  const infoText = after(text, ' ', info)
  const absoluteExpiry = text.slice(34, 50)
  return {
    userId: unlined(text.slice(user, payload - 1)),
    tenantId: unlined(text.slice(tenant, user - 1)),
    createdAt: integerOf(text.slice(0, 16)),
    authenticatedAt: integerOf(text.slice(51, 67)),
    idleTimeout: integerOf(text.slice(17, 33)),
    absoluteExpiry: absoluteExpiry === NEVER ? null : integerOf(absoluteExpiry),
    accessTokenLifetime: integerOf(text.slice(68, 84)),
    persistent: text[85] === '1',
    jwtPayload: unlined(text.slice(payloadText, info - 1)),
    payloadVersion: integerOf(text.slice(payload, payloadText - 1)),
    sessionInfo: unlined(text.slice(infoText)),
    infoVersion: integerOf(text.slice(info, infoText - 1)),
  }
}

/** The place after the next such character. @throws GeneralError if there is none */
function after(text: string, character: string, from: number): number {
  const place = text.indexOf(character, from)
  if (place < 0) throw unreadable('a session')
  return place + 1
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
