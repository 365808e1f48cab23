import type { TransferMode } from '../base/wire.ts'
import type { IssuedSession } from '../session/core.ts'
import { cookieTokens } from './credentials.ts'
import { ChangedSession } from './current-session.ts'
import { requireUnsent } from './delivery.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { pairEdits } from './pair-edits.ts'
import { RequestSession } from './session-object.ts'
import type { Session } from './session.ts'
import { applyEdits, clearingEdits } from './tokens-reply.ts'
import type { TokenEdits } from './tokens-reply.ts'

/** A pair of tokens that the response carries, and its session. */
export interface SentPair<Payload extends object, Info extends object> {
  readonly issued: IssuedSession<Payload>
  readonly session: Session<Payload, Info>
}

/**
 * Sends a client the next pair of tokens of a session that it has: its session is that of the request from then on.
 * `leftovers` clear cookies on other domains.
 * @throws GeneralError (`MISUSE`) if the response was sent.
 */
export async function sendPair<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  channel: TransferMode,
  issued: IssuedSession<Payload>,
  leftovers: TokenEdits | null = null,
): Promise<SentPair<Payload, Info>> {
  const { policy, current } = context
  const { request, reply } = exchange
  const edits = await pairEdits(context, channel, issued)
  requireUnsent(reply)
  if (leftovers !== null) applyEdits(reply, leftovers)
  if (channel === 'header' && cookieTokens(request, policy.cookies.refreshToken).length > 0) {
    applyEdits(reply, clearingEdits(policy.cookies, 'cookie', null))
  }
  applyEdits(reply, edits)
  const session = new RequestSession(context, exchange, issued)
  current.set(request, new ChangedSession('refreshed', issued, session))
  return { issued, session }
}
