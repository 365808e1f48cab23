import type { TransferMode } from '../base/wire.ts'
import type { IssuedSession } from '../session/core.ts'
import type { HttpContext } from './http-context.ts'
import { sessionEdits } from './tokens-reply.ts'
import type { TokenEdits } from './tokens-reply.ts'

/**
 * The edits that send a pair of tokens to a client, with a new anti-CSRF token if the option `antiCsrf` requires one:
 * it is made with the current key, so that it stays valid as long as the pair.
 * @throws GeneralError (`MISUSE`) if the access token does not fit into a cookie.
 */
export async function pairEdits<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  mode: TransferMode,
  issued: IssuedSession<Payload>,
): Promise<TokenEdits> {
  const isGuarded = mode === 'cookie' && policy.antiCsrf === 'token'
  const antiCsrf = isGuarded ? await core.createAntiCsrfToken(issued.claims.sid) : null
  return sessionEdits(policy.cookies, mode, issued, antiCsrf)
}
