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
   * Starts the application in this variant, or joins the one that runs already: cases share them. Resolves to what
   * sends requests to it. Who made the harness ends what it started.
   */
  open(variant: AppVariant): Promise<Send>
}

/** One promise of Keyturn over HTTP, and how to find out whether it holds in a framework. */
export interface FrameworkCase {
  readonly name: string
  /** Resolves if the promise is kept. @throws ContractViolation if it is broken. */
  run(harness: FrameworkHarness): Promise<void>
}

/** What a page of the application's own sends. */
export const SAME_ORIGIN: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin', origin: APP_ORIGIN }
/** What a page of another site sends. */
export const CROSS_SITE: Readonly<Record<string, string>> = {
  'sec-fetch-site': 'cross-site', origin: 'https://evil.tld',
}
/** What a page of a trusted front end on another host sends before it may send a `PUT`. */
export const PREFLIGHT: Readonly<Record<string, string>> = {
  origin: FRONT_END_ORIGIN, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-evil',
}
/** Asks for a session in header mode. */
export const HEADER_MODE: Readonly<Record<string, string>> = { 'st-auth-mode': 'header' }

/** The access token's cookie, and the refresh token's. */
export const AT = '__Host-sAccessToken'
export const RT = '__Secure-sRefreshToken'
export const REFRESH = '/auth/session/refresh'
export const SIGNOUT = '/auth/signout'
export const HOUR = 3_600_000
/** The headers that tell a client of its tokens in header mode. */
export const tokenHeaders: readonly string[] = ['front-token', 'st-access-token', 'st-refresh-token']

/** The application in one variant, as a case of the contract uses it. */
export interface ContractApp {
  client(): AppClient
  /** Gives the application an order, through its route `/control`. */
  control(command: JsonObject): Promise<ControlAnswer>
  /** Moves the application's clock, in milliseconds. */
  advance(by: number): Promise<void>
}

/** Makes a case over one variant of the application. */
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

  // Cases share one application: the one before may have failed with the store cut off.
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
  const { now, calls, reported, visits, outcome, offered, uncalled } = found
  ensure(
    typeof now === 'number' && typeof reported === 'number' && typeof visits === 'number',
    '/control answers with numbers',
  )
  ensure(
    typeof outcome === 'string' && Array.isArray(calls) && Array.isArray(offered) && Array.isArray(uncalled),
    '/control answers with an outcome and calls',
  )
  return {
    now, reported, visits, outcome,
    calls: calls.map(String), offered: offered.map(String), uncalled: uncalled.map(String),
  }
}

/** Logs in, in cookie mode unless the headers say otherwise. @throws ContractViolation if that fails. */
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

/** Status and message of a refusal. */
export function refusal(reply: AppReply): readonly [status: number, message: JsonValue | undefined] {
  return [reply.status, reply.member('message')]
}

/** Asserts that an answer neither sets nor clears anything of the session's. */
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

/** The `Cookie` line of the pair that a client holds. */
export function pairOf(client: AppClient): string {
  return `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
}

/** The front token of an answer, decoded. */
export function frontTokenOf(reply: AppReply): JsonObject {
  const bytes = Uint8Array.from(atob(reply.header('front-token') ?? ''), character => character.charCodeAt(0))
  return ensurePresent(parseJsonObject(new TextDecoder().decode(bytes)), 'the front token is base64 of a JSON object')
}
