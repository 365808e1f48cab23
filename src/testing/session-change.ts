import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import * as wire from '../base/wire.ts'
import { ensure, ensureEqual } from './assert.ts'

/** A response of any test client: of fetch, `app.inject()`, supertest or Node. */
export interface TestedResponse {
  /** The headers, as any client returns them. */
  readonly headers: Headers | Readonly<Record<string, string | number | readonly string[] | undefined>>
}

/** What a response does to the session of the client that receives it. */
export type SessionChange =
  /** It contains an access token: a login, a refresh or changed claims. */
  | { readonly kind: 'issued'; readonly userId: string; readonly claims: JsonObject; readonly hasRefreshToken: boolean }
  /** It clears the tokens. */
  | { readonly kind: 'cleared' }
  | { readonly kind: 'untouched' }

/** Reads what a response does to its client's session. */
export function sessionChangeOf(response: TestedResponse): SessionChange {
  const front = headerOf(response, wire.frontToken)
  if (front === null) return { kind: 'untouched' }
  if (front === 'remove') return { kind: 'cleared' }
  const bytes = Uint8Array.from(atob(front), character => character.charCodeAt(0))
  const { uid, up } = parseJsonObject(new TextDecoder().decode(bytes)) ?? {}
  ensure(typeof uid === 'string' && typeof up === 'object' && up !== null && !Array.isArray(up), 'a front token')
  const hasRefreshToken = headerOf(response, wire.refreshToken) !== null
    || cookiesOf(response).some(line => /;\s*path=[^;]*\/session\/refresh(?:;|$)/i.test(line))
  return { kind: 'issued', userId: uid, claims: up, hasRefreshToken }
}

/** Asserts that a response starts or renews a session of this user. @throws Error that says what it does instead */
export function assertSignedIn(response: TestedResponse, userId: string): void {
  const change = sessionChangeOf(response)
  ensureEqual(change.kind === 'issued' && change.hasRefreshToken, true, 'the response brings a session')
  ensureEqual(change.kind === 'issued' ? change.userId : null, userId, 'the session belongs to the user')
}

/** Asserts that a response clears the client's tokens. @throws Error that says what it does instead */
export function assertSignedOut(response: TestedResponse): void {
  ensureEqual(sessionChangeOf(response).kind, 'cleared', 'the response ends the session')
}

/** Asserts that a response does not change the client's tokens. @throws Error that says what it does instead */
export function assertSessionUntouched(response: TestedResponse): void {
  ensureEqual(sessionChangeOf(response).kind, 'untouched', 'the response leaves the session alone')
}

/** A header of a response; null if it has none. */
export function headerOf({ headers }: TestedResponse, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name)
  const value = headers[name]
  return value === undefined ? null : String(value)
}

/** The `Set-Cookie` lines of a response. */
export function cookiesOf({ headers }: TestedResponse): readonly string[] {
  if (headers instanceof Headers) return headers.getSetCookie()
  const lines = headers['set-cookie']
  return lines === undefined ? [] : [lines].flat().map(String)
}
