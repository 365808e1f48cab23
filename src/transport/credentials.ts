import { transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { VerifyOptions, VerifyOutcome } from '../session/core.ts'
import type { CookieSlot } from './cookie-config.ts'
import { readCookies } from './cookies.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpCore } from './http-context.ts'

/** How many cookies of one name are tried (CK-06, DOS-01). */
const MAX_CANDIDATES = 4

/** What became of a token of ours. */
export type CandidateOutcome<Payload extends object> = Exclude<VerifyOutcome<Payload>, { kind: 'unrecognized' }>

/** The access token of a request, judged. */
export type AccessTokenResult<Payload extends object> =
  /** None of ours. */
  | { readonly kind: 'none' }
  /** One of ours that came by the channel of the other mode (CK-14). */
  | { readonly kind: 'wrong-channel' }
  /** One of ours in a cookie, sent by a page that may not use it. It was not judged: no store was asked. */
  | { readonly kind: 'cross-site' }
  /** Cookies of two live sessions: no telling whose request this is (CK-06). */
  | { readonly kind: 'ambiguous' }
  | VerifiedCandidate<Payload>

export interface VerifiedCandidate<Payload extends object> {
  readonly kind: 'judged'
  readonly channel: TransferMode
  readonly accessToken: string
  readonly outcome: CandidateOutcome<Payload>
  /** Whether there were other cookies of the name. */
  readonly duplicated: boolean
}

/** What an access token is judged with. */
export type AccessTokenVerifier<Payload extends object> = Pick<HttpCore<Payload, object>, 'verify' | 'peekHandle'>

/** Which of the settings matter to finding an access token: the name of its cookie. */
export interface AccessCookiePolicy {
  readonly cookies: { readonly accessToken: NamedCookie }
}

/** A cookie as a request carries it. */
interface NamedCookie {
  readonly attributes: Pick<CookieSlot['attributes'], 'name'>
}

type HeaderSource = Pick<HttpRequest, 'header'>

/** The token of `Authorization: Bearer`, or null (RFC 6750 section 2.1). */
export function bearerToken(request: HeaderSource): string | null {
  const value = request.header(wire.authorization)
  if (value === null || !value.startsWith('Bearer ')) return null
  return value.slice('Bearer '.length).trim() || null
}

/** The different values of one of our cookies, as many as are tried. */
export function cookieTokens(request: HeaderSource, slot: NamedCookie): readonly string[] {
  const values = readCookies(request.header('cookie'), slot.attributes.name)
  return values.length < 2 ? values : [...new Set(values)].slice(0, MAX_CANDIDATES)
}

/**
 * Finds and judges the access token of a request. A bearer token of ours wins, and cookies are then not looked at
 * (CSRF-13); what is no token of ours counts as absent. Cookies of ours are only judged if the request is `proven` to
 * come from where it may: another site can not even make the store be read.
 */
export async function verifyAccessTokenOf<Payload extends object>(
  core: AccessTokenVerifier<Payload>,
  policy: AccessCookiePolicy,
  request: HeaderSource,
  options: VerifyOptions,
  proven: boolean,
): Promise<AccessTokenResult<Payload>> {
  const bearer = bearerToken(request)
  if (bearer !== null) {
    const outcome = await core.verify(bearer, options)
    if (outcome.kind !== 'unrecognized') return judge(core, 'header', bearer, outcome, false) ?? wrongChannel
  }
  const candidates = cookieTokens(request, policy.cookies.accessToken)
  if (!proven) return candidates.some(text => isOfTransferMode('cookie', core.peekHandle(text))) ? crossSite : none
  const judged: VerifiedCandidate<Payload>[] = []
  for (const text of candidates) {
    const access = judge(core, 'cookie', text, await core.verify(text, options), candidates.length > 1)
    if (access !== null) judged.push(access)
  }
  return chooseAccess(judged)
}

/** What {@link verifyAccessTokenOf} would say, where one token has to be judged and nothing waited for; else undefined. */
export function verifyAccessTokenNow<Payload extends object>(
  core: Pick<HttpCore<Payload, object>, 'verifyNow' | 'peekHandle'>,
  policy: AccessCookiePolicy,
  request: HeaderSource,
  options: VerifyOptions,
  proven: boolean,
): AccessTokenResult<Payload> | undefined {
  const bearer = bearerToken(request)
  const candidates = bearer === null ? cookieTokens(request, policy.cookies.accessToken) : noCookies
  const text = bearer ?? candidates[0]
  if (text === undefined) return none
  if (bearer === null && (!proven || candidates.length > 1)) return undefined
  const outcome = core.verifyNow(text, options)
  if (outcome === undefined) return undefined
  if (bearer === null) return judge(core, 'cookie', text, outcome, false) ?? none
  return outcome.kind === 'unrecognized' ? undefined : judge(core, 'header', text, outcome, false) ?? wrongChannel
}

const none = { kind: 'none' } as const
const wrongChannel = { kind: 'wrong-channel' } as const
const crossSite = { kind: 'cross-site' } as const
const noCookies: readonly string[] = []

/** Null for a token that is none of ours or does not belong into this channel. */
function judge<Payload extends object>(
  core: Pick<HttpCore<Payload, object>, 'peekHandle'>,
  channel: TransferMode,
  accessToken: string,
  outcome: VerifyOutcome<Payload>,
  duplicated: boolean,
): VerifiedCandidate<Payload> | null {
  if (outcome.kind === 'unrecognized' || !isOfTransferMode(channel, handleOf(core, accessToken, outcome))) return null
  return { kind: 'judged', channel, accessToken, outcome, duplicated }
}

/** Only of a token that can not be used the text itself is asked, for nothing depends on the answer. */
function handleOf(
  core: Pick<HttpCore<object, object>, 'peekHandle'>,
  accessToken: string,
  outcome: CandidateOutcome<object>,
): SessionHandle | null {
  switch (outcome.kind) {
    case 'active': return outcome.claims.sid
    case 'revoked': return outcome.handle
    case 'refresh-required': return core.peekHandle(accessToken)
  }
}

/** Chooses among the cookies of one name: the one live session there is, else what a refresh could revive. Pure. */
function chooseAccess<Payload extends object>(judged: readonly VerifiedCandidate<Payload>[]): AccessTokenResult<Payload> {
  const best = judged.reduce<VerifiedCandidate<Payload> | null>(
    (chosen, next) => chosen === null || rank(next.outcome) > rank(chosen.outcome) ? next : chosen,
    null,
  )
  if (best === null) return none
  const live = new Set(judged.flatMap(({ outcome }) => outcome.kind === 'active' ? [outcome.claims.sid] : []))
  return live.size > 1 ? { kind: 'ambiguous' } : best
}

/** Active before refreshable before revoked; of two active tokens of a session the one that lasts longer. */
function rank(outcome: CandidateOutcome<object>): number {
  switch (outcome.kind) {
    case 'active': return outcome.claims.exp
    case 'refresh-required': return 0
    case 'revoked': return -1
  }
}

/** Whether a session's tokens belong into this channel (CK-14). */
export function isOfTransferMode(channel: TransferMode, handle: SessionHandle | null): boolean {
  return handle !== null && transferModeOf(handle) === channel
}
