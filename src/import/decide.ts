import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { ImportClaim } from '../session/import-claims.ts'
import type { LiveForeignSession } from '../session/importer.ts'
import { expiryOf, lifetimesOf } from '../session/policy.ts'
import type { Lifetimes, SessionPolicy } from '../session/policy.ts'
import { RECORD_FORMAT } from '../session/record.ts'
import type { SessionRecord } from '../session/record.ts'
import { CLAIM_MARGIN } from './plan.ts'
import type { ImportPlan } from './plan.ts'

// The rules of an import, as pure functions (docs/import.md).

/** What to do with the credential of an old session that was taken over. */
export type ClaimDecision =
  /** The system has replaced this credential of the session. */
  | 'reused'
  /** The session was taken over from a cookie, and this is a bearer token, or the reverse: a session has one mode. */
  | 'replayed'
  /** The session was taken over, and has ended since. */
  | 'ended'
  /** Claim and session were added a moment ago, and nobody has got a token: the not-befores are checked again. */
  | 'settle'
  /** The client gets the session's tokens, as long as the rules of rotation allow it. */
  | 'refresh'

/**
 * Decides about a credential by the claim on its session, and by that session. `handle`: of the session in the
 * transfer mode of the credential. `isMatching`: whether the claim stands for this credential. Pure.
 */
export function decideClaim(
  claim: Pick<ImportClaim, 'handle'>,
  handle: SessionHandle,
  record: Pick<SessionRecord, 'generation'> | null,
  isMatching: boolean,
): ClaimDecision {
  if (!isMatching) return 'reused'
  if (claim.handle !== handle) return 'replayed'
  if (record === null) return 'ended'
  return record.generation === 0 ? 'settle' : 'refresh'
}

/** Whether the import has ended. Pure. */
export function isOver({ until }: Pick<ImportPlan, 'until'>, now: EpochMilliseconds): boolean {
  return now >= until
}

/**
 * The claim on a session. It is kept until after the end of the import, however long the old credential itself would be
 * valid: the old system may prolong it. Pure.
 */
export function claimOn(
  session: LiveForeignSession,
  { handle, source, kid }: Pick<ImportClaim, 'handle' | 'source' | 'kid'>,
  plan: Pick<ImportPlan, 'until'>,
  now: EpochMilliseconds,
): ImportClaim {
  const { issuedAt, proof = '' } = session
  return {
    handle,
    source,
    kid,
    proof,
    issuedAt: past(issuedAt, now),
    admittedAt: now,
    until: plan.until + CLAIM_MARGIN,
  }
}

/**
 * The lifetimes of a session that is taken over at `now`. An absolute timeout counts from the login, if that is known
 * and the session is younger; otherwise from now. A fixed end of the old session stays. Pure.
 */
export function lifetimesOfImport(
  { authenticatedAt, fixedEnd }: Pick<LiveForeignSession, 'authenticatedAt' | 'fixedEnd'>,
  policy: SessionPolicy,
  now: EpochMilliseconds,
): Lifetimes {
  const lifetimes = lifetimesOf({}, policy, now)
  const { absoluteTimeout } = policy
  const fromLogin = absoluteTimeout !== null && authenticatedAt !== null && authenticatedAt <= now
    ? authenticatedAt + absoluteTimeout
    : null
  const absoluteExpiry = fromLogin !== null && fromLogin > now ? fromLogin : lifetimes.absoluteExpiry
  const ends = [absoluteExpiry, fixedEnd ?? null].filter(end => end !== null)
  return { ...lifetimes, absoluteExpiry: ends.length === 0 ? null : Math.min(...ends) }
}

/** What the record of an imported session has besides what the old system says. */
export interface ImportedParts extends Pick<
  SessionRecord, 'refreshHash' | 'anchorHash' | 'refreshKeyId' | 'jwtPayload' | 'sessionInfo' | 'client'
> {
  readonly handle: SessionHandle
  readonly lifetimes: Lifetimes
}

/**
 * The record of a session that is taken over at `now`. Its first refresh token is derived, and the client never gets
 * it: the old credential stands for it. `authenticatedAt` is never now, or a recent login would seem proven. Pure.
 */
export function importedRecord(
  session: LiveForeignSession,
  { lifetimes, ...parts }: ImportedParts,
  now: EpochMilliseconds,
): SessionRecord {
  return {
    format: RECORD_FORMAT,
    userId: session.userId,
    tenantId: session.tenantId ?? 'public',
    createdAt: now,
    authenticatedAt: past(session.authenticatedAt, now),
    generation: 0,
    branch: 0,
    confirmed: true,
    rotatedAt: now,
    servedAt: now,
    ...parts,
    ...lifetimes,
    expiresAt: expiryOf(now, lifetimes),
    persistent: session.persistent,
    payloadVersion: 0,
    infoVersion: 0,
  }
}

/** A time that another system says; 0 if it does not know, and never in the future. */
function past(time: EpochMilliseconds | null, now: EpochMilliseconds): EpochMilliseconds {
  return time === null ? 0 : Math.max(0, Math.min(Math.floor(time), now))
}
