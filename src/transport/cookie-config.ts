import { GeneralError } from '../base/errors.ts'
import { defaultCookieNames } from '../base/cookie-names.ts'
import { flag, oneOf, refuse, text, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { checkCookieAttributes, clearingOf, cookieNameRule, prefixOf } from './set-cookie.ts'
import type { Cookie, CookieAttributes, SameSite } from './set-cookie.ts'

/** The options of cookies. */
export interface CookieOptions {
  /**
   * The domain whose hosts all share the session: the origin's host or a parent domain of it. Default: only the
   * origin's host.
   */
  readonly domain?: string
  /** The `SameSite` attribute. `none` if the front end is on another site; requires https. Default: `lax`. */
  readonly sameSite?: SameSite
  /**
   * Whether browsers keep the cookies apart for each top-level site (CHIPS), so that a page that other sites embed in a
   * frame has its session there although third-party cookies are blocked. The user has one session for each of those
   * sites, and another where the page is not embedded. Requires https and `sameSite: 'none'`. Default: false.
   */
  readonly partitioned?: boolean
  /**
   * The name of the access token's cookie. Default: `__Host-sAccessToken`; with a `domain`, `__Secure-sAccessToken`; on
   * an http origin, `sAccessToken`. On localhost, `-` and the port of the origin follow: `sAccessToken-3000`.
   */
  readonly accessTokenName?: string
  /**
   * The name of the refresh token's cookie. Default: `__Secure-sRefreshToken`; on an http origin, `sRefreshToken`. On
   * localhost, `-` and the port of the origin follow: `sRefreshToken-3000`.
   */
  readonly refreshTokenName?: string
  /**
   * `/`: the browser sends the refresh token with every request, so that a server that renders pages can refresh the
   * session before it does. Default: only with requests to the refresh endpoint.
   */
  readonly refreshTokenPath?: '/'
  /**
   * A `domain` that was configured before, or `''` if there was none. Keyturn clears the cookies of this domain when a
   * request contains them (CK-09), but not those of another application, which it recognizes by their issuer. Default:
   * nothing is cleared.
   */
  readonly olderDomain?: string
}

const rules = {
  domain: text('the host of the origin or a parent domain of it'),
  sameSite: withDefault('lax', oneOf('lax', 'strict', 'none')),
  partitioned: withDefault(false, flag),
  accessTokenName: cookieNameRule,
  refreshTokenName: cookieNameRule,
  refreshTokenPath: oneOf('/'),
  olderDomain: text('the host of the origin, a parent domain of it or ""', /^/),
} satisfies RulesFor<CookieOptions>

/** The rules of the options of cookies. */
export const cookieRules: RulesFor<CookieOptions> = rules

/** The configuration of the cookie of a token. The cookies that clear it also clear that of its MAC. */
export interface CookieSlot {
  readonly attributes: CookieAttributes
  /** The cookies that clear it. */
  readonly clearings: readonly Cookie[]
  /** Cookies that clear those of the same name on the domain that was configured before (CK-09). */
  readonly olderClearings: readonly Cookie[]
  /**
   * Cookies that clear those of the same name where no other application sets any (CK-06): on the origin's host, and
   * the same cookie from before `partitioned` was changed.
   */
  readonly hostClearings: readonly Cookie[]
  /** Cookies that clear those of the same name on the parent domains, where other applications may set some (CK-06). */
  readonly parentClearings: readonly Cookie[]
}

/** The configuration of an application's cookies. */
export interface CookieConfig {
  readonly accessToken: CookieSlot
  /** The cookie of the access token's MAC. */
  readonly accessTokenMac: Pick<CookieSlot, 'attributes' | 'clearings'>
  readonly refreshToken: CookieSlot
  /**
   * Cookies that clear the refresh token's cookie of before its path was widened to `/`, or before `partitioned` was
   * changed as well. Browsers would send it before the new one.
   */
  readonly narrowClearings: readonly Cookie[]
}

/**
 * Creates the configuration from the options. Pure.
 * @throws GeneralError (`MISUSE`) if browsers would reject such cookies.
 */
export function createCookieConfig(options: CookieOptions, origin: URL, refreshPath: string): CookieConfig {
  const path = options.refreshTokenPath ?? refreshPath
  const secure = origin.protocol === 'https:'
  const domain = options.domain === undefined ? null : parseDomain('domain', options.domain, origin)
  const older = options.olderDomain === undefined ? [] : [parseOlderDomain(options.olderDomain, origin)]
  const { sameSite = rules.sameSite.defaultValue, partitioned = rules.partitioned.defaultValue } = options
  const shared = { domain, secure, sameSite, partitioned }
  const names = defaultCookieNames(origin, domain !== null)
  const { accessTokenName: accessName = names.accessToken } = options
  const { refreshTokenName: refreshName = names.refreshToken } = options
  const macName = `${accessName}Mac`
  if (refreshName === accessName || refreshName === macName) {
    throw new GeneralError('MISUSE',
      'cookie.accessTokenName and cookie.refreshTokenName must be different names, and the '
        + `latter not "${macName}", the cookie of the access token's MAC; `
        + `received "${accessName}" and "${refreshName}"`,
    )
  }
  const refreshToken = createSlot([{ ...shared, name: refreshName, path }], older, origin)
  const narrow = { ...refreshToken.attributes, path: refreshPath }
  const accessTokenMac = { ...shared, name: macName, path: '/' }
  return {
    accessToken: createSlot([{ ...shared, name: accessName, path: '/' }, accessTokenMac], older, origin),
    accessTokenMac: { attributes: accessTokenMac, clearings: [clearingOf(accessTokenMac)] },
    refreshToken,
    narrowClearings: path === refreshPath ? [] : partitionsOf(narrow).map(clearingOf),
  }
}

/** `cookies`: the cookie of the token and those that are cleared with it, on the same path and domain. */
function createSlot(
  cookies: readonly [CookieAttributes, ...CookieAttributes[]],
  older: readonly (string | null)[],
  origin: URL,
): CookieSlot {
  const [attributes] = cookies
  checkCookieAttributes(attributes)
  const taken = new Set<string | null>([attributes.domain])
  const otherPartitions = cookies.flatMap(cookie => partitionsOf(cookie).slice(1))
  // A __Host- cookie exists on its host only, so there is no other domain to clear.
  const hostOnly = prefixOf(attributes.name) === '__host-'
  const clearingsOn = (domains: readonly (string | null)[]): readonly Cookie[] => {
    const others = hostOnly ? [] : domains.filter(domain => !taken.has(domain))
    for (const domain of others) taken.add(domain)
    return others.flatMap(domain => (
      cookies.flatMap(cookie => partitionsOf({ ...cookie, domain }).map(clearingOf))
    ))
  }
  const [host, ...parents] = domainsOf(origin)
  return {
    attributes,
    clearings: cookies.map(clearingOf),
    olderClearings: clearingsOn(older),
    hostClearings: [
      ...otherPartitions.map(clearingOf),
      ...clearingsOn(host === undefined ? [null] : [null, host]),
    ],
    parentClearings: clearingsOn(parents),
  }
}

/**
 * The cookie, and the one that browsers keep beside it if `partitioned` was set otherwise before. There is none unless
 * other sites may send the cookie, since `partitioned` requires that.
 */
function partitionsOf(attributes: CookieAttributes): readonly [CookieAttributes, ...CookieAttributes[]] {
  const { sameSite, partitioned } = attributes
  return sameSite === 'none' ? [attributes, { ...attributes, partitioned: !partitioned }] : [attributes]
}

/** The host and the parent domains that a cookie could be set for. A single label is not one. */
function domainsOf(origin: URL): readonly string[] {
  if (isAddress(origin)) return []
  const labels = origin.hostname.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

function parseDomain(name: 'domain' | 'olderDomain', text: string, origin: URL): string {
  const domain = text.toLowerCase().replace(/^\./, '')
  return domainsOf(origin).includes(domain) ? domain : refuse(`cookie.${name}`, rules[name].expected, text)
}

function parseOlderDomain(text: string, origin: URL): string | null {
  return text === '' ? null : parseDomain('olderDomain', text, origin)
}

function isAddress({ hostname }: URL): boolean {
  return hostname.startsWith('[') || /^[0-9.]+$/.test(hostname)
}
