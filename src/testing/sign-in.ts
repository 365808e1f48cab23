import type { JsonObject } from '../base/json.ts'
import { checkOptions, oneOf, optionsOf, rule, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { DataMember, InputOf, IsOptional, PayloadInput } from '../session/data-types.ts'
import type { HttpRequest, ResponseWriter } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Cookie } from '../transport/set-cookie.ts'
import { createNewSessionRules } from '../transport/start-session.ts'
import type { CreateNewSessionOptions, NewSessionArguments } from '../transport/start-session.ts'
import { ensure, ensurePresent } from './assert.ts'
import { cookiesOf, headerOf, sessionChangeOf } from './session-change.ts'
import type { TestedResponse } from './session-change.ts'

/** Options of {@link signIn}. */
export interface SignInOptions<Payload extends object, Info extends object> {
  /** The JWT payload. Required if its schema rejects an empty object. Default: empty. */
  readonly payload?: PayloadInput<Payload>
  /** The session info. Required if its schema rejects an empty object. Default: empty. */
  readonly info?: InputOf<Info>
  /** The transfer mode of the tokens: `cookie`, as in a browser, or `header`. Default: `cookie`. */
  readonly mode?: TransferMode
  /** The options of the login. Default: none. */
  readonly options?: CreateNewSessionOptions
}

/** The options, with the data that the schemas demand. */
type SignInArguments<Payload extends object, Info extends object> =
  [IsOptional<Payload>, IsOptional<Info>] extends [true, true]
    ? [how?: SignInOptions<Payload, Info>]
    : [how: SignInOptions<Payload, Info> & DemandedData<Payload, Info>]

type DemandedData<Payload extends object, Info extends object> =
  & DataMember<'payload', Payload, PayloadInput<Payload>>
  & DataMember<'info', Info>

const object: Rule<object, undefined> = rule('an object', (value): value is object => (
  typeof value === 'object' && value !== null
))

/** What the options of {@link signIn} accept. */
export const signInRules: RulesFor<SignInOptions<object, object>> = {
  payload: object,
  info: object,
  mode: withDefault('cookie', oneOf('cookie', 'header')),
  options: optionsOf<CreateNewSessionOptions>(createNewSessionRules),
}

/** A client that has a session. */
export interface SignedIn {
  /** The handle of the session. */
  readonly handle: string
  /** The access token. */
  readonly accessToken: string
  /** The refresh token. */
  readonly refreshToken: string
  /**
   * Headers for a request of this client to the application, as a page of the application sends them. They pass every
   * check of the origin, with any method.
   */
  readonly headers: Readonly<Record<string, string>>
  /** Headers for a request to the refresh route. */
  readonly refreshHeaders: Readonly<Record<string, string>>
}

/** Starts a session without a browser or a login route. Returns the headers of the requests that belong to it. */
export async function signIn<Payload extends object, Info extends object>(
  sessions: { readonly http: HttpSessions<Payload, Info> },
  userId: string,
  ...[how]: SignInArguments<Payload, Info>
): Promise<SignedIn> {
  checkOptions('signIn', signInRules, how ?? {})
  const { mode = 'cookie' } = how ?? {}
  const { http } = sessions
  const reply = new RecordedReply()
  const request = requestWith({ [wire.authMode]: mode, origin: http.policy.origin })
  const session = await http.createNewSession({ request, reply }, ...argumentsOf(userId, how))
  return clientWith(http, reply, mode, session.getHandle())
}

/**
 * Refreshes the session of a client. Returns the client with its new tokens; the given one still has the old ones, as a
 * copy of it does.
 * @throws UnauthorizedError if the session has ended
 * @throws TokenTheftDetectedError if the refresh token was stolen
 */
export async function refreshAs<Payload extends object, Info extends object>(
  sessions: { readonly http: HttpSessions<Payload, Info> },
  client: SignedIn,
): Promise<SignedIn> {
  const { http } = sessions
  const reply = new RecordedReply()
  const session = await http.refreshSession({ request: requestWith(client.refreshHeaders), reply })
  const mode = client.refreshHeaders['cookie'] === undefined ? 'header' : 'cookie'
  return clientWith(http, reply, mode, session.getHandle())
}

/**
 * The client that has received a response of your login or refresh route.
 * @throws Error if the response brings no session
 */
export function clientOf<Payload extends object, Info extends object>(
  sessions: { readonly http: HttpSessions<Payload, Info> },
  response: TestedResponse,
): SignedIn {
  const change = sessionChangeOf(response)
  const handle = change.kind === 'issued' ? change.claims['sid'] : null
  ensure(typeof handle === 'string', 'the response brings a session')
  const header = (name: string): string | null => headerOf(response, name)
  const lines = cookiesOf(response)
  return clientWith(sessions.http, {
    header,
    cookie: name => lines.findLast(line => line.startsWith(`${name}=`))?.slice(name.length + 1).split(';')[0] ?? null,
  }, header(wire.accessToken) === null ? 'cookie' : 'header', handle)
}

/** The tokens in a response. */
interface ReceivedTokens {
  header(name: string): string | null
  /** Of several cookies with one name the last one is valid: the ones before it clear old cookies in other places. */
  cookie(name: string): string | null
}

/** The client that has received these tokens. */
function clientWith<Payload extends object, Info extends object>(
  { policy: { cookies, origin } }: HttpSessions<Payload, Info>,
  received: ReceivedTokens,
  mode: TransferMode,
  handle: string,
): SignedIn {
  const tokenOf = (header: string, cookie: string): string => (
    ensurePresent(mode === 'header' ? received.header(header) : received.cookie(cookie), cookie)
  )
  const [access, refresh] = [cookies.accessToken.attributes.name, cookies.refreshToken.attributes.name]
  const { name: macName } = cookies.accessTokenMac.attributes
  const accessToken = tokenOf(wire.accessToken, access)
  const refreshToken = tokenOf(wire.refreshToken, refresh)
  const antiCsrf = received.header(wire.antiCsrf)
  const common = {
    origin,
    [wire.customHeader]: 'anti-csrf',
    ...antiCsrf === null ? {} : { [wire.antiCsrf]: antiCsrf },
  }
  const isCookie = mode === 'cookie'
  const mac = received.cookie(macName)
  const cookie = [`${access}=${accessToken}`, ...mac ? [`${macName}=${mac}`] : []].join('; ')
  return {
    handle,
    accessToken,
    refreshToken,
    headers: isCookie
      ? { ...common, cookie }
      : { [wire.authorization]: `Bearer ${accessToken}` },
    refreshHeaders: isCookie
      ? { ...common, cookie: `${cookie}; ${refresh}=${refreshToken}` }
      : { [wire.authorization]: `Bearer ${refreshToken}` },
  }
}

/** The arguments of the login, which has the data that the schemas demand if `how` has it. */
function argumentsOf<Payload extends object, Info extends object>(
  userId: string,
  how: SignInOptions<Payload, Info> | undefined,
): NewSessionArguments<Payload, Info>
function argumentsOf(
  userId: string,
  { payload, info, options }: SignInOptions<JsonObject, JsonObject> = {},
): NewSessionArguments<JsonObject, JsonObject> {
  return [userId, payload, info, options]
}

function requestWith(headers: Readonly<Record<string, string>>): HttpRequest {
  return {
    identity: {},
    method: 'POST',
    path: '/',
    query: '',
    client: { ip: null, userAgent: 'keyturn/testing' },
    header: name => headers[name] ?? null,
  }
}

/** Records what is written to a response that is never sent. */
class RecordedReply implements ResponseWriter, ReceivedTokens {
  readonly closed = false
  readonly cookies: Cookie[] = []
  readonly #headers = new Map<string, string>()

  get(name: string): string | null {
    return this.#headers.get(name) ?? null
  }

  header(name: string): string | null {
    return this.get(name)
  }

  cookie(name: string): string | null {
    return this.cookies.findLast(cookie => cookie.name === name)?.value ?? null
  }

  set(name: string, value: string): void {
    this.#headers.set(name, value)
  }

  remove(name: string): void {
    this.#headers.delete(name)
  }

  setCookies(cookies: readonly Cookie[]): void {
    this.cookies.push(...cookies)
  }

  forbidCaching(): void {}

  onEnd(): void {}
}
