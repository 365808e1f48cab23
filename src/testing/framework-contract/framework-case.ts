import { parseJsonObject } from '../../base/json.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import { ensure, ensureEqual, ensurePresent } from '../assert.ts'
import { AppClient } from './app-client.ts'
import type { AppReply, SendOptions } from './app-client.ts'
import { APP_ORIGIN, FRONT_END_ORIGIN, variants } from './fixture.ts'
import type { AppVariant, ControlAnswer } from './fixture.ts'
import type { Send } from './wire.ts'

/** How the contract reaches the applications under test. */
export interface FrameworkHarness {
  /**
   * Starts the application in this variant, or uses the one that already runs: cases share applications. Resolves to a
   * function that sends requests to it. The creator of the harness stops the applications.
   */
  open(variant: AppVariant): Promise<Send>
}

/** One guarantee of Keyturn over HTTP, and a test for it. */
export interface FrameworkCase {
  /** The name of the case, which begins with its subject. */
  readonly name: string
  /** Resolves if the guarantee holds. @throws ContractViolation if it does not. */
  run(harness: FrameworkHarness): Promise<void>
}

/** The headers of a request from a page of the application. */
export const SAME_ORIGIN: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin', origin: APP_ORIGIN }
/** The headers of a request from a page of another site. */
export const CROSS_SITE: Readonly<Record<string, string>> = {
  'sec-fetch-site': 'cross-site', origin: 'https://evil.tld',
}
/** The headers of a preflight, before a trusted front end on another host sends a `PUT`. */
export const PREFLIGHT: Readonly<Record<string, string>> = {
  origin: FRONT_END_ORIGIN, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-evil',
}
/** Requests a session in header mode. */
export const HEADER_MODE: Readonly<Record<string, string>> = { 'st-auth-mode': 'header' }

/** The names of the cookies of the access token and the refresh token. */
export const AT = '__Host-sAccessToken'
export const MAC = '__Host-sAccessTokenMac'
export const RT = '__Secure-sRefreshToken'
export const REFRESH = '/auth/session/refresh'
export const SIGNOUT = '/auth/signout'
export const HOUR = 3_600_000
/** The headers that carry the tokens in header mode. */
export const tokenHeaders: readonly string[] = ['front-token', 'st-access-token', 'st-refresh-token']

/** The application in one variant, as a case of the contract uses it. */
export interface ContractApp {
  client(): AppClient
  /** Sends a command to the application, through its route `/control`. */
  control(command: JsonObject): Promise<ControlAnswer>
  /** Moves the application's clock, in milliseconds. */
  advance(by: number): Promise<void>
}

/** Makes a case for one variant of the application. */
export function appCase(name: string, variant: AppVariant, run: (app: ContractApp) => Promise<void>): FrameworkCase {
  return { name, run: async harness => run(await connect(harness, variant)) }
}

async function connect(harness: FrameworkHarness, variant: AppVariant): Promise<ContractApp> {
  const send = await harness.open(variant)
  const { prefix, stripped } = variants[variant]
  const place = { external: stripped + prefix, internal: prefix }
  let now = 0
  const client = (): AppClient => new AppClient(send, place, () => now)
  const operator = client()

  async function control(command: JsonObject): Promise<ControlAnswer> {
    const reply = await operator.send('POST', '/control', { body: command, headers: SAME_ORIGIN })
    ensureEqual(reply.status, 200, 'the application serves /control')
    const answer = readAnswer(reply)
    now = answer.now
    return answer
  }

  // Cases share one application: the previous case may have failed with the store unavailable.
  await control({ storeDown: false })
  return {
    client,
    control,
    async advance(by) {
      await control({ advance: by })
    },
  }
}

function readAnswer({ body }: AppReply): ControlAnswer {
  const answer = parseJsonObject(body)
  const found = ensurePresent(answer, `/control answers with JSON, not ${body}`)
  const { now, calls, reported, visits, watched, outcome, offered, uncalled } = found
  ensure(
    typeof now === 'number' && typeof reported === 'number' && typeof visits === 'number'
      && typeof watched === 'number',
    '/control answers with numbers',
  )
  ensure(
    typeof outcome === 'string' && Array.isArray(calls) && Array.isArray(offered) && Array.isArray(uncalled),
    '/control answers with an outcome and calls',
  )
  return {
    now, reported, visits, watched, outcome,
    calls: calls.map(String), offered: offered.map(String), uncalled: uncalled.map(String),
  }
}

/** Logs in, in cookie mode unless the headers say otherwise. @throws ContractViolation if the login fails. */
export async function login(
  client: AppClient,
  userId = 'alice',
  headers: SendOptions['headers'] = SAME_ORIGIN,
): Promise<AppReply & { readonly handle: string }> {
  const reply = await client.send('POST', '/login', { headers, body: { userId, payload: { role: 'reader' } } })
  ensureEqual(reply.status, 200, 'a login succeeds')
  const handle = reply.member('handle')
  ensure(typeof handle === 'string', '/login answers with the handle')
  return { ...reply, handle }
}

/** The status and message of an error response. */
export function refusal(reply: AppReply): readonly [status: number, message: JsonValue | undefined] {
  return [reply.status, reply.member('message')]
}

/** Asserts that a response neither sets nor clears a cookie or header of the session. */
export function ensureUntouched(reply: AppReply, promise: string): void {
  const ours = /^(?:__Host-sAccessToken|__Secure-sRefreshToken|at|rt)$/
  const names = reply.setCookies.map(nameOfCookie).filter(name => ours.test(name))
  ensureEqual(names, [], `${promise}: no cookie is touched`)
  ensureEqual(reply.header('front-token'), null, `${promise}: no front token`)
}

/** The name in a `Set-Cookie` line. */
export function nameOfCookie(line: string): string {
  return line.slice(0, line.indexOf('='))
}

/** The `Cookie` line with both tokens of a client. */
export function pairOf(client: AppClient): string {
  return `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
}

/** The decoded front token of a response. */
export function frontTokenOf(reply: AppReply): JsonObject {
  const bytes = Uint8Array.from(atob(reply.header('front-token') ?? ''), character => character.charCodeAt(0))
  return ensurePresent(parseJsonObject(new TextDecoder().decode(bytes)), 'the front token is base64 of a JSON object')
}
