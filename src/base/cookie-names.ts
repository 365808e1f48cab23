import { isLocalHostname } from './loopback.ts'

/** The names of the two cookies. */
export interface CookieNames {
  readonly accessToken: string
  readonly refreshToken: string
}

/**
 * The names that cookies have by default: the safest prefix that the origin and a cookie `domain` allow. On localhost
 * they end with the port of the origin, because browsers send a cookie to every port of a host, and the applications of
 * one machine must not overwrite each other's (CK-11). The server, `keyturn/verify` and `keyturn doctor` use this rule.
 * Pure.
 */
export function defaultCookieNames(origin: URL, hasDomain = false): CookieNames {
  const isSecure = origin.protocol === 'https:'
  const secured = isSecure ? '__Secure-' : ''
  const port = isLocalHostname(origin.hostname) && origin.port !== '' ? `-${origin.port}` : ''
  return {
    accessToken: `${isSecure && !hasDomain ? '__Host-' : secured}sAccessToken${port}`,
    refreshToken: `${secured}sRefreshToken${port}`,
  }
}

/** What a default cookie name is for, and the port that it ends with; null for any other name. Pure. */
export function parseCookieName(name: string): { readonly kind: keyof CookieNames; readonly port: string } | null {
  const [, kind, port = ''] = /^(?:__(?:Host|Secure)-)?s(Access|Refresh)Token(?:-([0-9]+))?$/.exec(name) ?? []
  return kind === undefined ? null : { kind: kind === 'Access' ? 'accessToken' : 'refreshToken', port }
}
