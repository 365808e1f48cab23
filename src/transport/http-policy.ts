import { GeneralError } from '../base/errors.ts'
import { createCookieConfig } from './cookie-config.ts'
import type { CookieConfig, CookieOptions } from './cookie-config.ts'
import { isLoopback, parseOrigin } from './origin.ts'

/**
 * Set this option to true to serve sessions over http on a host that is not the own machine. Tokens can be read on
 * the way.
 */
export const allowInsecureCookies: unique symbol = Symbol('keyturn.allowInsecureCookies')

/**
 * What requests must show beyond their origin: nothing, any `rid` header, or a token bound to the session (CSRF-05,
 * CSRF-06).
 */
export type AntiCsrf = 'origin' | 'custom-header' | 'token'

/** How sessions meet HTTP. */
export interface HttpOptions {
  /**
   * Where this server is reached, as browsers write it: `https://app.example.com`. Never taken from a request
   * (DOS-05).
   */
  readonly origin: string
  /**
   * Other origins whose pages may use the sessions: the front end's, if it is not this server's. Exact origins
   * (CSRF-03).
   */
  readonly trustedOrigins?: readonly string[]
  /** Where Keyturn's own routes live, as this server sees the path. Default `/auth`. */
  readonly basePath?: string
  /**
   * The beginning of the path that a proxy strips: `/api` if browsers ask for `/api/auth/signout` and this server
   * sees `/auth/signout`. Default: none.
   */
  readonly gatewayPath?: string
  readonly cookie?: CookieOptions
  /** On top of the check of the origin, which is always on for cookies. Default `origin`: nothing. */
  readonly antiCsrf?: AntiCsrf
  /** The status of a missing or ended session. Default 401; some front ends expect 440. */
  readonly sessionExpiredStatusCode?: number
  /** The status of a session whose claims do not suffice. Default 403. */
  readonly invalidClaimStatusCode?: number
  readonly [allowInsecureCookies]?: true
}

/** The rules of {@link HttpOptions}, checked and resolved. */
export interface HttpPolicy {
  readonly origin: string
  /** Who issues the tokens: the origin and the base path, as clients see it. */
  readonly issuer: string
  /** Every origin that may use the sessions, the own included. */
  readonly trustedOrigins: ReadonlySet<string>
  /** Begins with `/` and does not end with it; may be empty. */
  readonly basePath: string
  readonly cookies: CookieConfig
  readonly antiCsrf: AntiCsrf
  readonly sessionExpiredStatusCode: number
  readonly invalidClaimStatusCode: number
}

/**
 * Resolves the options. Pure.
 * @throws GeneralError (`MISUSE`) that names the option that can not work.
 */
export function createHttpPolicy(options: HttpOptions): HttpPolicy {
  const url = parseOrigin('origin', options.origin)
  if (url.protocol === 'http:' && !isLoopback(url) && options[allowInsecureCookies] !== true) {
    throw new GeneralError('MISUSE', 'origin must begin with https, or be on localhost: http can be read on the way')
  }
  const basePath = parsePath('basePath', options.basePath ?? '/auth', url)
  const externalPath = parsePath('gatewayPath', options.gatewayPath ?? '', url) + basePath
  const trusted = (options.trustedOrigins ?? []).map(text => parseOrigin('trustedOrigins', text).origin)
  const sessionExpiredStatusCode = parseStatus('sessionExpiredStatusCode', options.sessionExpiredStatusCode ?? 401)
  const invalidClaimStatusCode = parseStatus('invalidClaimStatusCode', options.invalidClaimStatusCode ?? 403)
  if (sessionExpiredStatusCode === invalidClaimStatusCode) {
    throw new GeneralError('MISUSE', 'sessionExpiredStatusCode and invalidClaimStatusCode must differ')
  }
  const antiCsrf = options.antiCsrf ?? 'origin'
  if (!['origin', 'custom-header', 'token'].includes(antiCsrf)) {
    throw new GeneralError('MISUSE', 'antiCsrf must be origin, custom-header or token')
  }
  return {
    origin: url.origin,
    issuer: url.origin + externalPath,
    trustedOrigins: new Set([url.origin, ...trusted]),
    basePath,
    cookies: createCookieConfig(options.cookie ?? {}, url, `${externalPath}/session/refresh`),
    antiCsrf,
    sessionExpiredStatusCode,
    invalidClaimStatusCode,
  }
}

function parsePath(name: string, text: string, origin: URL): string {
  const trimmed = text.trim()
  const rooted = trimmed.startsWith('/') ? trimmed : `/${trimmed}`
  const path = rooted.endsWith('/') ? rooted.slice(0, -1) : rooted
  // What the platform's parser would change, no request path could ever equal.
  const isPath = !/\/\/|[;?#]/.test(path) && new URL(origin.origin + path).href === `${origin.origin}${path || '/'}`
  if (isPath) return path
  throw new GeneralError('MISUSE', `${name} must be a plain path like /auth`)
}

function parseStatus(name: string, status: number): number {
  if (Number.isInteger(status) && status >= 400 && status <= 499) return status
  throw new GeneralError('MISUSE', `${name} must be a status from 400 to 499`)
}
