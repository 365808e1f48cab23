import { isLoopbackHost } from '../base/loopback.ts'
import { GeneralError } from '../base/errors.ts'
import {
  checkValues, explicit, flag, listOf, number, oneOf, optionsOf, refuse, required, rule, withDefault,
} from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { cookieRules, createCookieConfig } from './cookie-config.ts'
import type { CookieConfig, CookieOptions } from './cookie-config.ts'
import { originRule } from './origin.ts'

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
   * (CSRF-03). Default: none.
   */
  readonly trustedOrigins?: readonly string[]
  /** Where Keyturn's own routes live, as this server sees the path. Default: `/auth`. */
  readonly basePath?: string
  /**
   * The beginning of the path that a proxy strips: `/api` if browsers ask for `/api/auth/signout` and this server
   * sees `/auth/signout`. Default: none.
   */
  readonly gatewayPath?: string
  /** Names, domain and attributes of the cookies. Default: the strictest that work. */
  readonly cookie?: CookieOptions
  /**
   * What a request with cookies must show besides a trusted origin, which is always checked: `origin` nothing,
   * `custom-header` the header `rid`, `token` an anti-CSRF token of the session. Default: `origin`.
   */
  readonly antiCsrf?: AntiCsrf
  /** The HTTP status of a missing or ended session, from 400 to 499; some front ends expect 440. Default: 401. */
  readonly sessionExpiredStatusCode?: number
  /** The HTTP status of a session whose claims do not suffice, from 400 to 499. Default: 403. */
  readonly invalidClaimStatusCode?: number
  /** Whether to serve sessions over http beyond localhost, where others can read the tokens. Default: false. */
  readonly [allowInsecureCookies]?: boolean
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

const pathRule = rule('a plain path such as "/auth"', (value): value is string => (
  typeof value === 'string' && isPlainPath(normalPath(value))
))

const rules = {
  origin: required(originRule),
  trustedOrigins: listOf('a list of origins such as ["https://www.example.com"]', originRule),
  basePath: withDefault('/auth', pathRule),
  gatewayPath: pathRule,
  cookie: optionsOf<CookieOptions>(cookieRules),
  antiCsrf: withDefault('origin', explicit(oneOf('origin', 'custom-header', 'token'))),
  sessionExpiredStatusCode: withDefault(401, number(null, 400, 499)),
  invalidClaimStatusCode: withDefault(403, number(null, 400, 499)),
  [allowInsecureCookies]: withDefault(false, flag),
} satisfies RulesFor<HttpOptions>

/** What the options of sessions over HTTP accept. */
export const httpRules: RulesFor<HttpOptions> = rules

/**
 * Resolves the options. Pure.
 * @throws GeneralError (`MISUSE`) with the option, what it was and what it must be.
 */
export function createHttpPolicy(options: HttpOptions): HttpPolicy {
  checkValues(httpRules, options)
  const url = new URL(options.origin)
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && options[allowInsecureCookies] !== true) {
    refuse('origin', 'https, or http on localhost, because others can read what is sent over http', options.origin)
  }
  const basePath = normalPath(options.basePath ?? rules.basePath.preset)
  const externalPath = normalPath(options.gatewayPath ?? '') + basePath
  const trusted = (options.trustedOrigins ?? []).map(text => new URL(text).origin)
  const sessionExpiredStatusCode = options.sessionExpiredStatusCode ?? rules.sessionExpiredStatusCode.preset
  const invalidClaimStatusCode = options.invalidClaimStatusCode ?? rules.invalidClaimStatusCode.preset
  if (sessionExpiredStatusCode === invalidClaimStatusCode) {
    throw new GeneralError('MISUSE', 'sessionExpiredStatusCode and invalidClaimStatusCode must differ; '
      + `both are ${invalidClaimStatusCode}`)
  }
  return {
    origin: url.origin,
    issuer: url.origin + externalPath,
    trustedOrigins: new Set([url.origin, ...trusted]),
    basePath,
    cookies: createCookieConfig(options.cookie ?? {}, url, `${externalPath}/session/refresh`),
    antiCsrf: options.antiCsrf ?? rules.antiCsrf.preset,
    sessionExpiredStatusCode,
    invalidClaimStatusCode,
  }
}

/** Begins with a slash and does not end with one. */
function normalPath(text: string): string {
  const trimmed = text.trim()
  const rooted = trimmed.startsWith('/') ? trimmed : `/${trimmed}`
  return rooted.endsWith('/') ? rooted.slice(0, -1) : rooted
}

/** What the platform's parser would change, no request path could ever equal. */
function isPlainPath(path: string): boolean {
  const host = 'https://localhost'
  return !/\/\/|[;?#]/.test(path) && URL.canParse(host + path) && new URL(host + path).href === `${host}${path || '/'}`
}
