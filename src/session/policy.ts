import type { Entropy } from '../base/entropy.ts'
import { GeneralError } from '../base/errors.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds, EpochSeconds, Milliseconds } from '../base/time.ts'
import { CLOCK_MARGIN, KEY_ROTATION_INTERVAL, LONGEST_IDLE_TIMEOUT, PUBLICATION_LEAD } from '../tokens/plan-rotation.ts'
import type { Blacklisting, NewSessionOptions } from './core.ts'
import type { SessionRecord } from './record.ts'
import type { Liveness, NotBefore } from './store.ts'

/** The rules that sessions live by. Times in milliseconds; made once from the application's options. */
export interface SessionPolicy {
  readonly accessTokenLifetime: Milliseconds
  /**
   * The largest part of an access token's lifetime that is taken off at random, so that nobody can predict when a
   * client refreshes.
   */
  readonly accessTokenJitter: number
  readonly idleTimeout: Milliseconds
  readonly absoluteTimeout: Milliseconds | null
  /** R: see {@link PolicyOptions.reuseInterval}. Sessions keep the one they began with. */
  readonly reuseInterval: Milliseconds
  readonly maxSessionsPerUser: number | null
  /** `observe` reports a theft and refuses the token, but leaves the session alone. For roll-outs. */
  readonly theft: 'revoke' | 'observe'
  /** What happens when one refresh token is given to two networks or user agents. */
  readonly sharedRefresh: 'revoke' | 'observe'
  readonly blacklisting: Blacklisting
  /** How old the revocation feed may be before verification asks the store instead. */
  readonly maxStaleness: Milliseconds
  /** How often the revocation feed is polled, pushes or not. */
  readonly pollInterval: Milliseconds
  /** What verification does when the feed is stale and the store is down too. */
  readonly onStoreFailure: 'failOpen' | 'failClosed'
  /** The longest session info, in bytes of its JSON. */
  readonly maxSessionInfoBytes: number
  /** How many verified access tokens are remembered before the oldest half is forgotten; 0 remembers none. */
  readonly tokenCacheSize: number
  /** How long a signing key signs before the next one does. */
  readonly keyRotationInterval: Milliseconds
}

/** What an application may say of {@link SessionPolicy}. Times in seconds. */
export interface PolicyOptions {
  /** How long an access token lives, in seconds: 1 to 86,400. Default 3,600; a random 0 to 20 % is taken off. */
  readonly accessTokenLifetime?: number
  /** How long a session may go without a refresh, in seconds: up to 400 days. Default 100 days. */
  readonly idleTimeout?: number
  /** How long a session may last at all, in seconds. Default: no limit. */
  readonly absoluteTimeout?: number
  /**
   * How long a refresh token may be repeated after its first use, in seconds. Default 30, at most a quarter of the
   * access token's lifetime.
   */
  readonly reuseInterval?: number
  /** How many sessions a user may have; a login beyond it ends the oldest. Default: no limit. */
  readonly maxSessionsPerUser?: number
  /** `revoke` (default) ends a session whose refresh token was used twice; `observe` only reports it. */
  readonly theft?: 'revoke' | 'observe'
  /**
   * What to do when one refresh token is given to clients of two networks (/24, /48) or user agents: `observe`
   * (default) calls `onRefreshShared`; `revoke` also ends the session.
   */
  readonly sharedRefresh?: 'revoke' | 'observe'
  /** How access tokens of revoked sessions are refused. Default `feed`. */
  readonly accessTokenBlacklisting?: Blacklisting
  /** How old the revocation feed may be, in seconds, before verification asks the store. Default 5. */
  readonly maxStaleness?: number
  /** How often the revocation feed is polled, in seconds. Default 1. */
  readonly pollInterval?: number
  /**
   * With the feed stale and the store down: accept a valid signature (`failOpen`, default) or answer 503
   * (`failClosed`).
   */
  readonly onStoreFailure?: 'failOpen' | 'failClosed'
  /** The longest session info, in bytes of its JSON. Default 65,536. */
  readonly maxSessionInfoBytes?: number
  /**
   * How many verified access tokens a process remembers, so that a token seen before costs no signature check.
   * Default 10,000; up to twice as many are held, each with 1 to 2 kB. 0 remembers none.
   */
  readonly tokenCacheSize?: number
  /**
   * How long a key signs access tokens before the next one does, in seconds: 3,600 (an hour) to 31,536,000 (a year).
   * Default 604,800, a week. Whatever it is, the next key is published an hour before its first use, and the last one
   * verifies until no token of its can be alive. Of processes that disagree the shortest interval counts.
   */
  readonly keyRotationInterval?: number
  readonly [exactLifetimes]?: true
}

/** Takes nothing off the lifetimes of access tokens: for tests, whose clock is theirs. */
export const exactLifetimes: unique symbol = Symbol('keyturn.exactLifetimes')

const SECOND = 1000

/** How far ahead the clock of another process may be when it issues access tokens (ROT-12, TOK-09). */
export const CLOCK_TOLERANCE: Milliseconds = 60 * SECOND
const DAY = 86_400

/** No access token's lifetime is shortened below this. */
const SHORTEST_JITTERED: Milliseconds = 60 * SECOND

/**
 * Resolves the options to a policy. Pure.
 * @throws GeneralError (`MISUSE`) that names the option that can not work.
 */
export function createPolicy(options: PolicyOptions): SessionPolicy {
  const accessTokenLifetime = duration('accessTokenLifetime', options.accessTokenLifetime ?? 3600, 1, DAY)
  const idleTimeout = duration('idleTimeout', options.idleTimeout ?? 100 * DAY, 1, LONGEST_IDLE_TIMEOUT / SECOND)
  const reuseInterval = duration('reuseInterval', options.reuseInterval ?? 30, 0, 300)
  return {
    accessTokenLifetime,
    accessTokenJitter: options[exactLifetimes] === true ? 0 : 0.2,
    idleTimeout,
    absoluteTimeout: options.absoluteTimeout === undefined
      ? null
      : duration('absoluteTimeout', options.absoluteTimeout, 1, 100 * 365 * DAY),
    reuseInterval: longestReuseInterval(reuseInterval, accessTokenLifetime),
    maxSessionsPerUser: options.maxSessionsPerUser === undefined
      ? null
      : Math.floor(within('maxSessionsPerUser', options.maxSessionsPerUser, 1, 1000)),
    theft: options.theft ?? 'revoke',
    sharedRefresh: options.sharedRefresh ?? 'observe',
    blacklisting: options.accessTokenBlacklisting ?? 'feed',
    maxStaleness: duration('maxStaleness', options.maxStaleness ?? 5, 0.01, 3600),
    pollInterval: duration('pollInterval', options.pollInterval ?? 1, 0.01, 3600),
    onStoreFailure: options.onStoreFailure ?? 'failOpen',
    tokenCacheSize: Math.floor(within('tokenCacheSize', options.tokenCacheSize ?? 10_000, 0, 10_000_000)),
    maxSessionInfoBytes: within('maxSessionInfoBytes', options.maxSessionInfoBytes ?? 65_536, 2, 16_777_216),
    keyRotationInterval: duration(
      'keyRotationInterval', options.keyRotationInterval ?? KEY_ROTATION_INTERVAL / SECOND,
      PUBLICATION_LEAD / SECOND, 365 * DAY,
    ),
  }
}

/**
 * The reuse interval of a session whose access tokens live so long: at most a fifth of that. The shortest of them lives
 * four fifths, and the windows of one rotation (4R) must be over when it expires. Pure.
 */
function longestReuseInterval(reuseInterval: Milliseconds, accessTokenLifetime: Milliseconds): Milliseconds {
  return Math.min(reuseInterval, Math.floor(accessTokenLifetime / 5))
}

/** From when on a change made at `now` is kept for as long as an access token lives. */
export function changeStart(now: EpochMilliseconds): EpochMilliseconds {
  return now + CLOCK_MARGIN
}

/** The not-before that a revocation of all sessions of somebody sets at `now`. */
export function notBeforeAt(now: EpochMilliseconds): NotBefore {
  return { time: now, until: now + LONGEST_IDLE_TIMEOUT }
}

/** The lifetimes of one session: its own where they are shorter, the policy's otherwise. */
export interface Lifetimes {
  readonly accessTokenLifetime: Milliseconds
  readonly reuseInterval: Milliseconds
  readonly idleTimeout: Milliseconds
  readonly absoluteExpiry: EpochMilliseconds | null
}

/** Resolves the lifetimes of a session that starts at `now`. Pure. */
export function lifetimesOf(options: NewSessionOptions, policy: SessionPolicy, now: EpochMilliseconds): Lifetimes {
  const absolute = shorter('absoluteTimeout', options.absoluteTimeout, policy.absoluteTimeout)
  const accessTokenLifetime = shorter(
    'accessTokenLifetime', options.accessTokenLifetime, policy.accessTokenLifetime)
  return {
    accessTokenLifetime,
    reuseInterval: longestReuseInterval(policy.reuseInterval, accessTokenLifetime),
    idleTimeout: shorter('idleTimeout', options.idleTimeout, policy.idleTimeout),
    absoluteExpiry: absolute === null ? null : now + absolute,
  }
}

/** When a session ends if it was last refreshed at `rotatedAt`. Pure. */
export function expiryOf(
  rotatedAt: EpochMilliseconds,
  lifetimes: Pick<SessionRecord, 'idleTimeout' | 'absoluteExpiry'>,
): EpochMilliseconds {
  return Math.min(rotatedAt + lifetimes.idleTimeout, lifetimes.absoluteExpiry ?? Number.MAX_SAFE_INTEGER)
}

/** How long one access token lives: less a random part, but never less than a minute for that. */
export function jitteredLifetime(
  lifetime: Milliseconds,
  policy: Pick<SessionPolicy, 'accessTokenJitter'>,
  entropy: Entropy,
): Milliseconds {
  const fraction = (entropy(1)[0] ?? 0) / 255
  return Math.max(Math.min(lifetime, SHORTEST_JITTERED), lifetime * (1 - policy.accessTokenJitter * fraction))
}

/**
 * When an access token ends that is issued at `now`: never after its session, and never in the second of its issue.
 * Pure.
 */
export function accessTokenExpiry(
  now: EpochMilliseconds,
  lifetime: Milliseconds,
  session: Pick<SessionRecord, 'expiresAt'>,
): EpochSeconds {
  return Math.max(toEpochSeconds(now) + 1, toEpochSeconds(Math.min(now + lifetime, session.expiresAt)))
}

/** The bounds within which a session is alive at `now`: lowering a configured limit shortens live sessions (REV-05). */
export function livenessAt(now: EpochMilliseconds, policy: SessionPolicy): Liveness {
  return {
    now,
    rotatedAfter: now - policy.idleTimeout,
    createdAfter: policy.absoluteTimeout === null ? -1 : now - policy.absoluteTimeout,
  }
}

/** Whether the session is within those bounds. Pure; stores apply the same comparison. */
export function isAlive(
  record: Pick<SessionRecord, 'expiresAt' | 'rotatedAt' | 'createdAt'>,
  bounds: Liveness,
): boolean {
  return record.expiresAt > bounds.now
    && record.rotatedAt > bounds.rotatedAfter
    && record.createdAt > bounds.createdAfter
}

/** From seconds to whole milliseconds: points in time are added up from them, and stores keep those as integers. */
function duration(name: string, seconds: number, least: number, most: number): Milliseconds {
  return Math.round(within(name, seconds, least, most) * SECOND)
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value
  throw new GeneralError('MISUSE', `${name} must be a number from ${least} to ${most}`)
}

function shorter(name: string, seconds: number | undefined, most: Milliseconds): Milliseconds
function shorter(name: string, seconds: number | undefined, most: Milliseconds | null): Milliseconds | null
function shorter(name: string, seconds: number | undefined, most: Milliseconds | null): Milliseconds | null {
  if (seconds === undefined) return most
  const asked = duration(name, seconds, 1, 100 * 365 * DAY)
  return most === null ? asked : Math.min(asked, most)
}
