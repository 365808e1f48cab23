import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../base/json.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { admitSession, prepareSession } from '../session/create.ts'
import { isAhead } from '../session/decide-refresh.ts'
import { updatePayload } from '../session/manage.ts'
import { accessTokenExpiry, isAlive, livenessAt } from '../session/policy.ts'
import type { ClientInfo, SessionRecord } from '../session/record.ts'
import { rotate } from '../session/rotate.ts'
import type { TheftOutcome } from '../session/rotation-outcome.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { SigningPurpose } from '../tokens/key-store.ts'
import type { App } from './app.ts'
import {
  hasProtectedClaim, keyNameOf, readCoreAccessToken, writeCoreAccessToken,
} from './core-protocol/access-token.ts'
import type { CoreAccessToken, CoreClaims } from './core-protocol/access-token.ts'
import type { AccessTokenVersion } from './core-protocol/protocol.ts'
import { antiCsrfTokenOf, readMarks, sha256Hex, writeMarks } from './core-protocol/refresh-token.ts'

/** How an access token is to be written. */
export interface TokenStyle {
  readonly version: AccessTokenVersion
  readonly hasAntiCsrf: boolean
  /** Which kind of key signs; null: the kind that the session had. */
  readonly isDynamic: boolean | null
  /** How long the token lives; null: as the session's do. */
  readonly lifetime: Milliseconds | null
}

/** A token, and when it begins and ends. */
export interface DatedToken {
  readonly token: string
  readonly createdAt: EpochMilliseconds
  readonly expiresAt: EpochMilliseconds
}

/** What identifies a session, and what its access token says. */
export interface SessionFacts {
  readonly handle: string
  readonly userId: string
  readonly tenantId: string
  readonly payload: JsonObject
}

/** A pair of tokens for a session. */
export interface IssuedPair {
  readonly session: SessionFacts
  readonly accessToken: DatedToken
  readonly refreshToken: DatedToken
  readonly antiCsrfToken: string | null
}

/** The payload has a name that belongs to the protocol. */
export interface ProtectedClaimOutcome {
  readonly kind: 'protected-claim'
}

const protectedClaim: ProtectedClaimOutcome = { kind: 'protected-claim' }
const unauthorized = { kind: 'unauthorized' } as const
const refreshRequired = { kind: 'refresh-required' } as const

/** Starts a session. One store call. Nothing is stored if the payload is refused. */
export async function createSession(
  app: App,
  session: Omit<SessionFacts, 'handle'> & { readonly info: JsonObject },
  client: ClientInfo,
  style: TokenStyle,
): Promise<{ readonly kind: 'issued'; readonly pair: IssuedPair } | ProtectedClaimOutcome> {
  if (hasProtectedClaim(session.payload, style.version)) return protectedClaim
  const { record, refreshToken } = await prepareSession(app, {
    userId: session.userId,
    // The channel is the SDK's business; tokens of these sessions are not bound to one.
    mode: 'header',
    client,
    jwtPayload: session.payload,
    sessionInfo: session.info,
    options: { tenantId: session.tenantId },
  })
  const ring = await app.keys.current()
  const pair = await issuePair(app, ring, record, { token: refreshToken, parent: null }, style, record.createdAt)
  await admitSession(app, record)
  return { kind: 'issued', pair }
}

/** How a refresh ended. */
export type RefreshOutcome =
  | { readonly kind: 'issued'; readonly pair: IssuedPair }
  | { readonly kind: 'unauthorized' }
  | TheftOutcome
  | ProtectedClaimOutcome

/** How the tokens of a refresh are to be written. */
export interface RefreshStyle extends TokenStyle {
  /** Whether the access token names the refresh token it was exchanged for, so that SDKs ask about its first use. */
  readonly namesParent: boolean
}

/** Exchanges a refresh token. One store call for an ordinary rotation. */
export async function refreshSession(
  app: App,
  text: string,
  client: ClientInfo,
  antiCsrfToken: string | null,
  style: RefreshStyle,
): Promise<RefreshOutcome> {
  const { token, hasAntiCsrf, isStatic } = readMarks(text)
  if (style.hasAntiCsrf && hasAntiCsrf && antiCsrfToken !== antiCsrfTokenOf(text)) return unauthorized
  const outcome = await rotate(app, token, 'header', client)
  if (outcome.kind !== 'rotated') return outcome.kind === 'theft' ? outcome : unauthorized
  const { record, refreshToken, ring, now, how } = outcome
  if (hasProtectedClaim(app.payloads.read(record.jwtPayload), style.version)) return protectedClaim
  const isDynamic = style.isDynamic ?? !isStatic
  const parent = style.namesParent && refreshToken !== token ? text : null
  const pair = await issuePair(app, ring, record, { token: refreshToken, parent }, { ...style, isDynamic }, now)
  app.emit('onSessionRefreshed', { userId: record.userId, handle: record.handle, how })
  return { kind: 'issued', pair }
}

/** How a verification ended. */
export type VerifyOutcome =
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'refresh-required' }
  | {
    readonly kind: 'active'
    /** With the token's payload, or the stored one if the token was written anew. */
    readonly session: SessionFacts
    readonly token: CoreAccessToken
    /** Whether the store was asked and has another payload than the token. */
    readonly hasNewerPayload: boolean
    /** What to use instead of the token from now on, if anything. */
    readonly reissued: DatedToken | null
  }
  | ProtectedClaimOutcome

/**
 * Judges an access token. The store is asked with `checkDatabase`, and by `reissues` for a token that names its parent:
 * one call. Nothing is written on the way; a token that has been out for long is noted as a confirmation.
 */
export async function verifySession(
  app: App,
  text: string,
  demands: {
    /** The anti-CSRF token that came with the request, or null if none is demanded. */
    readonly antiCsrf: { readonly given: string | null } | null
    readonly checkDatabase: boolean
    /** Whether the caller takes another access token: one with the stored payload, one that names no parent. */
    readonly reissues: boolean
  },
): Promise<VerifyOutcome> {
  const token = await readToken(app, text)
  const now = app.clock()
  if (token === null || token.claims.expiresAt * 1000 <= now) return refreshRequired
  const { claims, payload } = token
  const { antiCsrf, checkDatabase, reissues } = demands
  if (antiCsrf !== null && (claims.antiCsrfToken === null || claims.antiCsrfToken !== antiCsrf.given)) {
    return refreshRequired
  }
  const { handle, userId, place } = claims
  app.confirmations.observe({
    sid: handle, gen: place.generation, brn: place.branch, iat: claims.issuedAt, exp: claims.expiresAt,
    ri: claims.reuseInterval,
  }, now)
  const namesParent = claims.parentRefreshTokenHash1 !== null
  if (!checkDatabase && !(reissues && namesParent)) {
    const session = { handle, userId, tenantId: claims.tenantId, payload }
    return { kind: 'active', session, token, hasNewerPayload: false, reissued: null }
  }
  const record = await findAlive(app, handle)
  if (record === null) return unauthorized
  const stored = app.payloads.read(record.jwtPayload)
  const hasNewerPayload = !isDeepStrictEqual(stored, payload)
  const session = { handle, userId, tenantId: record.tenantId, payload }
  // A token that the session has gone on without lives out its time and gets no other.
  const isDue = hasNewerPayload || (namesParent && !isAhead(record, place))
  if (!reissues || !isDue) return { kind: 'active', session, token, hasNewerPayload, reissued: null }
  if (hasProtectedClaim(stored, token.version)) return protectedClaim
  const expiresAt = accessTokenExpiry(now, record.accessTokenLifetime, record)
  const reissued = await reissue(app, token, stored, { parentRefreshTokenHash1: null, expiresAt })
  return { kind: 'active', session: { ...session, payload: stored }, token, hasNewerPayload, reissued }
}

/** How a change of the payload ended. The access token is null if the one that was given is over. */
export type RegenerateOutcome =
  | { readonly kind: 'regenerated'; readonly session: SessionFacts; readonly accessToken: DatedToken | null }
  | { readonly kind: 'unauthorized' }
  | ProtectedClaimOutcome

/** Stores a payload and writes the access token anew, with the same expiry. One or two store calls. */
export async function regenerateSession(
  app: App,
  text: string,
  payload: JsonObject | null,
): Promise<RegenerateOutcome> {
  const token = await readToken(app, text)
  if (token === null) return unauthorized
  const { claims, version } = token
  if (payload !== null && hasProtectedClaim(payload, version)) return protectedClaim
  const record = await findAlive(app, claims.handle)
  if (record === null) return unauthorized
  if (payload !== null) await updatePayload(app, claims.handle, payload)
  const next = payload ?? app.payloads.read(record.jwtPayload)
  const session = { handle: claims.handle, userId: record.userId, tenantId: record.tenantId, payload: next }
  const isOver = claims.expiresAt * 1000 <= app.clock()
  const accessToken = isOver ? null : await reissue(app, token, next, {})
  return { kind: 'regenerated', session, accessToken }
}

/** Writes an access token that differs from a genuine one in payload, the time of its issue and `changes` alone. */
async function reissue(
  app: App,
  { claims, version, isDynamic }: CoreAccessToken,
  payload: JsonObject,
  changes: Partial<Pick<CoreClaims, 'parentRefreshTokenHash1' | 'expiresAt'>>,
): Promise<DatedToken> {
  const ring = await app.keys.current()
  const next: CoreClaims = { ...claims, ...changes, issuedAt: toEpochSeconds(app.clock()) }
  return date(await writeCoreAccessToken(ring.signingKeyAt(purposeOf(isDynamic), app.clock()), version, next, payload), next)
}

/** Reads a genuine access token; reads the keys anew for one whose key another process has just made. */
export async function readToken(app: App, text: string): Promise<CoreAccessToken | null> {
  const ring = await app.keys.current()
  const kid = keyNameOf(text, app.crypto)
  if (kid === null) return null
  const isNew = ring.signingKey(kid) === null && /^[ds]-[\w-]{13,36}$/.test(kid)
  const known = isNew ? await app.keys.reloadForUnknownKid() : ring
  return readCoreAccessToken(text, known, app.crypto)
}

async function findAlive(app: App, handle: SessionRecord['handle']): Promise<SessionRecord | null> {
  const record = await app.store.find(handle)
  return record !== null && isAlive(record, livenessAt(app.clock(), app.policy)) ? record : null
}

async function issuePair(
  app: App,
  ring: KeyRing,
  record: SessionRecord,
  /** The session's current refresh token, and the text that was exchanged for it if the access token is to name it. */
  { token, parent }: { readonly token: string; readonly parent: string | null },
  style: TokenStyle,
  now: EpochMilliseconds,
): Promise<IssuedPair> {
  const isDynamic = style.isDynamic ?? true
  const refreshToken = writeMarks(token, { hasAntiCsrf: style.hasAntiCsrf, isStatic: !isDynamic })
  const antiCsrfToken = style.hasAntiCsrf ? antiCsrfTokenOf(refreshToken) : null
  const payload = app.payloads.read(record.jwtPayload)
  const lifetime = Math.min(style.lifetime ?? record.accessTokenLifetime, record.accessTokenLifetime)
  const claims: CoreClaims = {
    userId: record.userId,
    handle: record.handle,
    tenantId: record.tenantId,
    issuedAt: toEpochSeconds(now),
    expiresAt: accessTokenExpiry(now, lifetime, record),
    refreshTokenHash1: sha256Hex(refreshToken),
    parentRefreshTokenHash1: parent === null ? null : sha256Hex(parent),
    antiCsrfToken,
    place: { generation: record.generation, branch: record.branch },
    reuseInterval: record.reuseInterval,
  }
  const accessToken = await writeCoreAccessToken(ring.signingKeyAt(purposeOf(isDynamic), now), style.version, claims, payload)
  return {
    session: { handle: record.handle, userId: record.userId, tenantId: record.tenantId, payload },
    accessToken: date(accessToken, claims),
    refreshToken: { token: refreshToken, createdAt: now, expiresAt: record.expiresAt },
    antiCsrfToken,
  }
}

function date(token: string, { issuedAt, expiresAt }: CoreClaims): DatedToken {
  return { token, createdAt: issuedAt * 1000, expiresAt: expiresAt * 1000 }
}

function purposeOf(isDynamic: boolean): SigningPurpose {
  return isDynamic ? 'core-dynamic' : 'core-static'
}
