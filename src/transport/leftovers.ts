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

// A browser may have several cookies of one name: of a domain that was configured before, or set by another host of the
// domain. A request contains their values, but not their domains. Clearing the cookie of a domain may also clear that
// of another application with the same name, for example production on the parent domain of staging.

/**
 * The cookies that clear those of this name on other domains, as far as no other application is affected. `owners`: the
 * applications that the values in the request belong to. Every cookie that could be cleared is in the request, because
 * browsers send all of them. Pure.
 *
 * - If one is of another application, none is cleared, because its domain is unknown.
 * - If all are of this application, those of every other domain are cleared.
 * - If some are not tokens, only those of domains where no other application sets cookies are cleared.
 *
 * A single value is on the configured domain or on the older one.
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

/** The edits that clear leftover cookies of both names; of refresh tokens if the request contains any. */
export async function findLeftovers<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<TokenEdits> {
  const slot = policy.cookies.refreshToken
  const owners = await Promise.all(valuesToJudge(slot, policy, request).map(core.ownerOfRefreshToken))
  return leftoverEdits([...accessTokenLeftovers(core, policy, request), ...leftoverClearings(slot, owners)])
}

/** The values of a cookie, if one of them may have to be cleared and the browser has sent all of its cookies. */
function valuesToJudge(slot: CookieSlot, policy: HttpPolicy, request: HttpRequest): readonly string[] {
  const header = request.header('cookie')
  const { attributes: { name }, olderClearings } = slot
  // The common case: there is one cookie, and it can be on one domain only.
  if (header === null || (olderClearings.length === 0 && !occursTwice(header, `${name}=`))) return []
  const values = readCookies(header, name)
  const isSettled = values.length === 0 || (values.length === 1 && olderClearings.length === 0)
  // With a request of another site, browsers send only some of the cookies, depending on their `SameSite`.
  return isSettled || classifyOrigin(request, policy) === 'untrusted' ? [] : values
}

function occursTwice(text: string, part: string): boolean {
  const first = text.indexOf(part)
  return first !== -1 && text.includes(part, first + 1)
}
