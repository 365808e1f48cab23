// The record of the session in a search, and its representation in a state: paths and ages.
import { createHandle } from '../../../src/base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import { toEpochSeconds } from '../../../src/base/time.ts'
import { RECORD_FORMAT } from '../../../src/session/record.ts'
import type { ClientInfo, SessionRecord } from '../../../src/session/record.ts'
import type { ActiveBounds } from '../../../src/session/store.ts'
import type { AccessClaims } from '../../../src/tokens/access-token.ts'
import { anchorOf, authenticationsOf, generationOf, placeOf } from './paths.ts'
import type { Path } from './paths.ts'

/** The unit of ages: a quarter of the reuse interval. */
export const STEP: Milliseconds = 1000
/** The reuse interval in steps. */
export const R = 4
/** The current time in every state; only the ages change. */
export const NOW: EpochMilliseconds = 1_000_000_000

export const handle = createHandle('header', length => new Uint8Array(length))
export const client: ClientInfo = { ip: null, userAgent: null }

/** A record in a state of a search. */
export interface CompactRecord {
  readonly current: Path
  readonly isConfirmed: boolean
  /** How many steps ago the current token became current; negative where a process with a fast clock wrote it. */
  readonly rotated: number
  /** How many steps ago it was last delivered. */
  readonly served: number
}

/** The record of a session with this reuse interval in steps. */
export function expand(compact: CompactRecord, reuseInterval: number): SessionRecord {
  const { current, isConfirmed, rotated, served } = compact
  return {
    format: RECORD_FORMAT, handle, userId: 'user', tenantId: 'public',
    createdAt: 0,
    authenticatedAt: authenticatedAtOf(current),
    refreshHash: current, anchorHash: anchorOf(current), refreshKeyId: '', ...placeOf(current),
    confirmed: isConfirmed,
    rotatedAt: NOW - rotated * STEP,
    servedAt: NOW - served * STEP,
    idleTimeout: NOW, absoluteExpiry: null, expiresAt: 2 * NOW, accessTokenLifetime: NOW,
    reuseInterval: reuseInterval * STEP,
    persistent: true, jwtPayload: '{}', payloadVersion: 0, sessionInfo: '{}', infoVersion: 0, client,
  }
}

/** The reverse of {@link expand}. */
export function compact(record: SessionRecord): CompactRecord {
  return {
    current: record.refreshHash,
    isConfirmed: record.confirmed,
    rotated: (NOW - record.rotatedAt) / STEP,
    served: (NOW - record.servedAt) / STEP,
  }
}

/** The claims of the access token that was issued with this refresh token. */
export function accessTokenClaims(token: Path): Pick<AccessClaims, 'gen' | 'auth_time'> {
  return { gen: generationOf(token), auth_time: toEpochSeconds(authenticatedAtOf(token)) }
}

/** The bounds of a session that does not expire. */
export function alwaysAlive(now: EpochMilliseconds): ActiveBounds {
  return { now, rotatedAfter: -1, createdAfter: -1 }
}

function authenticatedAtOf(token: Path): EpochMilliseconds {
  return authenticationsOf(token) * 1000
}
