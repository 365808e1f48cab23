import { isSessionError } from '../base/errors.ts'
import type { IssuedSession } from '../session/core.ts'
import { mayRead } from './csrf.ts'
import type { HttpExchange } from './exchange.ts'
import { takeOver } from './imports.ts'
import { readingOf } from './get-session.ts'
import type { SessionReading } from './get-session.ts'
import type { HttpContext } from './http-context.ts'
import { refreshWithinRequest } from './refresh-within-request.ts'
import { verifyTokenOf } from './request-token.ts'
import { overrideCookies } from './request-cookies.ts'
import { RequestSession, VerifiedSession } from './session-object.ts'
import { matchSessionRoute } from './session-routes.ts'
import { accessTokenEdits, applyEdits } from './tokens-reply.ts'

/** The result of {@link refreshBeforeRender}, for the code that renders the page. */
export interface RenderSession<Payload extends object> {
  /** The session, for rendering. */
  readonly reading: SessionReading<Payload>
  /** The `Cookie` header for rendering, instead of the request's own: without the refresh token. */
  readonly cookie: string
  /** Whether the session was refreshed, so that the response carries a new pair of tokens. */
  readonly isRefreshed: boolean
  /** The error of the store, if it failed and the session is unknown; null otherwise. */
  readonly failure: unknown
}

/** The access token for rendering: `presented` is the request's own, null is none. */
type RenderedToken = { readonly accessToken: string | null; readonly mac: string | null } | 'presented'

/**
 * Prepares the session before a page is rendered, because code that renders cannot set cookies. Refreshes it if the
 * access token has expired or is invalid and the request has a refresh token (`cookie.refreshTokenPath`). Does not
 * redirect and throws no errors of Keyturn: the page decides what to show without a session. Ignores Keyturn's own
 * routes. 0 store calls; 1 if it refreshes.
 */
export async function refreshBeforeRender<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<RenderSession<Payload>> {
  const { policy } = context
  const header = exchange.request.header('cookie')
  if (matchSessionRoute(exchange.request.path, policy.basePath) !== null) {
    return { reading: { kind: 'none' }, cookie: header ?? '', isRefreshed: false, failure: null }
  }
  const { accessToken, accessTokenMac, refreshToken } = policy.cookies
  const cookieFor = (token: RenderedToken): string => overrideCookies(header, [
    [refreshToken.attributes.name, null],
    ...token === 'presented' ? [] : [
      [accessToken.attributes.name, token.accessToken],
      [accessTokenMac.attributes.name, token.mac],
    ] as const,
  ])
  try {
    const { reading, token, isRefreshed } = await renew(context, exchange)
    return { reading, cookie: cookieFor(token), isRefreshed: isRefreshed === true, failure: null }
  } catch (failure) {
    if (!isSessionError(failure)) throw failure
    return { reading: { kind: 'needs-refresh' }, cookie: cookieFor('presented'), isRefreshed: false, failure }
  }
}

/** The session for rendering, and its token. */
interface Renewal<Payload extends object> {
  readonly reading: SessionReading<Payload>
  readonly token: RenderedToken
  readonly isRefreshed?: true
}

function renewedBy<Payload extends object>({ issued }: { readonly issued: IssuedSession<Payload> }): Renewal<Payload> {
  const session = new VerifiedSession(issued.claims, issued.payload)
  return { reading: { kind: 'active', session }, token: issued, isRefreshed: true }
}

async function renew<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<Renewal<Payload>> {
  const { policy, current } = context
  const { request, reply } = exchange
  const presented = await verifyTokenOf(context, request, {}, mayRead(request, policy))
  const reading = readingOf(presented)
  const unchanged = { reading, token: 'presented' } as const
  if (presented.kind === 'judged') {
    const { channel, outcome } = presented
    if (channel === 'header') return unchanged
    if (outcome.kind === 'active' && outcome.reissued !== null) {
      applyEdits(reply, accessTokenEdits(policy.cookies, channel, outcome.reissued))
      current.reissue(exchange, outcome.reissued, new RequestSession(context, exchange, outcome.reissued))
      return { reading, token: outcome.reissued }
    }
  }
  if (presented.kind === 'none' && current.of(request) === undefined) {
    const taken = await takeOver(context, exchange, 'request')
    return taken === null ? unchanged : renewedBy(taken)
  }
  if (reading.kind !== 'needs-refresh') return unchanged

  const renewed = await refreshWithinRequest(context, exchange)
  if (renewed === null) return unchanged
  if (renewed.kind === 'refreshed') return renewedBy(renewed)
  const ended = renewed.kind === 'theft' || renewed.ended !== false
  return ended ? { reading: { kind: 'none' }, token: { accessToken: null, mac: null } } : unchanged
}
