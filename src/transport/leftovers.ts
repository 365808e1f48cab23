import type { TokenOwner } from '../tokens/token-owner.ts'
import type { CookieSlot } from './cookie-config.ts'
import { readCookies } from './cookies.ts'
import { classifyOrigin } from './csrf.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpContext, HttpCore } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'
import type { Cookie } from './set-cookie.ts'
import { leftoverEdits } from './tokens-reply.ts'
import type { TokenEdits } from './tokens-reply.ts'

// A browser may keep several cookies of one name: of a domain that was configured before, or set by another host of the
// domain. A request says their values, and not where they lie; and clearing a place also clears what another
// application keeps there under the same name, as production on the parent domain of staging.

/**
 * What removes the cookies of a name from other places than ours, as far as that can harm nobody: by whose the values
 * are that the request carries of this name. Every cookie that could be removed is among them, since it would have been
 * sent as well. Pure.
 *
 * - One of another application: none, for there is no telling which place is whose.
 * - All ours: every other place.
 * - Ours, and texts that are no tokens: only the places where nobody else writes.
 *
 * A single value lies where it should, or on the older domain.
 */
export function leftoverClearings(slot: CookieSlot, owners: readonly TokenOwner[]): readonly Cookie[] {
  if (owners.length === 0 || owners.includes('other')) return []
  if (owners.length === 1) return slot.olderClearings
  const ownPlaces = [...slot.olderClearings, ...slot.hostClearings]
  return owners.includes('unreadable') ? ownPlaces : [...ownPlaces, ...slot.parentClearings]
}

/** {@link leftoverClearings} of access tokens. */
export function accessTokenLeftovers(
  core: Pick<HttpCore<object, object>, 'ownerOfAccessToken'>,
  policy: HttpPolicy,
  request: HttpRequest,
): readonly Cookie[] {
  const slot = policy.cookies.accessToken
  return leftoverClearings(slot, valuesToJudge(slot, policy, request).map(core.ownerOfAccessToken))
}

/** The edits that remove what is left over of both cookies; of refresh tokens where the request carries any. */
export async function findLeftovers<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<TokenEdits> {
  const slot = policy.cookies.refreshToken
  const owners = await Promise.all(valuesToJudge(slot, policy, request).map(core.ownerOfRefreshToken))
  return leftoverEdits([...accessTokenLeftovers(core, policy, request), ...leftoverClearings(slot, owners)])
}

/** The values of a cookie, if there can be a place to clear, and if the browser has sent all that it has. */
function valuesToJudge(slot: CookieSlot, policy: HttpPolicy, request: HttpRequest): readonly string[] {
  const header = request.header('cookie')
  const { attributes: { name }, olderClearings } = slot
  // Nearly always: there is one, and only one place where it can lie.
  if (header === null || (olderClearings.length === 0 && !occursTwice(header, name))) return []
  const values = readCookies(header, name)
  const isSettled = values.length === 0 || (values.length === 1 && olderClearings.length === 0)
  // To a request of another site browsers add only some of the cookies, by what `SameSite` they have.
  return isSettled || classifyOrigin(request, policy) === 'untrusted' ? [] : values
}

function occursTwice(text: string, part: string): boolean {
  const first = text.indexOf(part)
  return first !== -1 && text.includes(part, first + 1)
}
