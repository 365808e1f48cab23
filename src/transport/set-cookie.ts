import { GeneralError } from '../base/errors.ts'
import { text } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** When a browser sends a cookie along with a request from another site. */
export type SameSite = 'lax' | 'strict' | 'none'

/** What identifies a cookie and guards it. All cookies of Keyturn are `HttpOnly` (CK-02). */
export interface CookieAttributes {
  readonly name: string
  readonly path: string
  /** Null: only the host that set it gets it back. */
  readonly domain: string | null
  readonly secure: boolean
  readonly sameSite: SameSite
}

/** A cookie of ours on its way into a response. It is a value until the response takes it. */
export interface Cookie extends CookieAttributes {
  readonly value: string
  /** Null: it ends with the browser. 0: it is removed. */
  readonly expires: EpochMilliseconds | null
}

/** The most that browsers take for a cookie's name and value together, in bytes (RFC 6265bis, CK-04). */
const MAX_PAIR_BYTES = 4096
/** The most that browsers take for an attribute's value, in bytes (CK-04). */
const MAX_ATTRIBUTE_BYTES = 1024

/** The longest name beside which the longest access token still fits a cookie. */
const MAX_NAME_LENGTH = 128

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/

/** Accepts the name of a cookie: a token of RFC 9110. */
export const cookieNameRule: Rule<string, undefined> = text('a cookie name: letters, digits, _ - and the like', TOKEN)

const sameSiteNames = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

/**
 * Checks the attributes against their grammars (CK-05), the cookie name prefixes (CK-01) and each other (CK-03).
 * @throws GeneralError (`MISUSE`) that names what can not work.
 */
export function checkCookieAttributes(attributes: CookieAttributes): void {
  const { name, path, domain, secure, sameSite } = attributes
  if (!TOKEN.test(name) || name.length > MAX_NAME_LENGTH) {
    throw misuse(`a cookie name must be a token of RFC 9110 of at most ${MAX_NAME_LENGTH} characters`)
  }
  if (!PATH.test(path) || path.length > MAX_ATTRIBUTE_BYTES) throw misuse(`the path of the cookie ${name} is malformed`)
  if (domain !== null && (!DOMAIN.test(domain) || domain.length > 253)) {
    throw misuse(`the domain of the cookie ${name} must be a host name`)
  }
  if (!(sameSite in sameSiteNames)) throw misuse('sameSite must be lax, strict or none')
  if (sameSite === 'none' && !secure) throw misuse('sameSite none needs an https origin')
  const prefix = prefixOf(name)
  if (prefix !== null && !secure) throw misuse(`the cookie ${name} needs an https origin, for its prefix`)
  if (prefix === '__host-' && (domain !== null || path !== '/')) {
    throw misuse(`the cookie ${name} can have neither a domain nor a path but /, for its prefix`)
  }
}

/** The prefix that browsers enforce, in lower case: they compare it without regard to case. */
export function prefixOf(name: string): '__host-' | '__secure-' | null {
  const lower = name.toLowerCase()
  if (lower.startsWith('__host-')) return '__host-'
  if (lower.startsWith('__secure-')) return '__secure-'
  return null
}

/**
 * Makes a cookie of a value; without `expires` it ends with the browser.
 * @throws GeneralError (`MISUSE`) if browsers would not keep the cookie: too long, or not writable (CK-04, CK-05).
 */
export function createCookie(attributes: CookieAttributes, value: string, expires: EpochMilliseconds | null): Cookie {
  const { name } = attributes
  if (!COOKIE_OCTETS.test(value)) throw misuse(`the value for the cookie ${name} can not be written`)
  const length = name.length + 1 + value.length
  if (length > MAX_PAIR_BYTES) {
    throw misuse(
      `the cookie ${name} would have ${length} bytes, and browsers keep ${MAX_PAIR_BYTES}: the JWT payload is too long`,
    )
  }
  return { ...attributes, value, expires }
}

/** Makes what removes the cookie with exactly these attributes (CK-09). */
export function clearingOf(attributes: CookieAttributes): Cookie {
  return { ...attributes, value: '', expires: 0 }
}

/** What browsers tell cookies apart by: name, domain and path. */
export function identityOf({ name, domain, path }: CookieAttributes): string {
  return `${name};${domain ?? ''};${path}`
}

/** Writes the `Set-Cookie` line of a cookie; one that removes says so twice (CK-09). */
export function serializeCookie({ name, value, expires, path, domain, secure, sameSite }: Cookie): string {
  const removal = expires === 0 ? '; Max-Age=0' : ''
  const end = expires === null ? '' : `; Expires=${new Date(expires).toUTCString()}${removal}`
  const where = domain === null ? `; Path=${path}` : `; Path=${path}; Domain=${domain}`
  return `${name}=${value}${end}${where}; HttpOnly${secure ? '; Secure' : ''}; SameSite=${sameSiteNames[sameSite]}`
}

function misuse(message: string): GeneralError {
  return new GeneralError('MISUSE', message)
}
