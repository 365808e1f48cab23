import type { EpochMilliseconds } from '../base/time.ts'
import * as wire from '../base/wire.ts'
import type { EndReason, TransferMode } from '../base/wire.ts'
import type { IssuedAccessToken, IssuedSession } from '../session/core.ts'
import type { CookieConfig } from './cookie-config.ts'
import type { ResponseWriter } from './exchange.ts'
import { addToList } from './header-list.ts'
import { createCookie } from './set-cookie.ts'
import type { Cookie } from './set-cookie.ts'
import { membersOf } from '../tokens/access-claims.ts'

/** The changes of a response that sends tokens to a client, or clears them. */
export interface TokenEdits {
  /** Headers to set, or to remove (null). */
  readonly headers: readonly (readonly [name: string, value: string | null])[]
  readonly cookies: readonly Cookie[]
}

/** The value of `front-token` that tells a client that its session has ended. */
const REMOVE_FRONT_TOKEN = 'remove'
const beyondAscii = /[^\0-\x7f]/

/**
 * The access token's cookie is kept for longer than the token: an expired token shows that there was a session (CK-12).
 */
const ACCESS_COOKIE_LIFETIME = 365 * 86_400_000
/** The longest time for which browsers keep a cookie (CK-04). */
const MAX_COOKIE_LIFETIME = 400 * 86_400_000

/**
 * The edits that send an access token to a client. Pure.
 * @throws GeneralError (`MISUSE`) if the token does not fit into a cookie.
 */
export function accessTokenEdits(
  cookies: CookieConfig,
  mode: TransferMode,
  issued: IssuedAccessToken<object>,
): TokenEdits {
  // A response that has ended a session may begin another one.
  const front = [[wire.frontToken, encodeFrontToken(issued)], [wire.sessionEnded, null]] as const
  if (mode === 'header') return { headers: [...front, [wire.accessToken, issued.accessToken]], cookies: [] }
  const { accessToken, accessTokenMac } = cookies
  const expires = isPersistent(issued) ? issuedAt(issued) + ACCESS_COOKIE_LIFETIME : null
  const access = createCookie(accessToken.attributes, issued.accessToken, expires, issuedAt(issued))
  const macs = issued.mac === null
    ? accessTokenMac.clearings
    : [createCookie(accessTokenMac.attributes, issued.mac, expires, issuedAt(issued))]
  return { headers: front, cookies: [access, ...macs] }
}

/**
 * The edits that send a pair of tokens to a client, and an anti-CSRF token if there is one. Pure.
 * @throws GeneralError (`MISUSE`) if the access token does not fit into a cookie.
 */
export function sessionEdits(
  cookies: CookieConfig,
  mode: TransferMode,
  issued: IssuedSession<object>,
  antiCsrfToken: string | null,
): TokenEdits {
  const access = accessTokenEdits(cookies, mode, issued)
  if (mode === 'header') {
    return { headers: [...access.headers, [wire.refreshToken, issued.refreshToken]], cookies: [] }
  }
  const expires = Math.min(issued.sessionExpiresAt, issuedAt(issued) + MAX_COOKIE_LIFETIME)
  const { attributes } = cookies.refreshToken
  const refresh = createCookie(
    attributes, issued.refreshToken, isPersistent(issued) ? expires : null, issuedAt(issued),
  )
  return {
    headers: antiCsrfToken === null ? access.headers : [...access.headers, [wire.antiCsrf, antiCsrfToken]],
    cookies: [...access.cookies, ...cookies.narrowClearings, refresh],
  }
}

/** Which sessions a response ends, and why. */
export interface SessionEnd {
  readonly reason: EndReason
  readonly handles: readonly string[]
}

/**
 * The edits that clear a client's tokens in one transfer mode, and leftover cookies on other domains. `end` tells the
 * client what they are about; null if the response begins another session. Pure.
 */
export function clearingEdits(
  cookies: CookieConfig,
  mode: TransferMode,
  end: SessionEnd | null,
  leftovers: readonly Cookie[] = [],
): TokenEdits {
  const ended = end && [end.reason, ...end.handles].join(' ')
  const common = [[wire.frontToken, REMOVE_FRONT_TOKEN], [wire.antiCsrf, null], [wire.sessionEnded, ended]] as const
  if (mode === 'header') return { headers: [...common, [wire.accessToken, ''], [wire.refreshToken, '']], cookies: [] }
  const { accessToken, refreshToken, narrowClearings } = cookies
  return {
    headers: common,
    cookies: [...leftovers, ...accessToken.clearings, ...narrowClearings, ...refreshToken.clearings],
  }
}

/** The edits that tell a client that it has no session, without clearing tokens. Pure. */
export function noSessionEdits(): TokenEdits {
  return { headers: [[wire.frontToken, REMOVE_FRONT_TOKEN]], cookies: [] }
}

/** The edits that only clear cookies on other domains (CK-06, CK-09). Pure. */
export function leftoverEdits(cookies: readonly Cookie[]): TokenEdits {
  return { headers: [], cookies }
}

/** Applies edits, unless the response was sent already. Responses with tokens are never cached (HDR-01). */
export function applyEdits(reply: ResponseWriter, { headers, cookies }: TokenEdits): void {
  if (reply.closed || (headers.length === 0 && cookies.length === 0)) return
  for (const [name, value] of headers) {
    if (value === null) reply.remove(name)
    else reply.set(name, value)
  }
  const exposed = headers.flatMap(([name, value]) => value === null ? [] : [name])
  if (exposed.length > 0) addToList(reply, 'access-control-expose-headers', exposed)
  if (cookies.length > 0) reply.setCookies(cookies)
  addToList(reply, 'vary', ['Cookie', 'Authorization'])
  reply.forbidCaching()
}

/** Whether the browser keeps the cookies when it is closed. */
function isPersistent({ claims }: IssuedAccessToken<object>): boolean {
  return claims.tmp !== true
}

function issuedAt({ claims }: IssuedAccessToken<object>): EpochMilliseconds {
  return claims.iat * 1000
}

/**
 * The front token, for scripts of a page: user, expiry in milliseconds and all claims, as compact JSON in UTF-8 and
 * standard base64. It contains no secrets (CMP-09).
 */
function encodeFrontToken({ claims, payload }: IssuedAccessToken<object>): string {
  const json = JSON.stringify({ uid: claims.sub, ate: claims.exp * 1000, up: { ...payload, ...membersOf(claims) } })
  return btoa(beyondAscii.test(json) ? String.fromCharCode(...new TextEncoder().encode(json)) : json)
}
