import { identityOf, serializeCookie } from '../transport/set-cookie.ts'
import type { Cookie } from '../transport/set-cookie.ts'

/** The lines that were written to a response, by the cookie's identity: every call makes a reply of its own. */
const written = new WeakMap<object, Map<string, string>>()

/**
 * The `Set-Cookie` lines of a response once it has taken cookies of ours: their lines come last, which are the ones that
 * browsers keep, and take the places of those that an earlier call wrote for the same cookies. The lines of the
 * application are never read, only compared as a whole, and stay.
 */
export function withCookies(
  response: object,
  lines: number | string | readonly string[] | undefined,
  cookies: readonly Cookie[],
): string[] {
  const own = written.get(response) ?? new Map<string, string>()
  written.set(response, own)
  const result = [lines ?? []].flat().map(String)
  for (const cookie of cookies) {
    const identity = identityOf(cookie)
    const earlier = own.get(identity)
    if (earlier !== undefined && result.includes(earlier)) result.splice(result.indexOf(earlier), 1)
    const line = serializeCookie(cookie)
    own.set(identity, line)
    result.push(line)
  }
  return result
}
