import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { NEVER_STORED } from '../transport/caching.ts'
import type { HttpRequest, ReplySink } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { LoginOptions } from '../transport/start-session.ts'
import { ensurePresent } from './assert.ts'
import { parseSetCookie } from './framework-contract/app-client.ts'

/** How a user signs in in a test. */
export interface SignInOptions<Payload extends object, Info extends object> {
  readonly payload?: Payload
  readonly info?: Info
  /** How the tokens travel. Default `cookie`, as in a browser. */
  readonly mode?: TransferMode
  readonly options?: LoginOptions
}

/** A client that has a session. */
export interface SignedIn {
  readonly handle: string
  readonly accessToken: string
  readonly refreshToken: string
  /**
   * Headers for a request of this client to the application, as a page of its own sends them. They pass every check
   * of the origin, on any method.
   */
  readonly headers: Readonly<Record<string, string>>
  /** Headers for a request to the refresh route. */
  readonly refreshHeaders: Readonly<Record<string, string>>
}

/** Starts a session without a browser or a login route, and gives the headers of the requests that belong to it. */
export async function signIn<Payload extends object, Info extends object>(
  sessions: { readonly http: HttpSessions<Payload, Info> },
  userId: string,
  { payload, info, mode = 'cookie', options }: SignInOptions<Payload, Info> = {},
): Promise<SignedIn> {
  const { http } = sessions
  const { cookies, origin } = http.policy
  const reply = new RecordedReply()
  const request = loginRequest({ [wire.authMode]: mode, origin })
  const session = await http.createNewSession({ request, reply }, userId, payload, info, options)
  const written = reply.getCookies().map(parseSetCookie)
  const tokenOf = (header: string, cookie: string): string => (
    ensurePresent(mode === 'header' ? reply.get(header) : written.find(({ name }) => name === cookie)?.value, cookie)
  )
  const [access, refresh] = [cookies.accessToken.attributes.name, cookies.refreshToken.attributes.name]
  const accessToken = tokenOf(wire.accessToken, access)
  const refreshToken = tokenOf(wire.refreshToken, refresh)
  const antiCsrf = reply.get(wire.antiCsrf)
  const common = {
    origin,
    [wire.customHeader]: 'anti-csrf',
    ...antiCsrf === null ? {} : { [wire.antiCsrf]: antiCsrf },
  }
  const isCookie = mode === 'cookie'
  return {
    handle: session.getHandle(),
    accessToken,
    refreshToken,
    headers: isCookie
      ? { ...common, cookie: `${access}=${accessToken}` }
      : { [wire.authorization]: `Bearer ${accessToken}` },
    refreshHeaders: isCookie
      ? { ...common, cookie: `${access}=${accessToken}; ${refresh}=${refreshToken}` }
      : { [wire.authorization]: `Bearer ${refreshToken}` },
  }
}

function loginRequest(headers: Readonly<Record<string, string>>): HttpRequest {
  return {
    method: 'POST',
    path: '/',
    client: { ip: null, userAgent: 'keyturn/testing' },
    header: name => headers[name] ?? null,
  }
}

/** Keeps what is written to a response that is never sent. */
class RecordedReply implements ReplySink {
  readonly closed = false
  readonly #headers = new Headers()

  get(name: string): string | null {
    return this.#headers.get(name)
  }

  set(name: string, value: string): void {
    this.#headers.set(name, value)
  }

  remove(name: string): void {
    this.#headers.delete(name)
  }

  getCookies(): readonly string[] {
    return this.#headers.getSetCookie()
  }

  setCookies(lines: readonly string[]): void {
    this.#headers.delete('set-cookie')
    for (const line of lines) this.#headers.append('set-cookie', line)
  }

  forbidCaching(): void {
    this.set('cache-control', NEVER_STORED)
  }
}
