import type { SessionHandle } from '../../base/handle.ts'
import { expiryOf } from '../../session/policy.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { NextToken, PresentedState, Rotation, TokenState } from '../../session/store.ts'
import { integerOf, listOf, textOf, unreadable } from './reply.ts'

/**
 * A session is one text of nine lines, since Redis and its scripts handle one value in a fraction of the time and memory
 * that a hash of its members takes:
 * 1. expiresAt, rotatedAt, servedAt, confirmed
 * 2. hash of the refresh token
 * 3. hash of the anchor
 * 4. generation, branch
 * 5. the refresh key and the client, as JSON
 * 6. createdAt, idleTimeout, absoluteExpiry, authenticatedAt, accessTokenLifetime, reuseInterval, persistent, format,
 *    name of the insertion, the tenant
 * 7. user id
 * 8. version and text of the JWT payload
 * 9. version and text of the session info
 *
 * A rotation writes the first five. The numbers of the first line and the first six of the sixth are {@link sortable},
 * so that they are found by their places. `insertion` tells a command that was sent twice from another login.
 */
export function sessionText(record: SessionRecord, insertion: string): string {
  const { createdAt, authenticatedAt, idleTimeout, absoluteExpiry, accessTokenLifetime, reuseInterval } = record
  return [
    `${sortable(record.expiresAt)} ${nextText(record, record.anchorHash)}`
      + `${sortable(createdAt)} ${sortable(idleTimeout)} ${absoluteExpiry === null ? NEVER : sortable(absoluteExpiry)} `
      + `${sortable(authenticatedAt)} ${sortable(accessTokenLifetime)} ${sortable(reuseInterval)} `
      + `${Number(record.persistent)} ${record.format} ${insertion} ${line(record.tenantId)}`,
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

/** What a rotation writes: the first five lines without `expiresAt`. */
export function nextText(next: NextToken, anchorHash: string): string {
  const { refreshKeyId, client } = next
  return `${deliveryText(next)}\n${tokenText({ ...next, anchorHash })}`
    + `${JSON.stringify([refreshKeyId, client.ip, client.userAgent])}\n`
}

/** The second to fourth line: which token is the current one. */
export function tokenText(
  { refreshHash, anchorHash, generation, branch }: PresentedState | TokenState,
): string {
  return `${line(refreshHash)}\n${line(anchorHash)}\n${generation} ${branch}\n`
}

/** The first line without `expiresAt`: what is known of the delivery of the current token. */
export function deliveryText({ rotatedAt, servedAt, confirmed }: Pick<TokenState, 'rotatedAt' | 'servedAt' | 'confirmed'>): string {
  return `${sortable(rotatedAt)} ${sortable(servedAt)} ${Number(confirmed)}`
}

/** Any text as one line. JSON as this package writes it is one already. */
export function line(text: string): string {
  return /[\n\u0001]/.test(text) ? text.replaceAll('\u0001', '\u0001a').replaceAll('\n', '\u0001b') : text
}

/** Reads a session; null if there is none. @throws GeneralError if it is not one. */
export function sessionOf(handle: SessionHandle, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const text = textOf(reply)
  const anchor = after(text, '\n', 53)
  const place = after(text, '\n', anchor)
  const branch = after(text, ' ', place)
  const json = after(text, '\n', branch)
  const kept = after(text, '\n', json)
  const [refreshKeyId, ip, userAgent] = listOf(parsed(text.slice(json, kept - 1)))
  return {
    handle,
    refreshHash: unlined(text.slice(53, anchor - 1)),
    anchorHash: unlined(text.slice(anchor, place - 1)),
    refreshKeyId: textOf(refreshKeyId),
    generation: integerOf(text.slice(place, branch - 1)),
    branch: integerOf(text.slice(branch, json - 1)),
    confirmed: text[51] === '1',
    rotatedAt: integerOf(text.slice(17, 33)),
    servedAt: integerOf(text.slice(34, 50)),
    expiresAt: integerOf(text.slice(0, 16)),
    client: { ip: textOrNull(ip), userAgent: textOrNull(userAgent) },
    ...keptOf(text.slice(kept)),
  }
}

/** The session that a rotation has just written, from the lines that it left. @throws GeneralError */
export function rotatedSessionOf({ handle, expected, next }: Rotation, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const kept = keptOf(textOf(reply))
  const { anchorHash } = expected
  return { handle, anchorHash, ...next, expiresAt: expiryOf(next.rotatedAt, kept), ...kept }
}

/** Reads what a rotation leaves, which every refresh does: by places, which takes a third of what splitting does. */
function keptOf(text: string): Omit<SessionRecord, 'handle' | 'expiresAt' | 'anchorHash' | keyof NextToken> {
  const insertion = after(text, ' ', 104)
  const tenant = after(text, ' ', insertion)
  const user = after(text, '\n', tenant)
  const payload = after(text, '\n', user)
  const payloadText = after(text, ' ', payload)
  const info = after(text, '\n', payloadText)
  const infoText = after(text, ' ', info)
  const absoluteExpiry = text.slice(34, 50)
  return {
    format: integerOf(text.slice(104, insertion - 1)),
    userId: unlined(text.slice(user, payload - 1)),
    tenantId: unlined(text.slice(tenant, user - 1)),
    createdAt: integerOf(text.slice(0, 16)),
    authenticatedAt: integerOf(text.slice(51, 67)),
    idleTimeout: integerOf(text.slice(17, 33)),
    absoluteExpiry: absoluteExpiry === NEVER ? null : integerOf(absoluteExpiry),
    accessTokenLifetime: integerOf(text.slice(68, 84)),
    reuseInterval: integerOf(text.slice(85, 101)),
    persistent: text[102] === '1',
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable('a session')
  }
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : textOf(value)
}
