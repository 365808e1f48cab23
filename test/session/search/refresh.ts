// What a server does with a refresh token and with a re-authentication. It uses the product's own rules, and repeats
// what src/session does around them, without cryptography and synchronously.
import type { EpochMilliseconds } from '../../../src/base/time.ts'
import { confirms } from '../../../src/session/confirmations.ts'
import { decideReauthentication } from '../../../src/session/decide-reauthentication.ts'
import { decideRefresh } from '../../../src/session/decide-refresh.ts'
import type { PresentedToken } from '../../../src/session/decide-refresh.ts'
import type { SessionRecord } from '../../../src/session/record.ts'
import { stateOf } from '../../../src/session/token-state.ts'
import type { NextToken, PresentedState, Reauthentication, Rotation, TokenState } from '../../../src/session/store.ts'
import { applyConfirmation, applyRotation, isUnchanged } from '../../../src/stores/apply.ts'
import { anchorOf, childOf, generationOf, placeOf } from './paths.ts'
import type { Path } from './paths.ts'
import { accessTokenClaims, alwaysAlive, client, handle } from './record.ts'

/** The rules, each of which a mutant may wrap. */
export interface Rules {
  /** How a token relates to the record. */
  readonly present: (record: SessionRecord, token: Path) => PresentedToken
  readonly decideRefresh: typeof decideRefresh
  readonly decideReauthentication: typeof decideReauthentication
  readonly confirms: typeof confirms
  /** The conditional write, for a store that may have no such session. */
  readonly applyRotation: (record: SessionRecord | null, rotation: Rotation) => SessionRecord | null
  /** Whether the record is still in the state that was read: whether it may be removed. */
  readonly isUnchanged: typeof isUnchanged
}

export const realRules: Rules = {
  present: (record, token) => ({
    ...placeOf(token),
    isAnchored: record.anchorHash === anchorOf(token),
    isCurrent: record.refreshHash === token,
    isParent: generationOf(token) === record.generation - 1 && childOf(token, record.branch) === record.refreshHash,
  }),
  decideRefresh,
  decideReauthentication,
  confirms,
  applyRotation: (record, rotation) => (record === null ? null : applyRotation(record, rotation)),
  isUnchanged,
}

/** How a call was answered. */
export type Outcome =
  | { readonly kind: 'answered'; readonly how: string; readonly token: Path }
  | { readonly kind: 'busy' | 'superseded' | 'forged' | 'ended' | 'theft' }

export type Answered = Extract<Outcome, { readonly kind: 'answered' }>

/** A call to the server. */
export interface Request {
  readonly kind: 'refresh' | 'reauthentication'
  /** The refresh token presented; for a re-authentication the one that the access token was issued with. */
  readonly token: Path
  /** The time by the clock of the process that serves it. */
  readonly now: EpochMilliseconds
  /** A capital letter: the random secret and anchor of a re-authentication. */
  readonly secret: string
}

/** What the process of a request does next: each is one call of the store. */
export type Step =
  /** Make the first child of the presented token current, without having read the record. */
  | { readonly kind: 'rotate unread' }
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly rotation: Rotation; readonly how: string }
  | { readonly kind: 'remove'; readonly state: TokenState }
  /** Nothing: it has answered. */
  | { readonly kind: 'done'; readonly outcome: Outcome }

/** A record after a step, and the step that follows. */
export interface Progress {
  readonly record: SessionRecord | null
  readonly step: Step
}

/** The first step of a request. */
export function firstStep(request: Request): Step {
  return { kind: request.kind === 'refresh' ? 'rotate unread' : 'read' }
}

/** Takes one step. A conditional write that does not apply is followed by reading. Pure. */
export function advance(step: Step, record: SessionRecord | null, request: Request, rules: Rules): Progress {
  switch (step.kind) {
    case 'done':
      return { record, step }
    case 'read':
      return { record, step: record === null ? done({ kind: 'ended' }) : judge(record, request, rules) }
    case 'rotate unread': {
      const { token } = request
      return write(record, {
        ...inAnyCase(request),
        expected: { refreshHash: token, anchorHash: anchorOf(token), ...placeOf(token) } satisfies PresentedState,
        next: newToken(childOf(token, 0), request.now),
      }, 'rotate', rules)
    }
    case 'write':
      return write(record, step.rotation, step.how, rules)
    case 'remove':
      return record !== null && rules.isUnchanged(record, step.state)
        ? { record: null, step: done({ kind: 'theft' }) }
        : { record, step: { kind: 'read' } }
  }
}

/** Takes all steps at once, without concurrent writes. Pure. */
export function serve(
  record: SessionRecord | null,
  request: Request,
  rules: Rules,
): { readonly record: SessionRecord | null; readonly outcome: Outcome } {
  let progress: Progress = { record, step: firstStep(request) }
  // After a write that does not apply, the server decides again, at most five times.
  for (let steps = 0; steps < 12; steps++) {
    if (progress.step.kind === 'done') return { record: progress.record, outcome: progress.step.outcome }
    progress = advance(progress.step, progress.record, request, rules)
  }
  return { record: progress.record, outcome: { kind: 'busy' } }
}

/** The record once the client has certainly stored the token; the same record if that is not the current one. Pure. */
export function confirm(record: SessionRecord, token: Path): SessionRecord {
  return applyConfirmation(record, placeOf(token)) ?? record
}

function judge(record: SessionRecord, request: Request, rules: Rules): Step {
  const judgeKind = request.kind === 'refresh' ? judgeRefresh : judgeReauthentication
  return judgeKind(record, request, rules)
}

function judgeRefresh(record: SessionRecord, request: Request, rules: Rules): Step {
  const { token, now } = request
  const decision = rules.decideRefresh(record, rules.present(record, token), now)
  const replace = (next: NextToken, how: string): Step => (
    { kind: 'write', rotation: { ...inAnyCase(request), expected: stateOf(record), next }, how }
  )
  switch (decision.kind) {
    case 'superseded':
    case 'forged':
    case 'busy':
      return done({ kind: decision.kind })
    case 'adopt':
      return replace(newToken(token, now), 'adopt')
    case 'rotate':
      return { kind: 'rotate unread' }
    case 'branch':
      return replace(newToken(childOf(token, decision.branch), now), 'branch')
    case 'early':
    case 'retry':
      return decision.isServed
        ? replace({ ...tokenOf(record), servedAt: now }, decision.kind)
        : done({ kind: 'answered', how: decision.kind, token: record.refreshHash })
    case 'theft':
      return { kind: 'remove', state: stateOf(record) }
  }
}

function judgeReauthentication(record: SessionRecord, request: Request, rules: Rules): Step {
  const { token, now, secret } = request
  const current = record.refreshHash
  const decision = rules.decideReauthentication(record, accessTokenClaims(token), now)
  if (decision.kind === 'busy') return done({ kind: 'busy' })
  const { generation, authenticatedAt } = decision
  const refreshHash = (generationOf(current) === generation - 1 ? current : token) + secret
  const rotation: Reauthentication = {
    ...inAnyCase(request),
    expected: stateOf(record),
    next: {
      ...newToken(refreshHash, now), generation, branch: 0, confirmed: true, anchorHash: refreshHash, authenticatedAt,
    },
  }
  return { kind: 'write', rotation, how: 're-authenticate' }
}

function write(record: SessionRecord | null, rotation: Rotation, how: string, rules: Rules): Progress {
  const written = rules.applyRotation(record, rotation)
  return written === null
    ? { record, step: { kind: 'read' } }
    : { record: written, step: done({ kind: 'answered', how, token: written.refreshHash }) }
}

/** What all writes of a request have in common. */
function inAnyCase({ now }: Request): Pick<Rotation, 'handle' | 'bounds'> {
  return { handle, bounds: alwaysAlive(now) }
}

function newToken(path: Path, now: EpochMilliseconds): NextToken {
  return {
    refreshHash: path, refreshKeyId: '', ...placeOf(path), confirmed: false, rotatedAt: now, servedAt: now, client,
  }
}

function tokenOf(record: SessionRecord): NextToken {
  const { refreshHash, refreshKeyId, generation, branch, confirmed, rotatedAt, servedAt } = record
  return { refreshHash, refreshKeyId, generation, branch, confirmed, rotatedAt, servedAt, client: record.client }
}

function done(outcome: Outcome): Step {
  return { kind: 'done', outcome }
}
