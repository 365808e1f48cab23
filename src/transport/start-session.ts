import { GeneralError } from '../base/errors.ts'
import { checkOptions, flag, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { IssuedSession, NewSessionOptions } from '../session/core.ts'
import type { DataMember, InputOf, IsOptional, PayloadInput } from '../session/data-types.ts'
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

/** The user of a new session, and its options. */
export interface NewSessionOfUser extends CreateNewSessionOptions {
  /** The user who has just logged in: 1 to 255 characters. */
  readonly userId: string
}

/**
 * A new session in one object: its user, its data and its options. `jwtPayload` are the application's claims, which
 * every access token carries; `sessionInfo` is the session data, which stays in the store. Each is optional if an empty
 * object is valid data.
 */
export type CreateNewSessionInput<Payload extends object, Info extends object> =
  & NewSessionOfUser
  & DataMember<'jwtPayload', Payload, PayloadInput<Payload>>
  & DataMember<'sessionInfo', Info>

/** The arguments of `createNewSession` after request and response. */
export type NewSessionArguments<Payload extends object, Info extends object> =
  | (IsOptional<Info> extends true
    ? IsOptional<Payload> extends true
      ? [
        userId: string,
        jwtPayload?: PayloadInput<Payload> | undefined,
        sessionInfo?: InputOf<Info> | undefined,
        options?: CreateNewSessionOptions | undefined,
      ]
      : [
        userId: string,
        jwtPayload: PayloadInput<Payload>,
        sessionInfo?: InputOf<Info> | undefined,
        options?: CreateNewSessionOptions | undefined,
      ]
    : [
      userId: string,
      jwtPayload: PayloadInput<Payload> | (IsOptional<Payload> extends true ? undefined : never),
      sessionInfo: InputOf<Info>,
      options?: CreateNewSessionOptions | undefined,
    ])
  | [session: CreateNewSessionInput<Payload, Info>]

/** {@link NewSessionArguments} as data, whatever the schemas demand. */
type GivenArguments<Payload extends object, Info extends object> =
  | readonly [
    userId: string,
    jwtPayload?: InputOf<Payload> | undefined,
    sessionInfo?: InputOf<Info> | undefined,
    options?: CreateNewSessionOptions | undefined,
  ]
  | readonly [session: GivenSession<Payload, Info>]

interface GivenSession<Payload extends object, Info extends object> extends NewSessionOfUser {
  readonly jwtPayload?: InputOf<Payload>
  readonly sessionInfo?: InputOf<Info>
}

/** The rules of the options of `createNewSession`. */
export const createNewSessionRules: RulesFor<CreateNewSessionOptions> = {
  ...newSessionRules, keepExistingSession: withDefault(false, flag),
}

/** Creates a session and sends its tokens to the client. Revokes the session that the client had before. */
export async function startSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  { request, reply }: HttpExchange,
  call: GivenArguments<Payload, Info>,
): Promise<Session<Payload, Info>> {
  const { core, policy } = context
  const { userId, jwtPayload, sessionInfo, ...options } = toInput(call)
  if (reply.closed) throw new GeneralError('MISUSE', 'create the session before the response is sent')
  const mode: TransferMode = request.header(wire.authMode)?.trim().toLowerCase() === 'header' ? 'header' : 'cookie'
  if (mode === 'cookie') refuseUntrustedOrigin(request, policy)

  const { keepExistingSession = false, ...lifetimes } = options
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

/** Both forms of the arguments as one. @throws GeneralError (`MISUSE`) for a wrong option */
function toInput<Payload extends object, Info extends object>(
  [first, jwtPayload, sessionInfo, options]: GivenArguments<Payload, Info>,
): GivenSession<Payload, Info> {
  if (typeof first === 'object' && first !== null) {
    const { userId: _userId, jwtPayload: _jwtPayload, sessionInfo: _sessionInfo, ...others } = first
    checkOptions('createNewSession', createNewSessionRules, others)
    return first
  }
  if (options !== undefined) checkOptions('createNewSession', createNewSessionRules, options)
  return {
    ...options,
    userId: first,
    ...jwtPayload === undefined ? {} : { jwtPayload },
    ...sessionInfo === undefined ? {} : { sessionInfo },
  }
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
