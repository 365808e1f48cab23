import { isLocalHostname } from '../base/loopback.ts'
import { GeneralError } from '../base/errors.ts'
import {
  checkValues, explicit, flag, number, oneOf, optionsOf, refuse, required, rule, withDefault,
} from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import type { ReportMisconfiguration } from '../session/misconfiguration.ts'
import { cookieRules, createCookieConfig } from './cookie-config.ts'
import type { CookieConfig, CookieOptions } from './cookie-config.ts'
import { isSharedDomain } from './find-misconfiguration.ts'
import { createOriginMatcher, trustedOriginsRule, webOriginRule } from './trusted-origins.ts'
import type { TrustedOrigin } from './trusted-origins.ts'

/**
 * The name of an option. Set it to true to serve sessions over http on a host other than localhost. Others can then
 * read the tokens on the network.
 */
export const allowInsecureCookies: unique symbol = Symbol('keyturn.allowInsecureCookies')

/**
 * What requests must contain besides a trusted origin: nothing, a `rid` header, or an anti-CSRF token of the session
 * (CSRF-05, CSRF-06).
 */
export type AntiCsrf = 'origin' | 'custom-header' | 'token'

/** The options of sessions over HTTP. */
export interface HttpOptions {
  /**
   * The origin of this server, as browsers see it: `https://app.example.com`. It is never taken from a request
   * (DOS-05).
   */
  readonly origin: string
  /**
   * Other origins whose pages may use the sessions, such as that of a front end on another host or of an app:
   * `https://www.example.com`, `capacitor://localhost`. They are compared exactly (CSRF-03). A function is called with
   * an origin, as browsers send it, and returns whether it is trusted: for preview deployments. It is never called with
   * the origin `null`, and must accept only hosts that nobody else can register. Default: none.
   */
  readonly trustedOrigins?: readonly TrustedOrigin[]
  /** The path prefix of Keyturn's own routes, as this server receives it. Default: `/auth`. */
  readonly basePath?: string
  /**
   * The path prefix that a proxy removes: `/api` if browsers request `/api/auth/signout` and this server receives
   * `/auth/signout`. Default: none.
   */
  readonly gatewayPath?: string
  /** Names, domain and attributes of the cookies. Default: the strictest that the origin allows. */
  readonly cookie?: CookieOptions
  /**
   * What a request with cookies must contain besides a trusted origin, which is always checked. `origin`: nothing;
   * `custom-header`: the header `rid`; `token`: an anti-CSRF token of the session. Default: `origin`.
   */
  readonly antiCsrf?: AntiCsrf
  /** The HTTP status if there is no active session: from 400 to 499. Some front ends expect 440. Default: 401. */
  readonly sessionExpiredStatusCode?: number
  /** The HTTP status if a claim validator fails: from 400 to 499. Default: 403. */
  readonly invalidClaimStatusCode?: number
  /** Whether to serve sessions over http on other hosts than localhost: others can then read tokens. Default: false. */
  readonly [allowInsecureCookies]?: boolean
}

/** {@link HttpOptions}, checked and with defaults. */
export interface HttpPolicy {
  readonly origin: string
  /** The issuer of the tokens: origin and base path, as clients see it. */
  readonly issuer: string
  /** Whether an origin, as a request has it in `Origin`, is this server's or one of the trusted origins. */
  readonly isTrustedOrigin: (origin: string) => boolean
  /** Begins with `/` and does not end with `/`; may be empty. */
  readonly basePath: string
  /** The path that a proxy removes, in the same form. */
  readonly gatewayPath: string
  readonly cookies: CookieConfig
  readonly antiCsrf: AntiCsrf
  readonly sessionExpiredStatusCode: number
  readonly invalidClaimStatusCode: number
  /** Reports what contradicts these settings. */
  readonly report: ReportMisconfiguration
}

/** The rule of a path prefix. */
export const pathRule: Rule<string, undefined> = rule('a plain path such as "/auth"', (value): value is string => (
  typeof value === 'string' && isPlainPath(normalPath(value))
))

const rules = {
  origin: required(webOriginRule),
  trustedOrigins: trustedOriginsRule,
  basePath: withDefault('/auth', pathRule),
  gatewayPath: pathRule,
  cookie: optionsOf<CookieOptions>(cookieRules),
  antiCsrf: withDefault('origin', explicit(oneOf('origin', 'custom-header', 'token'))),
  sessionExpiredStatusCode: withDefault(401, number(null, 400, 499)),
  invalidClaimStatusCode: withDefault(403, number(null, 400, 499)),
  [allowInsecureCookies]: withDefault(false, flag),
} satisfies RulesFor<HttpOptions>

/** The rules of the options of sessions over HTTP. */
export const httpRules: RulesFor<HttpOptions> = rules

/**
 * Creates a policy from the options. Pure, but for what it reports.
 * @throws GeneralError (`MISUSE`) that names an invalid option, its value and what it must be.
 */
export function createHttpPolicy(
  options: HttpOptions,
  report: ReportMisconfiguration = () => undefined,
): HttpPolicy {
  checkValues(httpRules, options)
  const url = new URL(options.origin)
  if (url.protocol === 'http:' && !isLocalHostname(url.hostname) && options[allowInsecureCookies] !== true) {
    refuse('origin', 'https, or http on localhost, because others can read what is sent over http', options.origin)
  }
  const basePath = normalPath(options.basePath ?? rules.basePath.defaultValue)
  const gatewayPath = normalPath(options.gatewayPath ?? '')
  const externalPath = gatewayPath + basePath
  const sessionExpiredStatusCode = options.sessionExpiredStatusCode ?? rules.sessionExpiredStatusCode.defaultValue
  const invalidClaimStatusCode = options.invalidClaimStatusCode ?? rules.invalidClaimStatusCode.defaultValue
  if (sessionExpiredStatusCode === invalidClaimStatusCode) {
    throw new GeneralError('MISUSE', 'sessionExpiredStatusCode and invalidClaimStatusCode must differ; '
      + `both are ${invalidClaimStatusCode}`)
  }
  const domain = options.cookie?.domain?.toLowerCase().replace(/^\./, '')
  if (domain !== undefined && isSharedDomain(domain)) report({ code: 'SHARED_DOMAIN', domain })
  return {
    report,
    origin: url.origin,
    issuer: url.origin + externalPath,
    isTrustedOrigin: createOriginMatcher(url.origin, options.trustedOrigins ?? []),
    basePath,
    gatewayPath,
    cookies: createCookieConfig(options.cookie ?? {}, url, `${externalPath}/session/refresh`),
    antiCsrf: options.antiCsrf ?? rules.antiCsrf.defaultValue,
    sessionExpiredStatusCode,
    invalidClaimStatusCode,
  }
}

/** Begins with a slash and does not end with one. */
export function normalPath(text: string): string {
  const trimmed = text.trim()
  const rooted = trimmed.startsWith('/') ? trimmed : `/${trimmed}`
  return rooted.endsWith('/') ? rooted.slice(0, -1) : rooted
}

/** Whether the URL parser leaves the path unchanged. No request could match another path. */
function isPlainPath(path: string): boolean {
  const host = 'https://localhost'
  return !/\/\/|[;?#]/.test(path) && URL.canParse(host + path) && new URL(host + path).href === `${host}${path || '/'}`
}
