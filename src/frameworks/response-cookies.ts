import { createAttachment } from '../base/attachment.ts'
import { identityOf, serializeCookie } from '../transport/set-cookie.ts'
import type { Cookie } from '../transport/set-cookie.ts'

/** The lines that Keyturn wrote to a response, by cookie identity. They are shared by the writers of all calls. */
const written = createAttachment<Map<string, string>>()

/**
 * The `Set-Cookie` lines of a response after adding cookies of Keyturn. Their lines come last, because browsers keep
 * the last one, and replace the lines that an earlier call wrote for the same cookies. The application's lines are
 * kept; they are compared as a whole, never parsed.
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
