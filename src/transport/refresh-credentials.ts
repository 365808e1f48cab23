import type { TransferMode } from '../base/wire.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'
import { bearerToken, cookieTokens, isOfTransferMode } from './credentials.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpCore } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'

/** The refresh tokens of a request: one, or several if there are several cookies of the name. */
export type PresentedRefresh =
  | { readonly kind: 'none' }
  | { readonly kind: 'tokens'; readonly channel: TransferMode; readonly tokens: readonly PresentedRefreshToken[] }

export interface PresentedRefreshToken {
  readonly text: string
  readonly token: RefreshToken
}

/**
 * Finds the refresh token of a request: a bearer token with the format of a refresh token, else the cookie. A cookie
 * counts only beside an access token's cookie of the same session, expired or not: a sibling domain can set the former,
 * but not the latter, because of its `__Host-` prefix.
 */
export function findRefreshToken(
  core: Pick<HttpCore<object, object>, 'decodeHandleUnverified'>,
  policy: HttpPolicy,
  request: HttpRequest,
): PresentedRefresh {
  const bearer = bearerToken(request)
  const presented = bearer === null ? null : presentedToken(bearer)
  if (presented !== null) return { kind: 'tokens', channel: 'header', tokens: [presented] }
  const tokens = refreshTokensInCookies(core, policy, request)
  return tokens.length === 0 ? { kind: 'none' } : { kind: 'tokens', channel: 'cookie', tokens }
}

/** The refresh tokens in cookies that count, as {@link findRefreshToken} says. */
export function refreshTokensInCookies(
  core: Pick<HttpCore<object, object>, 'decodeHandleUnverified'>,
  policy: HttpPolicy,
  request: HttpRequest,
): readonly PresentedRefreshToken[] {
  const accessTokens = cookieTokens(request, policy.cookies.accessToken)
  const handles = new Set(accessTokens.map(text => core.decodeHandleUnverified(text)))
  return cookieTokens(request, policy.cookies.refreshToken).flatMap(text => presentedToken(text) ?? [])
    .filter(({ token: { handle } }) => isOfTransferMode('cookie', handle) && handles.has(handle))
}

function presentedToken(text: string): PresentedRefreshToken | null {
  const token = parseRefreshToken(text)
  return token === null ? null : { text, token }
}

/**
 * The tokens, if they are of one session, in the order to try them: the newest first, because an older one would look
 * like token theft. If there are several sessions, those of other applications are ignored. Null if there are still
 * several, because the session of the request is unknown (CK-06).
 */
export async function tokensOfOneSession(
  core: Pick<HttpCore<object, object>, 'ownerOfRefreshToken'>,
  tokens: readonly PresentedRefreshToken[],
): Promise<readonly PresentedRefreshToken[] | null> {
  const ours = isOneSession(tokens) ? tokens : await withOwner(core, tokens)
  return isOneSession(ours) ? ours.toSorted((left, right) => newestFirst(left.token, right.token)) : null
}

async function withOwner(
  core: Pick<HttpCore<object, object>, 'ownerOfRefreshToken'>,
  tokens: readonly PresentedRefreshToken[],
): Promise<readonly PresentedRefreshToken[]> {
  const owners = await Promise.all(tokens.map(({ text }) => core.ownerOfRefreshToken(text)))
  return tokens.filter((_, index) => owners[index] === 'ours')
}

function isOneSession(tokens: readonly PresentedRefreshToken[]): boolean {
  return new Set(tokens.map(({ token }) => token.handle)).size <= 1
}

function newestFirst(left: RefreshToken, right: RefreshToken): number {
  return right.generation - left.generation || right.branch - left.branch
}
