import type { Awaitable } from '../base/awaitable.ts'
import { duration, toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { TryRefreshTokenError, UnauthorizedError } from '../base/errors.ts'
import {
  checkCallOptions, checkOptions, explicit, flag, listOf, oneOf, withDefault,
} from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { ActiveOutcome, Blacklisting } from '../session/core.ts'
import { preferPrivate } from './caching.ts'
import { claimValidatorRule, requireRecentLogin, validateClaims } from './claim-validators.ts'
import type { ClaimValidator } from './claim-validators.ts'
import { verifyAccessTokenOf, verifyAccessTokenNow } from './credentials.ts'
import type { VerifiedCandidate, AccessTokenResult } from './credentials.ts'
import { answerPreflight } from './cors.ts'
import {
  crossSiteRequest, hasAntiCsrfProof, isProven, isSafeMethod, isUpgrade, mayRead, needsAntiCsrfProof,
} from './csrf.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { accessTokenLeftovers } from './leftovers.ts'
import { RequestSession, VerifiedSession } from './session-object.ts'
import type { ReadonlySession, Session } from './session.ts'
import type { Cookie } from './set-cookie.ts'
import { accessTokenEdits, applyEdits, clearingEdits, leftoverEdits } from './tokens-reply.ts'

/** How to look for the session of a request. */
export interface GetSessionOptions<Payload extends object> {
  /**
   * Checks for requests from other sites on any method (true) or on none (false). Default: on methods that change
   * something, and where a connection is opened.
   */
  readonly csrf?: boolean
  /** Whether a request without a session is an error. Default: true. */
  readonly required?: true
  /** How access tokens of revoked sessions are refused here. Default: as `accessTokenBlacklisting` is configured. */
  readonly blacklisting?: Blacklisting
  /** What the claims must satisfy. Default: nothing. */
  readonly claimValidators?: readonly ClaimValidator<Payload>[]
  /** How long ago the user may have logged in: from 0 to 400 days (REV-09). Default: no limit. */
  readonly maxAuthenticationAge?: Duration
}

/** {@link GetSessionOptions} of a route that also serves requests without a session. */
export interface GetOptionalSessionOptions<Payload extends object> extends Omit<GetSessionOptions<Payload>, 'required'> {
  readonly required: false
}

/** The second argument of `getSession`: options, or `enableCsrfProtection` alone. */
export type GetSessionArgument<Payload extends object> =
  | boolean
  | GetSessionOptions<Payload>
  | GetOptionalSessionOptions<Payload>

/** What the options of {@link getSession} accept. */
export const getSessionRules: RulesFor<
  Omit<GetSessionOptions<object>, 'required'> & { readonly required?: boolean }
> = {
  csrf: flag,
  required: withDefault(true, flag),
  blacklisting: oneOf('off', 'feed', 'strict'),
  claimValidators: explicit(listOf('a list of claim validators', claimValidatorRule)),
  maxAuthenticationAge: explicit(duration(0, 400 * 86_400)),
}

/**
 * Judges the options of a guard, once, as it is made. @throws GeneralError (`MISUSE`) with the option, what it was and
 * what it must be.
 */
export function checkGetSessionOptions(options: unknown): void {
  checkOptions('requireSession', getSessionRules, options)
}

const noOptions: GetSessionOptions<never> = {}
const noLeftovers: readonly Cookie[] = []

/** Verifies the session of a request; null if there is none and none is required. 0 store calls, 1 with `strict`. */
export async function getSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  argument: GetSessionArgument<Payload> | undefined,
): Promise<Session<Payload, Info> | null> {
  const options = typeof argument === 'boolean' ? { csrf: argument } : argument ?? noOptions
  if (options === argument) checkCallOptions('getSession', getSessionRules, options)
  return options.required === false ? findSession(context, exchange, options) : requireSession(context, exchange, options)
}

/**
 * What a guard does with a request, with options that {@link checkGetSessionOptions} has judged: it admits it with its
 * session, or answers it. It answers CORS preflights alone, which carry no session and change nothing; every other
 * request is judged, whatever its method and headers. Answers, or throws, at once where nothing has to be waited for.
 */
export function guard<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload>,
): Awaitable<Session<Payload, Info> | CompleteResponse> {
  return answerPreflight(exchange, context.policy) ?? requireSession(context, exchange, options)
}

/** Whether a guard answers a request itself, so that the next handler must not run. */
export function isAnswer(found: object): found is CompleteResponse {
  return 'status' in found
}

/** The session of a request that must have one. Answers, or throws, at once where nothing has to be waited for. */
function requireSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload>,
): Awaitable<Session<Payload, Info>> {
  const session = findSession(context, exchange, options)
  return session !== null && 'then' in session ? session.then(requirePresent) : requirePresent(session)
}

function requirePresent<Found extends object>(session: Found | null): Found {
  if (session === null) throw new UnauthorizedError('the request carries no access token')
  return session
}

/**
 * The session of a request, or null: in one synchronous attempt for the common case, an active session with nothing to
 * wait for, where the machinery of an asynchronous function would be a good part of the work.
 */
function findSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
): Awaitable<Session<Payload, Info> | null> {
  const { core, policy } = context
  const { request } = exchange
  const guarded = options.csrf ?? (!isSafeMethod(request.method) || isUpgrade(request))
  const proven = !guarded || isProven(request, policy)
  const known = verifyAccessTokenNow(core, policy, request, options, proven)
  if (known?.kind === 'judged' && known.outcome.kind === 'active' && options.claimValidators === undefined
    && !needsAntiCsrfProof(policy, request, guarded, known.channel)) {
    return grant(context, exchange, options, known, known.outcome)
  }
  return admit(context, exchange, options, guarded, known ?? verifyAccessTokenOf(core, policy, request, options, proven))
}

/** What depends on the request, once its access token is judged. */
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
      return null
    case 'cross-site':
      throw crossSiteRequest()
    case 'wrong-channel':
      throw new UnauthorizedError('the access token came by the channel of the other transfer mode')
    case 'ambiguous':
      throw new TryRefreshTokenError('the request carries the cookies of two sessions')
    case 'judged':
  }

  const { channel, outcome } = presented
  if (outcome.kind === 'refresh-required') throw new TryRefreshTokenError('the access token can not be used any more')
  if (outcome.kind === 'revoked') {
    applyEdits(reply, clearingEdits(policy.cookies, channel, leftoversOf(context, request, presented)))
    throw new UnauthorizedError('the session has ended')
  }
  if (needsAntiCsrfProof(policy, request, guarded, channel)
    && !await hasAntiCsrfProof(request, policy, core, outcome.claims.sid)) {
    throw new TryRefreshTokenError('the request lacks its anti-CSRF proof')
  }
  const session = grant(context, exchange, options, presented, outcome)
  if (options.claimValidators !== undefined) await validateClaims(options.claimValidators, session.getJwtPayload())
  return session
}

/** Of one cookie, where no other domain was configured before, nothing can be left over. */
function leftoversOf<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
  { channel, duplicated }: VerifiedCandidate<Payload>,
): readonly Cookie[] {
  const isSettled = channel === 'header' || (!duplicated && policy.cookies.accessToken.olderClearings.length === 0)
  return isSettled ? noLeftovers : accessTokenLeftovers(core, policy, request)
}

/** The session object, if the login is recent enough; the response tells the client what it does not know yet. */
function grant<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  { request, reply }: HttpExchange,
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  access: VerifiedCandidate<Payload>,
  active: ActiveOutcome<Payload>,
): Session<Payload, Info> {
  const { cookies } = context.policy
  const { channel, accessToken, duplicated } = access
  const leftovers = leftoversOf(context, request, access)
  const session = new RequestSession(context, reply, active, leftovers)
  preferPrivate(reply)
  if (duplicated && leftovers.length > 0) {
    applyEdits(reply, leftoverEdits(leftovers))
    // The token that was chosen may have lain there itself.
    applyEdits(reply, accessTokenEdits(cookies, channel, { ...active, accessToken }))
  }
  if (active.reissued !== null) applyEdits(reply, accessTokenEdits(cookies, channel, active.reissued))
  if (options.maxAuthenticationAge !== undefined) {
    requireRecentLogin(active.claims, toMilliseconds(options.maxAuthenticationAge), context.clock())
  }
  return session
}

/** What a request that can not be answered with headers says of its session. */
export type SessionReading<Payload extends object> =
  | { readonly kind: 'active'; readonly session: ReadonlySession<Payload> }
  /** There may be a session, but its access token can not be used any more. */
  | { readonly kind: 'needs-refresh' }
  | { readonly kind: 'none' }

/** Verifies the session of a request and changes nothing, neither a response nor the session. */
export async function readSession<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<SessionReading<Payload>> {
  return readingOf(await verifyAccessTokenOf(core, policy, request, {}, mayRead(request, policy)))
}

/** What an access token says to whoever only reads it. Pure. */
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
