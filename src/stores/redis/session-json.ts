import type { SessionHandle } from '../../base/handle.ts'
import { parseJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { expiryOf } from '../../session/policy.ts'
import { RECORD_FORMAT } from '../../session/record.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { ListedSession, NextToken, PresentedState, Rotation, TokenState } from '../../session/store.ts'
import { toFlag, toInteger, toObject, toText, unreadable, unreadableSession } from './reply.ts'

/**
 * How many bytes of a session to read, where JWT payload and session data, which can be long and come last, are not
 * needed: almost always that is enough. Where it is not, the whole session is read.
 */
export const HEAD_BYTES = 2048

/**
 * A session is one JSON document, since Redis, its scripts and its clients handle one value in a fraction of the time
 * and memory that a hash of its members takes:
 *
 * ```json
 * {"format":1,"expiresAt":0,"rotatedAt":0,"servedAt":0,"confirmed":false,"refreshHash":"","anchorHash":"",
 *  "generation":0,"branch":0,"refreshKeyId":"","client":{"ip":null,"userAgent":null},
 *  "session":{"createdAt":0,"idleTimeout":0,"absoluteExpiry":null,"reuseInterval":0,"authenticatedAt":0,
 *  "accessTokenLifetime":0,"persistent":true,"insertion":"","userId":"","tenantId":"","payloadVersion":0,
 *  "jwtPayload":"","infoVersion":0,"sessionInfo":""}}
 * ```
 *
 * A rotation writes the members before `session`. `insertion` distinguishes a command that was sent twice from another
 * login. The scripts look for members by their names, including quotes and colon. Text inside the document cannot
 * contain such a name, since JSON escapes its quotes. The scripts rely on this order and on this spelling; `format` is
 * their version.
 */
export function sessionJson(record: SessionRecord, insertion: string): string {
  return `{"format":${record.format},"expiresAt":${record.expiresAt},${nextJson(record, record.anchorHash)}"session":`
    + JSON.stringify({
      createdAt: record.createdAt,
      idleTimeout: record.idleTimeout,
      absoluteExpiry: record.absoluteExpiry,
      reuseInterval: record.reuseInterval,
      authenticatedAt: record.authenticatedAt,
      accessTokenLifetime: record.accessTokenLifetime,
      persistent: record.persistent,
      insertion,
      userId: record.userId,
      tenantId: record.tenantId,
      payloadVersion: record.payloadVersion,
      jwtPayload: record.jwtPayload,
      infoVersion: record.infoVersion,
      sessionInfo: record.sessionInfo,
    }) + '}'
}

/** The members that a rotation writes, except for `expiresAt`. */
export function nextJson(next: NextToken, anchorHash: string): string {
  const { refreshKeyId, client: { ip, userAgent } } = next
  return `${stateJson({ ...next, anchorHash })}"refreshKeyId":${JSON.stringify(refreshKeyId)},`
    + `"client":${JSON.stringify({ ip, userAgent })},`
}

/**
 * The members of the token's state: all of them, or only those that are known of a presented token. A space follows
 * `true`, so that a confirmation does not change the length.
 */
export function stateJson(state: PresentedState | TokenState): string {
  const { refreshHash, anchorHash, generation, branch } = state
  return `${deliveryJson(state)}"refreshHash":${JSON.stringify(refreshHash)},`
    + `"anchorHash":${JSON.stringify(anchorHash)},${placeJson(generation, branch)}`
}

function deliveryJson(state: PresentedState | TokenState): string {
  if (state.confirmed === undefined) return ''
  const { rotatedAt, servedAt, confirmed } = state
  return `"rotatedAt":${rotatedAt},"servedAt":${servedAt},"confirmed":${confirmed ? 'true ' : 'false'},`
}

/** The members that locate the current token in the tree of tokens. */
export function placeJson(generation: number, branch: number): string {
  return `"generation":${generation},"branch":${branch},`
}

/** Reads a session; null if there is none. @throws GeneralError if it is not a session, or has another format. */
export function parseSession(handle: SessionHandle, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const stored = parsedSession(toText(reply))
  return {
    handle,
    refreshHash: toText(stored['refreshHash']),
    anchorHash: toText(stored['anchorHash']),
    refreshKeyId: toText(stored['refreshKeyId']),
    generation: toInteger(stored['generation']),
    branch: toInteger(stored['branch']),
    confirmed: toFlag(stored['confirmed']),
    rotatedAt: toInteger(stored['rotatedAt']),
    servedAt: toInteger(stored['servedAt']),
    expiresAt: toInteger(stored['expiresAt']),
    client: clientOf(stored['client']),
    ...keptOf(stored['session']),
  }
}

/**
 * Reads what a list contains of a session from its head. Returns null if the head does not contain all of it.
 * @throws GeneralError as {@link parseSession}.
 */
export function parseListed(handle: SessionHandle, head: string): ListedSession | null {
  const end = head.indexOf(',"payloadVersion":')
  if (end === -1) return null
  const stored = parsedSession(`${head.slice(0, end)}}}`)
  const kept = toObject(stored['session'])
  return {
    handle,
    userId: toText(kept['userId']),
    tenantId: toText(kept['tenantId']),
    createdAt: toInteger(kept['createdAt']),
    rotatedAt: toInteger(stored['rotatedAt']),
    expiresAt: toInteger(stored['expiresAt']),
    client: clientOf(stored['client']),
  }
}

/** The session that a rotation has just written; `reply` begins at the member `session`. @throws GeneralError */
export function parseRotatedSession({ handle, expected, next }: Rotation, reply: unknown): SessionRecord | null {
  if (reply === null) return null
  const kept = keptOf(parsed(`{${toText(reply)}`)['session'])
  const { anchorHash } = expected
  return { handle, anchorHash, ...next, expiresAt: expiryOf(next.rotatedAt, kept), ...kept }
}

/** Reads the member `session`. */
function keptOf(value: unknown): Omit<SessionRecord, 'handle' | 'expiresAt' | 'anchorHash' | keyof NextToken> {
  const kept = toObject(value)
  const absoluteExpiry = kept['absoluteExpiry']
  return {
    format: RECORD_FORMAT,
    userId: toText(kept['userId']),
    tenantId: toText(kept['tenantId']),
    createdAt: toInteger(kept['createdAt']),
    authenticatedAt: toInteger(kept['authenticatedAt']),
    idleTimeout: toInteger(kept['idleTimeout']),
    absoluteExpiry: absoluteExpiry === null ? null : toInteger(absoluteExpiry),
    accessTokenLifetime: toInteger(kept['accessTokenLifetime']),
    reuseInterval: toInteger(kept['reuseInterval']),
    persistent: toFlag(kept['persistent']),
    jwtPayload: toText(kept['jwtPayload']),
    payloadVersion: toInteger(kept['payloadVersion']),
    sessionInfo: toText(kept['sessionInfo']),
    infoVersion: toInteger(kept['infoVersion']),
  }
}

function clientOf(value: unknown): SessionRecord['client'] {
  const { ip, userAgent } = toObject(value)
  return { ip: ip === null ? null : toText(ip), userAgent: userAgent === null ? null : toText(userAgent) }
}

function parsedSession(text: string): JsonObject {
  const stored = parsed(text)
  if (stored['format'] !== RECORD_FORMAT) throw unreadableSession(String(stored['format']))
  return stored
}

function parsed(text: string): JsonObject {
  const value = parseJsonObject(text)
  if (value === null) throw unreadable('a session')
  return value
}
