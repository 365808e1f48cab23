import { GeneralError } from '../base/errors.ts'
import { checkOptions, flag, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { IssuedSession, NewSessionOptions } from '../session/core.ts'
import { newSessionRules } from '../session/policy.ts'
import { bearerToken, cookieTokens } from './credentials.ts'
import { refuseUntrustedOrigin } from './csrf.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findLeftovers } from './leftovers.ts'
import { sessionsToReplace } from './replaced-sessions.ts'
import { RequestSession } from './session-object.ts'
import type { Session } from './session.ts'
import { applyEdits, clearingEdits, sessionEdits } from './tokens-reply.ts'
import type { TokenEdits } from './tokens-reply.ts'

/** The options of `createNewSession`. */
export interface CreateNewSessionOptions extends NewSessionOptions {
  /**
   * Whether to keep the session that the client had before; its tokens are replaced anyway (CMP-11). Default: false.
   */
  readonly keepExistingSession?: boolean
}

/** The rules of the options of `createNewSession`. */
export const createNewSessionRules: RulesFor<CreateNewSessionOptions> = { ...newSessionRules, keepExistingSession: withDefault(false, flag) }

/** The arguments of a login. */
export interface Login<Payload extends object, Info extends object> {
  readonly userId: string
  readonly jwtPayload: Payload | undefined
  readonly sessionInfo: Info | undefined
  readonly options: CreateNewSessionOptions | undefined
}

/** Creates a session and sends its tokens to the client. Revokes the session that the client had before. */
export async function startSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  { request, reply }: HttpExchange,
  { userId, jwtPayload, sessionInfo, options }: Login<Payload, Info>,
): Promise<Session<Payload, Info>> {
  const { core, policy } = context
  if (options !== undefined) checkOptions('createNewSession', createNewSessionRules, options)
  if (reply.closed) throw new GeneralError('MISUSE', 'create the session before the response is sent')
  const mode: TransferMode = request.header(wire.authMode)?.trim().toLowerCase() === 'header' ? 'header' : 'cookie'
  if (mode === 'cookie') refuseUntrustedOrigin(request, policy)

  const { keepExistingSession = false, ...lifetimes } = options ?? {}
  const replaced = keepExistingSession ? [] : await sessionsToReplace(core, policy, request)
  const { client } = request
  const issued = await core.create({ userId, mode, client, jwtPayload, sessionInfo, options: lifetimes })
  const edits = await editsOf(context, mode, issued)
  if (replaced.length > 0) await core.revokeSessions(replaced)

  applyEdits(reply, await findLeftovers(context, request))
  const other = mode === 'cookie' ? 'header' : 'cookie'
  if (carriesAccessToken(context, request, other)) applyEdits(reply, clearingEdits(policy.cookies, other))
  applyEdits(reply, edits)
  return new RequestSession(context, reply, issued)
}

/** The edits for a new session. If its tokens cannot be delivered, revokes it and throws. */
async function editsOf<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  mode: TransferMode,
  issued: IssuedSession<Payload>,
): Promise<TokenEdits> {
  const { sid } = issued.claims
  try {
    const antiCsrf = mode === 'cookie' && policy.antiCsrf === 'token' ? await core.createAntiCsrfToken(sid) : null
    return sessionEdits(policy.cookies, mode, issued, antiCsrf)
  } catch (error) {
    await core.revokeSession(sid)
    throw error
  }
}

function carriesAccessToken<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
  mode: TransferMode,
): boolean {
  const bearer = bearerToken(request)
  if (mode === 'header') return bearer !== null && core.peekHandle(bearer) !== null
  return cookieTokens(request, policy.cookies.accessToken).length > 0
}
