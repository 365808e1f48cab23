import { transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { VerifyOptions, VerifyOutcome } from '../session/core.ts'
import type { CookieSlot } from './cookie-config.ts'
import { readCookies } from './cookies.ts'
import type { HttpRequest } from './exchange.ts'
import type { MacSource } from '../tokens/token-mac.ts'
import type { HttpCore } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'

/** How many cookies of one name are verified (CK-06, DOS-01). */
const MAX_CANDIDATES = 4

/** The result of verifying a token that Keyturn recognizes. */
export type CandidateOutcome<Payload extends object> = Exclude<VerifyOutcome<Payload>, { kind: 'unrecognized' }>

/** The access token of a request, verified. */
export type AccessTokenResult<Payload extends object> =
  /** There is none that Keyturn recognizes. */
  | { readonly kind: 'none' }
  /** It was sent in the Authorization header, but its session is in cookie mode (CK-14). */
  | { readonly kind: 'wrong-channel' }
  /** It is in a cookie, and the request is not known to come from a trusted page. It was not verified. */
  | { readonly kind: 'cross-site' }
  /** There are cookies of two active sessions, so the session of the request is unknown (CK-06). */
  | { readonly kind: 'ambiguous' }
  | VerifiedCandidate<Payload>

export interface VerifiedCandidate<Payload extends object> {
  readonly kind: 'judged'
  readonly channel: TransferMode
  readonly accessToken: string
  readonly outcome: CandidateOutcome<Payload>
  /** Whether there were several cookies of the name. */
  readonly duplicated: boolean
}

/** What is needed to verify an access token. */
export type AccessTokenVerifier<Payload extends object> = (
  Pick<HttpCore<Payload, object>, 'verify' | 'decodeHandleUnverified'>
)

/** The settings that are needed to find an access token: the name of its cookie. */
export interface AccessCookiePolicy {
  readonly cookies: { readonly accessToken: NamedCookie }
}

/** The name of a cookie. */
interface NamedCookie {
  readonly attributes: Pick<CookieSlot['attributes'], 'name'>
}

type HeaderSource = Pick<HttpRequest, 'header'>

/** The MACs of access tokens in the cookies of a request. */
export function macsOf(request: HeaderSource, { cookies }: Pick<HttpPolicy, 'cookies'>): MacSource {
  return () => cookieTokens(request, cookies.accessTokenMac)
}

/** The token of `Authorization: Bearer`, or null (RFC 6750 section 2.1). */
export function bearerToken(request: HeaderSource): string | null {
  const value = request.header(wire.authorization)
  if (value === null || !value.startsWith('Bearer ')) return null
  return value.slice('Bearer '.length).trim() || null
}

/** The distinct values of one of Keyturn's cookies, at most as many as are verified. */
export function cookieTokens(request: HeaderSource, slot: NamedCookie): readonly string[] {
  const values = readCookies(request.header('cookie'), slot.attributes.name)
  return values.length < 2 ? values : [...new Set(values)].slice(0, MAX_CANDIDATES)
}

/**
 * Finds and verifies the access token of a request. If there is a bearer token that Keyturn recognizes, cookies are
 * ignored (CSRF-13). An unrecognized token counts as absent. Cookies are verified only if the request is `proven` to
 * come from a trusted page: another site cannot even cause a store call. `macs`: those of the request's cookies, where
 * they can be verified.
 */
export async function verifyAccessTokenOf<Payload extends object>(
  core: AccessTokenVerifier<Payload>,
  policy: AccessCookiePolicy,
  request: HeaderSource,
  options: VerifyOptions,
  proven: boolean,
  macs?: MacSource,
): Promise<AccessTokenResult<Payload>> {
  const bearer = bearerToken(request)
  if (bearer !== null) {
    const outcome = await core.verify(bearer, options)
    if (outcome.kind !== 'unrecognized') return judge(core, 'header', bearer, outcome, false) ?? wrongChannel
  }
  const candidates = cookieTokens(request, policy.cookies.accessToken)
  if (!proven) {
    const isSent = candidates.some(text => isOfTransferMode('cookie', core.decodeHandleUnverified(text)))
    return isSent ? crossSite : none
  }
  const judged: VerifiedCandidate<Payload>[] = []
  for (const text of candidates) {
    const access = judge(core, 'cookie', text, await core.verify(text, options, macs), candidates.length > 1)
    if (access !== null) judged.push(access)
  }
  return chooseAccess(judged)
}

/** As {@link verifyAccessTokenOf}, if it is synchronous and there is one token to verify; undefined otherwise. */
export function verifyAccessTokenNow<Payload extends object>(
  core: Pick<HttpCore<Payload, object>, 'verifyNow' | 'decodeHandleUnverified'>,
  policy: AccessCookiePolicy,
  request: HeaderSource,
  options: VerifyOptions,
  proven: boolean,
  macs: MacSource,
): AccessTokenResult<Payload> | undefined {
  const bearer = bearerToken(request)
  if (bearer !== null) {
    const outcome = core.verifyNow(bearer, options)
    if (outcome === undefined || outcome.kind === 'unrecognized') return undefined
    return judge(core, 'header', bearer, outcome, false) ?? wrongChannel
  }
  const candidates = cookieTokens(request, policy.cookies.accessToken)
  const text = candidates[0]
  if (text === undefined) return none
  if (!proven || candidates.length > 1) return undefined
  const outcome = core.verifyNow(text, options, macs)
  return outcome === undefined ? undefined : judge(core, 'cookie', text, outcome, false) ?? none
}

const none = { kind: 'none' } as const
const wrongChannel = { kind: 'wrong-channel' } as const
const crossSite = { kind: 'cross-site' } as const

/** Null for a token that is unrecognized or of the other transfer mode. */
function judge<Payload extends object>(
  core: Pick<HttpCore<Payload, object>, 'decodeHandleUnverified'>,
  channel: TransferMode,
  accessToken: string,
  outcome: VerifyOutcome<Payload>,
  duplicated: boolean,
): VerifiedCandidate<Payload> | null {
  if (outcome.kind === 'unrecognized' || !isOfTransferMode(channel, handleOf(core, accessToken, outcome))) return null
  return { kind: 'judged', channel, accessToken, outcome, duplicated }
}

/**
 * The handle of the session. That of a token that is not valid is unverified: it is compared, but authorizes nothing.
 */
function handleOf(
  core: Pick<HttpCore<object, object>, 'decodeHandleUnverified'>,
  accessToken: string,
  outcome: CandidateOutcome<object>,
): SessionHandle | null {
  switch (outcome.kind) {
    case 'active': return outcome.claims.sid
    case 'revoked': return outcome.handle
    case 'refresh-required': return core.decodeHandleUnverified(accessToken)
  }
}

/** Chooses among cookies of one name: the token of the only active session, else one that can be refreshed. Pure. */
function chooseAccess<Payload extends object>(
  judged: readonly VerifiedCandidate<Payload>[],
): AccessTokenResult<Payload> {
  const best = judged.reduce<VerifiedCandidate<Payload> | null>(
    (chosen, next) => chosen === null || rank(next.outcome) > rank(chosen.outcome) ? next : chosen,
    null,
  )
  if (best === null) return none
  const active = new Set(judged.flatMap(({ outcome }) => outcome.kind === 'active' ? [outcome.claims.sid] : []))
  return active.size > 1 ? { kind: 'ambiguous' } : best
}

/** Ranks active above expired above revoked; of two active tokens of a session, the one that expires later. */
function rank(outcome: CandidateOutcome<object>): number {
  switch (outcome.kind) {
    case 'active': return outcome.claims.exp
    case 'refresh-required': return 0
    case 'revoked': return -1
  }
}

/** Whether a session's tokens are sent in this transfer mode (CK-14). */
export function isOfTransferMode(channel: TransferMode, handle: SessionHandle | null): boolean {
  return handle !== null && transferModeOf(handle) === channel
}
