import { isSessionError } from '../base/errors.ts'
import { verifyAccessTokenOf } from './credentials.ts'
import { mayRead, mayRefreshBeforeRender } from './csrf.ts'
import type { HttpExchange } from './exchange.ts'
import { readingOf } from './get-session.ts'
import type { SessionReading } from './get-session.ts'
import type { HttpContext } from './http-context.ts'
import { findRefreshToken, tokensOfOneSession } from './refresh-credentials.ts'
import { exchangeRefreshToken } from './refresh-session.ts'
import { overrideCookies } from './request-cookies.ts'
import { VerifiedSession } from './session-object.ts'
import { matchSessionRoute } from './session-routes.ts'
import { accessTokenEdits, applyEdits } from './tokens-reply.ts'

/** What the step before a rendering found, and what it leaves to the rendering. */
export interface RenderSession<Payload extends object> {
  /** The session as the rendering sees it. */
  readonly reading: SessionReading<Payload>
  /** The `Cookie` header that the rendering should see instead of the request's own: without a refresh token. */
  readonly cookie: string
  /** Why nothing is known, if that is so: the store failed. Null otherwise. */
  readonly failure: unknown
}

/** The access token that the rendering should see: `presented` is the request's own, null is none. */
type RenderedToken = { readonly accessToken: string | null } | 'presented'

/**
 * The step before a page is rendered. A rendering can set no cookies, so this refreshes for it, once, if the access
 * token can not be used any more and the refresh token is at hand (`cookie.refreshTokenPath`). It redirects nobody
 * and throws no error of Keyturn's: what a page without a session looks like is the page's business. Keyturn's own
 * routes are left alone. 0 store calls; 1 if it refreshes.
 */
export async function refreshBeforeRender<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<RenderSession<Payload>> {
  const { policy } = context
  const header = exchange.request.header('cookie')
  if (matchSessionRoute(exchange.request.path, policy.basePath) !== null) {
    return { reading: { kind: 'none' }, cookie: header ?? '', failure: null }
  }
  const { accessToken, refreshToken } = policy.cookies
  const cookieFor = (token: RenderedToken): string => overrideCookies(header, [
    [refreshToken.attributes.name, null],
    ...token === 'presented' ? [] : [[accessToken.attributes.name, token.accessToken] as const],
  ])
  try {
    const { reading, token } = await renew(context, exchange)
    return { reading, cookie: cookieFor(token), failure: null }
  } catch (failure) {
    if (!isSessionError(failure)) throw failure
    return { reading: { kind: 'needs-refresh' }, cookie: cookieFor('presented'), failure }
  }
}

async function renew<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<{ readonly reading: SessionReading<Payload>; readonly token: RenderedToken }> {
  const { core, policy } = context
  const { request, reply } = exchange
  const presented = await verifyAccessTokenOf(core, policy, request, {}, mayRead(request, policy))
  const reading = readingOf(presented)
  const unchanged = { reading, token: 'presented' } as const
  if (presented.kind === 'judged') {
    const { channel, outcome } = presented
    if (channel === 'header') return unchanged
    if (outcome.kind === 'active' && outcome.reissued !== null) {
      applyEdits(reply, accessTokenEdits(policy.cookies, channel, outcome.reissued))
      return { reading, token: outcome.reissued }
    }
  }
  if (reading.kind !== 'needs-refresh') return unchanged

  const refresh = findRefreshToken(core, policy, request)
  if (refresh.kind === 'none' || refresh.channel === 'header') return unchanged
  const tokens = await tokensOfOneSession(core, refresh.tokens) ?? []
  const [first] = tokens
  if (first === undefined || !await mayRefreshBeforeRender(request, policy, core, first.token.handle)) return unchanged
  const renewed = await exchangeRefreshToken(context, exchange, refresh.channel, tokens)
  if (renewed.kind === 'refreshed') {
    const { claims, payload } = renewed.issued
    return { reading: { kind: 'active', session: new VerifiedSession(claims, payload) }, token: renewed.issued }
  }
  const ended = renewed.kind === 'theft' || renewed.ended
  return ended ? { reading: { kind: 'none' }, token: { accessToken: null } } : unchanged
}
