import type { Awaitable } from '../base/awaitable.ts'
import { toMilliseconds } from '../base/duration.ts'
import { TryRefreshTokenError, UnauthorizedError } from '../base/errors.ts'
import { transferModeOf } from '../base/handle.ts'
import type { ActiveOutcome, IssuedSession } from '../session/core.ts'
import { preferPrivate } from './caching.ts'
import { requireRecentLogin, validateClaims } from './claim-validators.ts'
import { macsOf, verifyAccessTokenNow } from './credentials.ts'
import type { VerifiedCandidate, AccessTokenResult } from './credentials.ts'
import { answerPreflight } from './cors.ts'
import {
  crossSiteRequest, hasAntiCsrfProof, isProven, isSafeMethod, isUpgrade, mayRead, needsAntiCsrfProof,
} from './csrf.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import { findMisplacedRoute } from './find-misconfiguration.ts'
import { checkOptionsOfCall } from './get-session-options.ts'
import type {
  GetOptionalSessionOptions, GetSessionArgument, GetSessionOptions, RequireSessionOptions,
} from './get-session-options.ts'
import type { HttpContext } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'
import { takeOver } from './imports.ts'
import { accessTokenLeftovers } from './leftovers.ts'
import { isEventStream, redirectToLogin, wantsPage } from './page-request.ts'
import { refreshWithinRequest } from './refresh-within-request.ts'
import { verifyTokenOf } from './request-token.ts'
import { RequestSession, VerifiedSession } from './session-object.ts'
import type { ReadonlySession, Session } from './session.ts'
import type { Cookie } from './set-cookie.ts'
import { accessTokenEdits, applyEdits, clearingEdits, leftoverEdits } from './tokens-reply.ts'

const noOptions: GetSessionOptions<never> = {}
const noLeftovers: readonly Cookie[] = []

/** Verifies the session of a request; null if there is none and it is optional. 0 store calls, 1 with `strict`. */
export async function getSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  argument: GetSessionArgument<Payload> | undefined,
): Promise<Session<Payload, Info> | null> {
  const options = typeof argument === 'boolean' ? { csrf: argument } : argument ?? noOptions
  if (options === argument) checkOptionsOfCall(options, context.policy)
  return options.required === false ? findSession(context, exchange, options)
    : requireSession(context, exchange, options)
}

/**
 * Guards a route, with options that {@link checkGuardOptions} has checked: returns the session of the request, or the
 * response to send instead: to a CORS preflight, which needs no session and changes nothing, or a redirect to the login
 * page. Every request but a preflight is verified, whatever its method and headers. Synchronous if verification is.
 */
export function guard<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: RequireSessionOptions<Payload>,
): Awaitable<Session<Payload, Info> | CompleteResponse> {
  const { loginPath } = options
  const preflight = answerPreflight(exchange, context.policy)
  if (preflight !== null || loginPath === undefined) return preflight ?? requireSession(context, exchange, options)
  const logIn = (error: unknown): CompleteResponse =>
    redirectToLogin(exchange.request, context.policy, loginPath, error)
  try {
    const session = requireSession(context, exchange, options)
    return 'then' in session ? session.catch(logIn) : session
  } catch (error) {
    return logIn(error)
  }
}

/** Whether the result of a guard is a response, so that the next handler must not run. */
export function isCompleteResponse(found: object): found is CompleteResponse {
  return 'status' in found
}

/** The message of the error if an access token has expired or is invalid. */
export const REFRESH_REQUIRED = 'the access token has expired or is invalid: refresh the session'

/** The session of a request that must have one. Synchronous if verification is. */
function requireSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload>,
): Awaitable<Session<Payload, Info>> {
  const session = findSession(context, exchange, options)
  return session !== null && 'then' in session
    ? session.then(found => requirePresent(context, exchange, found))
    : requirePresent(context, exchange, session)
}

function requirePresent<Found extends object>(
  { policy }: { readonly policy: HttpPolicy },
  { request }: HttpExchange,
  session: Found | null,
): Found {
  if (session !== null) return session
  findMisplacedRoute(request, policy)
  throw new UnauthorizedError('the request has no access token')
}

/**
 * The session of a request, or null. Synchronous in the common case, an active session: an async function would cost a
 * large part of the total time.
 */
function findSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
): Awaitable<Session<Payload, Info> | null> {
  const { core, policy, current } = context
  const { request } = exchange
  const changed = current.of(request)
  const isOwn = changed?.kind === 'session' && changed.source === 'created'
  const guarded = !isOwn && (options.csrf ?? (!isSafeMethod(request.method) || isUpgrade(request)))
  const proven = !guarded || isProven(request, policy)
  const known = changed === undefined
    ? verifyAccessTokenNow(core, policy, request, options, proven, macsOf(request, policy))
    : undefined
  if (known?.kind === 'judged' && known.outcome.kind === 'active' && options.claimValidators === undefined
    && !needsAntiCsrfProof(policy, request, guarded, known.channel)) {
    return grant(context, exchange, options, known, known.outcome)
  }
  return admit(context, exchange, options, guarded, known ?? verifyTokenOf(context, request, options, proven))
}

/** Makes the checks that follow the verification of the access token. */
async function admit<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  guarded: boolean,
  judging: Awaitable<AccessTokenResult<Payload>>,
): Promise<Session<Payload, Info> | null> {
  const { core, policy } = context
  const { request, reply } = exchange
  const presented = await judging
  switch (presented.kind) {
    case 'none':
      return context.imports === null ? null : afterTakeOver(context, exchange, options, guarded)
    case 'cross-site':
      throw crossSiteRequest(request, policy)
    case 'wrong-channel':
      throw new UnauthorizedError('the access token of a session in cookie mode was sent in the Authorization header')
    case 'ambiguous':
      return afterRefresh(context, exchange, options, guarded, 'the request has the cookies of two active sessions')
    case 'judged':
  }

  const { channel, outcome } = presented
  if (outcome.kind === 'refresh-required') return afterRefresh(context, exchange, options, guarded, REFRESH_REQUIRED)
  if (outcome.kind === 'revoked') {
    const handle = core.decodeHandleUnverified(presented.accessToken)
    const end = { reason: 'revoked', handles: handle === null ? [] : [handle] } as const
    const edits = clearingEdits(policy.cookies, channel, end, leftoversOf(context, request, presented))
    // A page cannot read the answer to its `EventSource`. Its next refresh ends the session, and learns why.
    applyEdits(reply, isEventStream(request) ? { ...edits, cookies: [] } : edits)
    if (options.refresh === true && options.required === false) return null
    throw new UnauthorizedError('the session has expired or was revoked')
  }
  if (needsAntiCsrfProof(policy, request, guarded, channel)
    && !await hasAntiCsrfProof(request, policy, core, outcome.claims.sid)) {
    throw new TryRefreshTokenError('the request has no valid anti-CSRF header, which the option antiCsrf requires')
  }
  const session = grant(context, exchange, options, presented, outcome)
  if (options.claimValidators !== undefined) await validateClaims(options.claimValidators, session.getJwtPayload())
  return session
}

/**
 * The session, if it can be refreshed within the request. With `refresh`, a page that may be shown without a session is
 * shown without one if it cannot; an error would be shown in its place.
 */
async function afterRefresh<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  guarded: boolean,
  reason: string,
): Promise<Session<Payload, Info> | null> {
  if (options.refresh !== true) throw new TryRefreshTokenError(reason)
  const renewed = await refreshWithinRequest(context, exchange)
  if (renewed?.kind === 'refreshed') {
    return admit(context, exchange, options, guarded, candidateOf(renewed.issued))
  }
  const isOver = renewed?.kind === 'theft' || (renewed !== null && renewed.ended !== false)
  // A script can refresh the session at the endpoint and repeat the request.
  if (!isOver && !wantsPage(exchange.request)) throw new TryRefreshTokenError(reason)
  if (options.required === false) return null
  throw new UnauthorizedError('the session could not be refreshed')
}

/** The session that was taken over from another system for this request, or null. */
async function afterTakeOver<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  guarded: boolean,
): Promise<Session<Payload, Info> | null> {
  const isChanged = context.current.of(exchange.request) !== undefined
  const taken = isChanged ? null : await takeOver(context, exchange, 'request')
  return taken && admit(context, exchange, options, guarded, candidateOf(taken.issued))
}

/** The access token of a pair that was issued for this request. */
function candidateOf<Payload extends object>(
  { accessToken, claims, payload }: IssuedSession<Payload>,
): VerifiedCandidate<Payload> {
  const outcome = { kind: 'active', claims, payload, reissued: null } as const
  return { kind: 'judged', channel: transferModeOf(claims.sid), accessToken, outcome, duplicated: false }
}

/** Cookies on other domains to clear. A single cookie is not one, unless another domain was configured before. */
function leftoversOf<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
  { channel, duplicated }: VerifiedCandidate<Payload>,
): readonly Cookie[] {
  const isSettled = channel === 'header' || (!duplicated && policy.cookies.accessToken.olderClearings.length === 0)
  return isSettled ? noLeftovers : accessTokenLeftovers(core, policy, request)
}

/**
 * Creates the session object, if the login is recent enough. Writes a new access token to the response if there is one.
 */
function grant<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  access: VerifiedCandidate<Payload>,
  active: ActiveOutcome<Payload>,
): Session<Payload, Info> {
  const { current, policy: { cookies } } = context
  const { request, reply } = exchange
  const { channel, accessToken, duplicated } = access
  const leftovers = leftoversOf(context, request, access)
  const session = new RequestSession(context, exchange, active, leftovers)
  preferPrivate(reply)
  if (duplicated && leftovers.length > 0) {
    applyEdits(reply, leftoverEdits(leftovers))
    // The chosen token may itself be in a cookie that is cleared, so it is set again.
    applyEdits(reply, accessTokenEdits(cookies, channel, { ...active, accessToken, mac: null }))
  }
  if (active.reissued !== null) {
    applyEdits(reply, accessTokenEdits(cookies, channel, active.reissued))
    current.reissue(exchange, active.reissued, session)
  }
  if (options.maxAuthenticationAge !== undefined) {
    requireRecentLogin(active.claims, toMilliseconds(options.maxAuthenticationAge), context.clock())
  }
  return session
}

/** The session of a request, where no response headers can be written. */
export type SessionReading<Payload extends object> =
  | { readonly kind: 'active'; readonly session: ReadonlySession<Payload> }
  /** The access token has expired or is invalid, but the session may still be active. */
  | { readonly kind: 'needs-refresh' }
  | { readonly kind: 'none' }

/** Verifies the session of a request. Changes neither response nor session. */
export async function readSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<SessionReading<Payload>> {
  return readingOf(await verifyTokenOf(context, request, {}, mayRead(request, context.policy)))
}

/** Converts a verified access token to a {@link SessionReading}. Pure. */
export function readingOf<Payload extends object>(presented: AccessTokenResult<Payload>): SessionReading<Payload> {
  if (presented.kind === 'ambiguous') return { kind: 'needs-refresh' }
  if (presented.kind !== 'judged') return { kind: 'none' }
  const { outcome } = presented
  switch (outcome.kind) {
    case 'active': return { kind: 'active', session: new VerifiedSession(outcome.claims, outcome.payload) }
    case 'refresh-required': return { kind: 'needs-refresh' }
    case 'revoked': return { kind: 'none' }
  }
}
