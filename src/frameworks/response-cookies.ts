import { identityOf, serializeCookie } from '../transport/set-cookie.ts'
import type { Cookie } from '../transport/set-cookie.ts'

/** The lines that were written to a response, by the cookie's identity: every call makes a reply of its own. */
const written = new WeakMap<object, Map<string, string>>()

/**
 * The `Set-Cookie` lines of a response once it has taken a cookie of ours: its line comes last, which is the one that
 * browsers keep, and takes the place of the line that an earlier call wrote for the same cookie. The lines of the
 * application are never read, only compared as a whole, and stay.
 */
export function withCookie(
  response: object,
  lines: number | string | readonly string[] | undefined,
  cookie: Cookie,
): string[] {
  const own = written.get(response) ?? new Map<string, string>()
  const identity = identityOf(cookie)
  const earlier = own.get(identity)
  const line = serializeCookie(cookie)
  written.set(response, own.set(identity, line))
  return [...[lines ?? []].flat().map(String).filter(other => other !== earlier), line]
}
