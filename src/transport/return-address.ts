import { GeneralError } from '../base/errors.ts'
import { received } from '../base/options.ts'

/** The name of the query parameter by which a login page gets the address to return to. */
export const RETURN_PARAMETER = 'returnTo'

/** Longer addresses are not returned to: servers refuse request lines of more than about 8,000 bytes. */
const MAX_LENGTH = 2048

/** A host that no URL can name. Addresses are resolved against it to see whether they leave it. */
const BASE = 'https://keyturn.invalid'

/**
 * Checks the address that a login page got as the parameter `returnTo`. Returns it if it is a path on this site, and
 * `fallback` for anything else: an address of another site, in whatever form a browser, a proxy or a router would
 * understand it as one (`//evil.example`, `/\evil.example`, `/%2fevil.example`), or a value that is no string. Pure.
 * @throws GeneralError (`MISUSE`) if `fallback` is not a path on this site.
 * @example
 * response.redirect(303, returnAddress(request.query.returnTo, '/account'))
 */
export function returnAddress(value: unknown, fallback: string = '/'): string {
  if (!isLocalAddress(fallback)) {
    throw new GeneralError('MISUSE', 'the fallback of returnAddress must be a path on this site such as "/account"; '
      + `received ${received(fallback, false)}`)
  }
  return isLocalAddress(value) ? value : fallback
}

/**
 * Whether a value is a path of this site, with or without a query and a fragment, that stays on this site however often
 * its path is decoded. Pure.
 */
export function isLocalAddress(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(value)) return false
  const [path = ''] = value.split(/[?#]/, 1)
  return isLocalPath(path)
}

/** Only ASCII is decoded: nothing else separates the parts of an address. */
function isLocalPath(path: string): boolean {
  if (/[\\\x00-\x1f\x7f]/.test(path) || path.startsWith('//')) return false
  // Dot segments can uncover an empty first segment: `/.//evil.example`.
  const { origin, pathname } = new URL(path, BASE)
  if (origin !== BASE || pathname.startsWith('//')) return false
  const decoded = path.replace(/%([0-7][0-9a-f])/gi,
    (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return decoded === path || isLocalPath(decoded)
}

/**
 * The address of the login page, with the address to return to. If that one would leave the site, the login page gets
 * none. Pure.
 */
export function loginAddress(loginPath: string, target: string | null): string {
  if (target === null || !isLocalAddress(target)) return loginPath
  const separator = loginPath.includes('?') ? '&' : '?'
  return `${loginPath}${separator}${RETURN_PARAMETER}=${encodeURIComponent(target)}`
}
