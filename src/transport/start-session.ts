import { checkOptions, flag, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { IssuedSession, NewSessionOptions } from '../session/core.ts'
import type { DataMember, InputOf, IsOptional, PayloadInput } from '../session/data-types.ts'
import { newSessionRules } from '../session/policy.ts'
import { bearerToken, cookieTokens } from './credentials.ts'
import { ChangedSession } from './current-session.ts'
import { refuseCrossSiteLogin } from './csrf.ts'
import { requireUnsent } from './delivery.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findUnknownProxy } from './find-misconfiguration.ts'
import { endImported } from './imports.ts'
import { findLeftovers } from './leftovers.ts'
import { pairEdits } from './pair-edits.ts'
import { sessionsToReplace } from './replaced-sessions.ts'
import { RequestSession } from './session-object.ts'
import type { Session } from './session.ts'
import { applyEdits, clearingEdits } from './tokens-reply.ts'
import type { TokenEdits } from './tokens-reply.ts'

/** The options of `createNewSession`. */
export interface CreateNewSessionOptions extends NewSessionOptions {
  /**
   * Whether to keep the session that the client had before; its tokens are replaced anyway (CMP-11). Default: false.
   */
  readonly keepExistingSession?: boolean
  /**
   * Whether a form that another site sends with POST may log in, as SAML and OpenID providers with
   * `response_mode=form_post` do. Set it only in such a callback, after you have compared its `state` (SAML:
   * `RelayState`) with the browser's. A callback by GET needs no option. Default: false.
   */
  readonly allowCrossSitePost?: boolean
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
  ...newSessionRules, keepExistingSession: withDefault(false, flag), allowCrossSitePost: withDefault(false, flag),
}

/** Creates a session and sends its tokens to the client. Revokes the session that the client had before. */
export async function startSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  call: GivenArguments<Payload, Info>,
): Promise<Session<Payload, Info>> {
  const { core, policy, current } = context
  const { request, reply } = exchange
  const { userId, jwtPayload, sessionInfo, ...options } = toInput(call)
  requireUnsent(reply)
  const mode: TransferMode = request.header(wire.authMode)?.trim().toLowerCase() === 'header' ? 'header' : 'cookie'
  const { keepExistingSession = false, allowCrossSitePost = false, ...lifetimes } = options
  if (mode === 'cookie') refuseCrossSiteLogin(request, policy, allowCrossSitePost)
  const replaced = keepExistingSession ? [] : await replacedBy(context, request)
  const { client } = request
  findUnknownProxy(request, policy)
  const { basePath, cookies, report } = policy
  // A page that refreshes within its requests needs no endpoint.
  if (!context.routes.served && cookies.refreshToken.attributes.path !== '/') {
    report({ code: 'ROUTES_NOT_MOUNTED', basePath })
  }
  const issued = await core.create({ userId, mode, client, jwtPayload, sessionInfo, options: lifetimes })
  try {
    const edits = await editsOf(context, request, mode, issued)
    requireUnsent(reply)
    if (replaced.length > 0) await core.revokeSessions(replaced)
    requireUnsent(reply)
    if (context.imports !== null && !keepExistingSession) {
      await endImported(context, exchange, 'login')
      requireUnsent(reply)
    }
    for (const each of edits) applyEdits(reply, each)
  } catch (error) {
    // A session whose tokens cannot be delivered must not exist.
    await core.revokeSession(issued.claims.sid)
    throw error
  }
  const session = new RequestSession(context, exchange, issued)
  current.set(request, new ChangedSession('created', issued, session))
  return session
}

/** The sessions that this login replaces: those of the request, and one that an earlier call has created. */
async function replacedBy<Payload extends object, Info extends object>(
  { core, policy, current }: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<readonly SessionHandle[]> {
  const own = current.handleOf(request)
  const others = await sessionsToReplace(core, policy, request)
  return own === null || others.includes(own) ? others : [...others, own]
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

/** The edits for a new session, in the order in which they are applied. */
async function editsOf<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  request: HttpRequest,
  mode: TransferMode,
  issued: IssuedSession<Payload>,
): Promise<readonly TokenEdits[]> {
  const { policy } = context
  const other = mode === 'cookie' ? 'header' : 'cookie'
  return [
    await findLeftovers(context, request),
    ...carriesAccessToken(context, request, other) ? [clearingEdits(policy.cookies, other, null)] : [],
    await pairEdits(context, mode, issued),
  ]
}

function carriesAccessToken<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
  mode: TransferMode,
): boolean {
  const bearer = bearerToken(request)
  if (mode === 'header') return bearer !== null && core.decodeHandleUnverified(bearer) !== null
  return cookieTokens(request, policy.cookies.accessToken).length > 0
}
