import { GeneralError } from '../base/errors.ts'
import { received, rule } from '../base/options.ts'
import type { Rule } from '../base/options.ts'

/**
 * An origin such as `https://www.example.com` or `capacitor://localhost`, or a function that says whether an origin is
 * trusted, for origins that are not known in advance.
 */
export type TrustedOrigin = string | ((origin: string) => boolean)

/** Schemes of URLs that pages cannot have as their origin. Browsers send the origin of a `file:` URL as `null`. */
const notOfPages: ReadonlySet<string> = new Set(['ws:', 'wss:', 'ftp:', 'file:'])

/**
 * The origin that a text names, as browsers send it in `Origin`: the scheme in lower case, a domain in its ASCII form
 * (punycode), without the default port of the scheme. Null for any text that names more or less than an origin, and for
 * `null`. Pure.
 */
export function parseOrigin(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || notOfPages.has(url.protocol) || url.host === '' || url.host.includes('*')) return null
  // `URL` gives app schemes no origin. What they have as their host is a name or an id, and is kept as it is.
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  const origin = isWeb ? url.origin : `${url.protocol}//${url.host}`
  return url.href === origin || url.href === `${origin}/` ? origin : null
}

/** The rule of the origin of a server, `http(s)://host[:port]`, in any form that browsers would normalize (CSRF-03). */
export const webOriginRule: Rule<string, undefined> = rule(
  'an origin such as "https://app.example.com", without a path or wildcard', (value): value is string => (
    typeof value === 'string' && /^https?:/.test(parseOrigin(value) ?? '')
  ))

const trustedOriginRule: Rule<TrustedOrigin, undefined> = rule(
  'an origin such as "https://www.example.com" or "capacitor://localhost", without a path or wildcard, or a function '
    + 'that says whether an origin is trusted',
  (value): value is TrustedOrigin => (
    typeof value === 'function' || (typeof value === 'string' && parseOrigin(value) !== null)
  ))

/** The rule of the option `trustedOrigins`. */
export const trustedOriginsRule: Rule<readonly TrustedOrigin[], undefined> = {
  ...rule('an array of origins such as ["https://www.example.com"], or of functions', (
    value,
  ): value is readonly TrustedOrigin[] => Array.isArray(value) && value.every(trustedOriginRule.isValid)),
  item: trustedOriginRule,
}

/**
 * Returns the function that says whether the value of `Origin` is trusted. Origins are compared exactly (CSRF-03). A
 * function is asked about well-formed origins only, and never about `null`, which every sandboxed page sends.
 */
export function createOriginMatcher(own: string, trusted: readonly TrustedOrigin[]): (origin: string) => boolean {
  const listed = new Set([own])
  const questions: ((origin: string) => boolean)[] = []
  for (const each of trusted) {
    if (typeof each === 'function') questions.push(each)
    else listed.add(parseOrigin(each) ?? own)
  }
  return origin => listed.has(origin)
    || (questions.length > 0 && parseOrigin(origin) === origin && questions.some(ask => isYes(ask(origin))))
}

/** A promise would count as true: a function that answers later must not trust everybody. */
function isYes(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new GeneralError('MISUSE', 'a function in trustedOrigins must return true or false; '
    + `it returned ${received(answer, false)}`)
}
