import type { FleetModel } from './model.ts'

// What is measured or configured elsewhere. Times are in milliseconds unless the name says otherwise.

/**
 * The rules of the library, and PostgreSQL as measured here. How long a call keeps a core of the store busy is estimated:
 * 40 µs, 5 µs more for each confirmed session, and 10 µs for each removed one.
 */
export const postgres: FleetModel = {
  processes: 1, idle: 0, changesPerSecond: 0, spacing: 'random', push: true,
  pollInterval: 1000, sleepingInterval: 20_000, pushPause: 50, jitter: 0.2,
  pushDelay: 0.6, writeDelay: 0.9, readDelay: 0.8, noticeDelay: 0,
  keysInterval: 60_000, leaseInterval: 60_000, expiriesPerSecond: 0, cleanupBatch: 500,
  confirmationsPerProcess: 0, flushDelay: 1000, confirmationBatch: 500,
  cores: 8, callWork: 0.04, confirmationWork: 0.005, removalWork: 0.01,
  startedWithin: 1000, seconds: 10,
}

/** Bytes that a process keeps for a revoked session, as measured in docs/benchmarks/revocations.md; or confirmed. */
export const BYTES_HANDLE = 42
/** Bytes that a process keeps for a verified token. */
export const BYTES_CACHED = 1500
/** Bytes of an entry of the log on the network, with one handle. */
export const BYTES_ENTRY = 90
/** How long a process keeps a revocation: the lifetime of an access token (an hour) and ten minutes. */
export const RETENTION_SECONDS = 4200
/** How long an access token is used: an hour, shortened by a random part of up to a fifth. */
export const TOKEN_SECONDS = 3240
/** The age in seconds from which a token confirms its refresh token: twice the reuse interval. */
export const CONFIRMS_AFTER = 60
export const CACHE_SIZE = 10_000
/** A process verifies this many requests a second at most, beside what it does for them: an estimate. */
export const MOST_REQUESTS = 5000
