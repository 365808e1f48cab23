import { GeneralError } from '../base/errors.ts'
import { text } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** When a browser sends a cookie along with a request from another site. */
export type SameSite = 'lax' | 'strict' | 'none'

/** Name and attributes of a cookie. All cookies of Keyturn are `HttpOnly` (CK-02). */
export interface CookieAttributes {
  /** The name. */
  readonly name: string
  /** The path to which, and below which, it is sent. */
  readonly path: string
  /** Null: the browser sends it only to the host that set it. */
  readonly domain: string | null
  /** Whether it is sent over https only. */
  readonly secure: boolean
  /** Which requests of other sites carry it (RFC 6265bis). */
  readonly sameSite: SameSite
  /** Whether browsers keep it apart for each top-level site that embeds pages of the host (CHIPS). */
  readonly partitioned: boolean
}

/** A cookie to be added to a response. */
export interface Cookie extends CookieAttributes {
  /** The value; empty if the cookie is to be removed. */
  readonly value: string
  /** Null: the browser deletes it when it is closed. 0: it is deleted now. */
  readonly expires: EpochMilliseconds | null
  /** The time until then in seconds, which is right on a machine whose clock is wrong. Null if `expires` is. */
  readonly maxAge: number | null
}

/** The most that browsers accept for a cookie's name and value together, in bytes (RFC 6265bis, CK-04). */
const MAX_PAIR_BYTES = 4096
/** The most that browsers accept for an attribute's value, in bytes (CK-04). */
const MAX_ATTRIBUTE_BYTES = 1024

/** The longest name with which the longest access token still fits into a cookie. */
const MAX_NAME_LENGTH = 128

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/

/** The rule of a cookie name: a token of RFC 9110. */
export const cookieNameRule: Rule<string, undefined> = text('a cookie name: letters, digits, _ - and the like', TOKEN)

const sameSiteNames = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

/**
 * Checks the syntax of the attributes (CK-05), the cookie name prefixes (CK-01) and the combination (CK-03).
 * @throws GeneralError (`MISUSE`) that names an invalid attribute.
 */
export function checkCookieAttributes(attributes: CookieAttributes): void {
  const { name, path, domain, secure, sameSite, partitioned } = attributes
  if (!TOKEN.test(name) || name.length > MAX_NAME_LENGTH) {
    throw misuse(`a cookie name must be a token of RFC 9110 of at most ${MAX_NAME_LENGTH} characters`)
  }
  if (!PATH.test(path) || path.length > MAX_ATTRIBUTE_BYTES) throw misuse(`the path of the cookie ${name} is malformed`)
  if (domain !== null && (!DOMAIN.test(domain) || domain.length > 253)) {
    throw misuse(`the domain of the cookie ${name} must be a host name`)
  }
  if (!(sameSite in sameSiteNames)) throw misuse(`sameSite must be lax, strict or none; received ${sameSite}`)
  if (sameSite === 'none' && !secure) throw misuse('the cookie attribute sameSite "none" requires an https origin')
  if (partitioned && !(secure && sameSite === 'none')) {
    throw misuse('the cookie attribute partitioned requires an https origin and sameSite "none"; '
      + `received sameSite "${sameSite}"${secure ? '' : ' and an http origin'}`)
  }
  const prefix = prefixOf(name)
  if (prefix !== null && !secure) throw misuse(`the prefix of the cookie name ${name} requires an https origin`)
  if (prefix === '__host-' && (domain !== null || path !== '/')) {
    throw misuse(`the prefix of the cookie name ${name} requires the path / and no domain`)
  }
}

/** The prefix of a cookie name that browsers enforce, in lower case; browsers ignore its case. */
export function prefixOf(name: string): '__host-' | '__secure-' | null {
  const lower = name.toLowerCase()
  if (lower.startsWith('__host-')) return '__host-'
  if (lower.startsWith('__secure-')) return '__secure-'
  return null
}

/**
 * Creates a cookie at the time `now`. If `expires` is null, the browser deletes it when it is closed.
 * @throws GeneralError (`MISUSE`) if browsers would reject the cookie: too long, or invalid characters (CK-04, CK-05).
 */
export function createCookie(
  attributes: CookieAttributes,
  value: string,
  expires: EpochMilliseconds | null,
  now: EpochMilliseconds,
): Cookie {
  const { name } = attributes
  if (!COOKIE_OCTETS.test(value)) throw misuse(`the value of the cookie ${name} cannot be written: invalid characters`)
  const length = name.length + 1 + value.length
  if (length > MAX_PAIR_BYTES) {
    throw misuse(
      `the cookie ${name} would have ${length} bytes; browsers accept ${MAX_PAIR_BYTES}. Put less into the JWT payload`,
    )
  }
  return { ...attributes, value, expires, maxAge: expires === null ? null : Math.ceil((expires - now) / 1000) }
}

/** Creates the cookie that deletes one with exactly these attributes (CK-09). */
export function clearingOf(attributes: CookieAttributes): Cookie {
  return { ...attributes, value: '', expires: 0, maxAge: 0 }
}

/** What identifies a cookie in browsers: name, domain, path, and whether it is partitioned. */
export function identityOf({ name, domain, path, partitioned }: CookieAttributes): string {
  return `${name};${domain ?? ''};${path}${partitioned ? ';partitioned' : ''}`
}

/** Serializes a cookie as a `Set-Cookie` header. Its end is both in `Expires` and in `Max-Age`. */
export function serializeCookie({ name, value, expires, maxAge, ...attributes }: Cookie): string {
  const { path, domain, secure, sameSite, partitioned } = attributes
  const end = expires === null ? '' : `; Expires=${httpDate(expires)}; Max-Age=${maxAge ?? 0}`
  const where = domain === null ? `; Path=${path}` : `; Path=${path}; Domain=${domain}`
  const guards = `; HttpOnly${secure ? '; Secure' : ''}; SameSite=${sameSiteNames[sameSite]}`
  return `${name}=${value}${end}${where}${guards}${partitioned ? '; Partitioned' : ''}`
}

/** Dates by second. The cookies of one response, and of all responses of one second, share few of them. */
const dates = new Map<number, string>()
const MAX_DATES = 64

/** A time as a date of RFC 9110. Formatting one takes as long as the rest of a cookie. */
function httpDate(time: EpochMilliseconds): string {
  const second = Math.floor(time / 1000)
  let date = dates.get(second)
  if (date === undefined) {
    date = new Date(time).toUTCString()
    if (dates.size >= MAX_DATES) dates.clear()
    dates.set(second, date)
  }
  return date
}

function misuse(message: string): GeneralError {
  return new GeneralError('MISUSE', message)
}
