import { transferModeOf } from '../base/handle.ts'
import type { IssuedSession } from '../session/core.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { refuseCrossSiteLogin } from './csrf.ts'
import { requireUnsent } from './delivery.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findLeftovers } from './leftovers.ts'
import { pairEdits } from './pair-edits.ts'
import { applyEdits } from './tokens-reply.ts'

/**
 * Re-authenticates the session of these claims, and sends its new tokens to the client. The request carries the new
 * proof of identity, so it must come from where a login may come from: another site must not choose the moment.
 */
export async function reauthenticateSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  claims: AccessClaims,
): Promise<IssuedSession<Payload>> {
  const { core, policy } = context
  const { request, reply } = exchange
  const mode = transferModeOf(claims.sid)
  requireUnsent(reply)
  if (mode === 'cookie') refuseCrossSiteLogin(request, policy, false)
  const issued = await core.reauthenticate(claims, request.client)
  const leftovers = mode === 'cookie' ? await findLeftovers(context, request) : null
  const edits = await pairEdits(context, mode, issued)
  requireUnsent(reply)
  if (leftovers !== null) applyEdits(reply, leftovers)
  applyEdits(reply, edits)
  return issued
}
