import type { SessionHandle } from '../base/handle.ts'
import type { TransferMode } from '../base/wire.ts'
import type { SessionCore } from '../session/core.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'
import { bearerToken, cookieTokens, travelsBy } from './credentials.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/** The refresh token of a request. */
export type PresentedRefresh =
  | { readonly kind: 'none' }
  /** Cookies of several sessions (CK-06). */
  | { readonly kind: 'ambiguous' }
  | PresentedRefreshToken

export interface PresentedRefreshToken {
  readonly kind: 'token'
  readonly channel: TransferMode
  readonly handle: SessionHandle
  /** In the order to try them: the newest first, since one that it replaced would look like a theft. */
  readonly refreshTokens: readonly string[]
  /** Whether there were other cookies of the name. */
  readonly duplicated: boolean
}

/**
 * Finds the refresh token of a request: a bearer token if it has the shape of ours, else the cookie. A cookie
 * counts only beside an access token's cookie of the same session, expired or not: a sibling domain can toss in the
 * one, but not the other with its `__Host-` name.
 */
export function findRefreshToken(
  core: Pick<SessionCore<object, object>, 'peekHandle'>,
  policy: HttpPolicy,
  request: HttpRequest,
): PresentedRefresh {
  const bearer = bearerToken(request)
  const parsed = bearer === null ? null : parseRefreshToken(bearer)
  if (bearer !== null && parsed !== null) {
    return { kind: 'token', channel: 'header', handle: parsed.handle, refreshTokens: [bearer], duplicated: false }
  }
  const handles = new Set(cookieTokens(request, policy.cookies.accessToken).map(text => core.peekHandle(text)))
  const candidates = cookieTokens(request, policy.cookies.refreshToken)
  const matching = candidates
    .flatMap(text => {
      const token = parseRefreshToken(text)
      return token !== null && travelsBy('cookie', token.handle) && handles.has(token.handle) ? [{ text, token }] : []
    })
    .sort((left, right) => newestFirst(left.token, right.token))
  const [first] = matching
  if (first === undefined) return { kind: 'none' }
  const { handle } = first.token
  if (matching.some(({ token }) => token.handle !== handle)) return { kind: 'ambiguous' }
  return {
    kind: 'token',
    channel: 'cookie',
    handle,
    refreshTokens: matching.map(({ text }) => text),
    duplicated: candidates.length > 1,
  }
}

function newestFirst(left: RefreshToken, right: RefreshToken): number {
  return right.generation - left.generation || right.branch - left.branch
}
