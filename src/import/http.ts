import { TryRefreshTokenError } from '../base/errors.ts'
import * as wire from '../base/wire.ts'
import type { ConnectedImports, ForeignCookie, ImportRequest, SessionImporter } from '../session/importer.ts'
import { bearerToken } from '../transport/credentials.ts'
import { readCookies } from '../transport/cookies.ts'
import {
  classifyOrigin, crossSiteRequest, isProven, isSafeMethod, isTopLevelNavigation, isUpgrade,
} from '../transport/csrf.ts'
import type { ImportFlows } from '../transport/imports.ts'
import { requireUnsent } from '../transport/delivery.ts'
import type { HttpExchange, HttpRequest } from '../transport/exchange.ts'
import type { HttpContext } from '../transport/http-context.ts'
import type { HttpPolicy } from '../transport/http-policy.ts'
import { sendPair } from '../transport/send-pair.ts'
import type { SentPair } from '../transport/send-pair.ts'
import { clearingOf, prefixOf } from '../transport/set-cookie.ts'
import { applyEdits } from '../transport/tokens-reply.ts'

/** The flows of an import over HTTP. */
export const importFlows: ImportFlows = { takeOver: takeOverForRequest, end: endForRequest }

async function takeOverForRequest<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  imports: ConnectedImports<Payload>,
  exchange: HttpExchange,
  at: SessionImporter['at'],
): Promise<SentPair<Payload, Info> | null> {
  const { policy } = context
  const { request, reply } = exchange
  const asked = importRequestOf(request)
  const found = await imports.find(asked, at)
  if (found === null) {
    if (at === 'refresh' || !imports.announces(asked)) return null
    throw new TryRefreshTokenError('the request has an access token of the system before: refresh the session')
  }
  if (found.mode === 'cookie' && !mayTakeOver(request, policy, at)) return null
  requireUnsent(reply)
  const outcome = await found.takeOver(request.client)
  if (outcome.kind === 'left') return null
  clearForeignCookies(exchange, policy, outcome.clearings)
  return outcome.kind === 'over' ? null : sendPair(context, exchange, found.mode, outcome.issued)
}

async function endForRequest<Payload extends object, Info extends object>(
  { policy }: HttpContext<Payload, Info>,
  imports: ConnectedImports<Payload>,
  exchange: HttpExchange,
  after: 'sign-out' | 'login',
): Promise<void> {
  clearForeignCookies(exchange, policy, await imports.end(importRequestOf(exchange.request), after))
}

/**
 * Whether a session in cookies may be taken over for this request. The rules are those of a refresh within a request.
 * @throws CrossSiteRequestError if the request changes something and does not come from a trusted page.
 */
function mayTakeOver(request: HttpRequest, policy: HttpPolicy, at: SessionImporter['at']): boolean {
  if (isUpgrade(request)) return false
  if (at === 'refresh' || !isSafeMethod(request.method)) {
    if (!isProven(request, policy)) throw crossSiteRequest(request, policy)
    return true
  }
  return classifyOrigin(request, policy) !== 'untrusted' || isTopLevelNavigation(request)
}

function importRequestOf(request: HttpRequest): ImportRequest {
  const header = request.header('cookie')
  return {
    cookies: name => readCookies(header, name),
    bearer: bearerToken(request),
    antiCsrf: request.header(wire.antiCsrf),
  }
}

function clearForeignCookies({ reply }: HttpExchange, policy: HttpPolicy, cookies: readonly ForeignCookie[]): void {
  const { secure } = policy.cookies.accessToken.attributes
  applyEdits(reply, {
    headers: [],
    cookies: cookies.map(({ name, path = '/', domain = null }) => clearingOf({
      name, path, domain, secure: secure || prefixOf(name) !== null, sameSite: 'lax', partitioned: false,
    })),
  })
}
