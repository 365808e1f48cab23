import { GeneralError } from '../base/errors.ts'
import { oneOf, refuse, text, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { checkCookieAttributes, clearingOf, cookieNameRule, prefixOf } from './set-cookie.ts'
import type { Cookie, CookieAttributes, SameSite } from './set-cookie.ts'

/** What an application may say of its cookies. */
export interface CookieOptions {
  /**
   * Makes the session reach every host under this domain: the origin's host or a parent of it. Default: the origin's
   * host alone.
   */
  readonly domain?: string
  /** `none` where the front end is on another site; needs https. Default: `lax`. */
  readonly sameSite?: SameSite
  /**
   * The name of the access token's cookie. Default: `__Host-sAccessToken`, `__Secure-sAccessToken` with a `domain`,
   * `sAccessToken` on an http origin.
   */
  readonly accessTokenName?: string
  /** The name of the refresh token's cookie. Default: `__Secure-sRefreshToken`, `sRefreshToken` on an http origin. */
  readonly refreshTokenName?: string
  /**
   * `/` sends the refresh token with every request, so that a server which renders pages can refresh on the way to
   * them. Default: only to the refresh endpoint.
   */
  readonly refreshTokenPath?: '/'
  /**
   * A `domain` that was configured before, or `''` if there was none: its cookies are cleared as they arrive (CK-09).
   * Those of another application, told by their issuer, are left alone. Default: nothing is cleared.
   */
  readonly olderDomain?: string
}

const rules = {
  domain: text('the host of the origin or a parent domain of it'),
  sameSite: withDefault('lax', oneOf('lax', 'strict', 'none')),
  accessTokenName: cookieNameRule,
  refreshTokenName: cookieNameRule,
  refreshTokenPath: oneOf('/'),
  olderDomain: text('the host of the origin, a parent domain of it or ""', /^/),
} satisfies RulesFor<CookieOptions>

/** What the options of cookies accept. */
export const cookieRules: RulesFor<CookieOptions> = rules

/** One of the two cookies. */
export interface CookieSlot {
  readonly attributes: CookieAttributes
  /** What removes it. */
  readonly clearing: Cookie
  /** What removes cookies of its name from the domain that was configured before (CK-09). */
  readonly olderClearings: readonly Cookie[]
  /** What removes them from the origin's own host, where nobody else writes (CK-06). */
  readonly hostClearings: readonly Cookie[]
  /** What removes them from the parent domains, where other applications may write as well (CK-06). */
  readonly parentClearings: readonly Cookie[]
}

/** The cookies of one application. */
export interface CookieConfig {
  readonly accessToken: CookieSlot
  readonly refreshToken: CookieSlot
  /**
   * What removes the refresh token's cookie of before its path was widened: it would stand before the new one for ever.
   */
  readonly narrowClearings: readonly Cookie[]
}

/**
 * Resolves the options to attributes. Pure.
 * @throws GeneralError (`MISUSE`) if browsers would refuse such cookies.
 */
export function createCookieConfig(options: CookieOptions, origin: URL, refreshPath: string): CookieConfig {
  const path = options.refreshTokenPath ?? refreshPath
  const secure = origin.protocol === 'https:'
  const domain = options.domain === undefined ? null : parseDomain('domain', options.domain, origin)
  const older = options.olderDomain === undefined ? [] : [parseOlderDomain(options.olderDomain, origin)]
  const shared = { domain, secure, sameSite: options.sameSite ?? rules.sameSite.preset }
  const secured = secure ? '__Secure-' : ''
  const accessPrefix = secure && domain === null ? '__Host-' : secured
  const names = [
    options.accessTokenName ?? `${accessPrefix}sAccessToken`,
    options.refreshTokenName ?? `${secured}sRefreshToken`,
  ] as const
  if (names[0] === names[1]) {
    throw new GeneralError('MISUSE', 'cookie.accessTokenName and cookie.refreshTokenName must be different names; '
      + `both are "${names[0]}"`)
  }
  const refreshToken = createSlot({ ...shared, name: names[1], path }, older, origin)
  return {
    accessToken: createSlot({ ...shared, name: names[0], path: '/' }, older, origin),
    refreshToken,
    narrowClearings: path === refreshPath ? [] : [clearingOf({ ...refreshToken.attributes, path: refreshPath })],
  }
}

function createSlot(attributes: CookieAttributes, older: readonly (string | null)[], origin: URL): CookieSlot {
  checkCookieAttributes(attributes)
  const taken = new Set<string | null>([attributes.domain])
  // Browsers keep a __Host- cookie nowhere but on its host, so there is no elsewhere.
  const hostOnly = prefixOf(attributes.name) === '__host-'
  const clearingsOn = (domains: readonly (string | null)[]): readonly Cookie[] => {
    const others = hostOnly ? [] : domains.filter(domain => !taken.has(domain))
    for (const domain of others) taken.add(domain)
    return others.map(domain => clearingOf({ ...attributes, domain }))
  }
  const [host, ...parents] = domainsOf(origin)
  return {
    attributes,
    clearing: clearingOf(attributes),
    olderClearings: clearingsOn(older),
    hostClearings: clearingsOn(host === undefined ? [null] : [null, host]),
    parentClearings: clearingsOn(parents),
  }
}

/** The host and its parents that a cookie could be set for; a single label is never one. */
function domainsOf(origin: URL): readonly string[] {
  if (isAddress(origin)) return []
  const labels = origin.hostname.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

function parseDomain(name: 'domain' | 'olderDomain', text: string, origin: URL): string {
  const domain = text.toLowerCase().replace(/^\./, '')
  return domainsOf(origin).includes(domain) ? domain : refuse(`cookie.${name}`, rules[name].accepts, text)
}

function parseOlderDomain(text: string, origin: URL): string | null {
  return text === '' ? null : parseDomain('olderDomain', text, origin)
}

function isAddress({ hostname }: URL): boolean {
  return hostname.startsWith('[') || /^[0-9.]+$/.test(hostname)
}
