import { transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { wire } from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { SessionCore, VerifyOptions, VerifyOutcome } from '../session/core.ts'
import type { CookieSlot } from './cookie-config.ts'
import { readCookies } from './cookies.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/** How many cookies of one name are tried (CK-06, DOS-01). */
const MAX_CANDIDATES = 4

/** What became of a token of ours. */
export type JudgedOutcome<Payload extends object> = Exclude<VerifyOutcome<Payload>, { kind: 'foreign' }>

/** The access token of a request, judged. */
export type PresentedAccess<Payload extends object> =
  /** None of ours. */
  | { readonly kind: 'none' }
  /** One of ours that came by the channel of the other mode (CK-14). */
  | { readonly kind: 'misplaced' }
  /** Cookies of two live sessions: no telling whose request this is (CK-06). */
  | { readonly kind: 'ambiguous' }
  | JudgedAccess<Payload>

export interface JudgedAccess<Payload extends object> {
  readonly kind: 'judged'
  readonly channel: TransferMode
  readonly accessToken: string
  readonly outcome: JudgedOutcome<Payload>
  /** Whether there were other cookies of the name. */
  readonly duplicated: boolean
}

/** The token of `Authorization: Bearer`, or null (RFC 6750 section 2.1). */
export function bearerToken(request: HttpRequest): string | null {
  const value = request.header(wire.authorization)
  if (value === null || !value.startsWith('Bearer ')) return null
  return value.slice('Bearer '.length).trim() || null
}

/** The different values of one of our cookies, as many as are tried. */
export function cookieTokens(request: HttpRequest, slot: CookieSlot): readonly string[] {
  const values = readCookies(request.header('cookie'), slot.attributes.name)
  return values.length < 2 ? values : [...new Set(values)].slice(0, MAX_CANDIDATES)
}

/**
 * Finds and judges the access token of a request. A bearer token of ours wins, and cookies are then not looked at
 * (CSRF-13); what is no token of ours counts as absent.
 */
export async function judgeAccessToken<Payload extends object, Info extends object>(
  core: SessionCore<Payload, Info>,
  policy: HttpPolicy,
  request: HttpRequest,
  options: VerifyOptions,
): Promise<PresentedAccess<Payload>> {
  const bearer = bearerToken(request)
  if (bearer !== null) {
    const outcome = await core.verify(bearer, options)
    if (outcome.kind !== 'foreign') {
      if (!travelsBy('header', core.peekHandle(bearer))) return { kind: 'misplaced' }
      return { kind: 'judged', channel: 'header', accessToken: bearer, outcome, duplicated: false }
    }
  }
  const candidates = cookieTokens(request, policy.cookies.accessToken)
  const judged: JudgedAccess<Payload>[] = []
  for (const accessToken of candidates) {
    const outcome = await core.verify(accessToken, options)
    if (outcome.kind === 'foreign' || !travelsBy('cookie', core.peekHandle(accessToken))) continue
    judged.push({ kind: 'judged', channel: 'cookie', accessToken, outcome, duplicated: candidates.length > 1 })
  }
  return chooseAccess(judged)
}

/** Chooses among the cookies of one name: the one live session there is, else what a refresh could revive. Pure. */
function chooseAccess<Payload extends object>(judged: readonly JudgedAccess<Payload>[]): PresentedAccess<Payload> {
  const best = judged.reduce<JudgedAccess<Payload> | null>(
    (chosen, next) => chosen === null || rank(next.outcome) > rank(chosen.outcome) ? next : chosen,
    null,
  )
  if (best === null) return { kind: 'none' }
  const live = new Set(judged.flatMap(({ outcome }) => outcome.kind === 'active' ? [outcome.claims.sid] : []))
  return live.size > 1 ? { kind: 'ambiguous' } : best
}

/** Active before refreshable before revoked; of two active tokens of a session the one that lasts longer. */
function rank(outcome: JudgedOutcome<object>): number {
  switch (outcome.kind) {
    case 'active': return outcome.claims.exp
    case 'refresh-required': return 0
    case 'revoked': return -1
  }
}

/**
 * The sessions whose access token, expired or not, the request carries and proves to be genuine: what a new login
 * in this browser replaces (CMP-11).
 */
export async function identifyPresented<Payload extends object, Info extends object>(
  core: SessionCore<Payload, Info>,
  policy: HttpPolicy,
  request: HttpRequest,
): Promise<readonly SessionHandle[]> {
  const bearer = bearerToken(request)
  const tokens = [
    ...bearer === null ? [] : [{ channel: 'header', text: bearer } as const],
    ...cookieTokens(request, policy.cookies.accessToken).map(text => ({ channel: 'cookie', text }) as const),
  ]
  const handles = new Set<SessionHandle>()
  for (const { channel, text } of tokens) {
    const handle = await core.identify(text)
    if (handle !== null && travelsBy(channel, handle)) handles.add(handle)
  }
  return [...handles]
}

/** Whether a session's tokens belong into this channel (CK-14). */
export function travelsBy(channel: TransferMode, handle: SessionHandle | null): boolean {
  return handle !== null && transferModeOf(handle) === channel
}
