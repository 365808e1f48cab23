import type { Entropy } from '../base/entropy.ts'
import { duration, toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { checkValues, explicit, flag, number, oneOf, refuse, text, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds, EpochSeconds, Milliseconds } from '../base/time.ts'
import { CLOCK_MARGIN, KEY_ROTATION_INTERVAL, LONGEST_IDLE_TIMEOUT, PUBLICATION_LEAD } from '../tokens/plan-rotation.ts'
import type { Blacklisting, NewSessionOptions } from './core.ts'
import type { SessionRecord } from './record.ts'
import type { ActiveBounds, NotBefore } from './store.ts'
import { TENANT_ID } from './identifiers.ts'

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

/** What an application may say of {@link SessionPolicy}. */
export interface PolicyOptions {
  /** How long an access token lives: from 1 second to 1 day. A random 0 to 20 % is taken off. Default: 1 hour. */
  readonly accessTokenLifetime?: Duration
  /** How long a session may go without a refresh: from 1 second to 400 days. Default: 100 days. */
  readonly idleTimeout?: Duration
  /** How long a session may last at all: from 1 second to 36,500 days. Default: no limit. */
  readonly absoluteTimeout?: Duration
  /**
   * How long a refresh token may be repeated after its first use: from 0 to 4.8 hours, and at most a fifth of
   * `accessTokenLifetime`. Default: 30 seconds, or that fifth if it is less.
   */
  readonly reuseInterval?: Duration
  /** How many sessions a user may have, from 1 to 1,000; a login beyond it ends the oldest. Default: no limit. */
  readonly maxSessionsPerUser?: number
  /** `revoke` ends a session whose refresh token two parties used, `observe` only reports it. Default: `revoke`. */
  readonly theft?: 'revoke' | 'observe'
  /**
   * What to do when one refresh token is given to clients of two networks (/24, /48) or user agents: `observe` calls
   * `onRefreshShared`, `revoke` also ends the session. Default: `observe`.
   */
  readonly sharedRefresh?: 'revoke' | 'observe'
  /**
   * How access tokens of revoked sessions are refused: `strict` asks the store on every request, `feed` follows the
   * change log, `off` waits until they expire. Default: `feed`.
   */
  readonly accessTokenBlacklisting?: Blacklisting
  /**
   * How old the revocation feed may be before verification asks the store: from 10 ms to 1 hour. Default: 5 seconds.
   */
  readonly maxStaleness?: Duration
  /** How often the revocation feed is polled: from 10 ms to 1 hour. Default: 1 second. */
  readonly pollInterval?: Duration
  /**
   * What to do when the feed is stale and the store is down: `failOpen` accepts a valid signature, `failClosed` answers
   * 503. Default: `failOpen`.
   */
  readonly onStoreFailure?: 'failOpen' | 'failClosed'
  /** The longest session info, in bytes of its JSON: from 2 to 16,777,215. Default: 65,536. */
  readonly maxSessionInfoBytes?: number
  /**
   * How many verified access tokens a process remembers, from 0 to 10,000,000, so that a token seen before costs no
   * signature check. Up to twice as many are held, each with 1 to 2 kB. Default: 10,000.
   */
  readonly tokenCacheSize?: number
  /**
   * How long a key signs access tokens before the next one does: from 1 hour to 365 days. Whatever it is,
   * the next key is published an hour before its first use, and the last one verifies until no token of its can be
   * alive. Of processes that disagree the shortest interval counts. Default: 7 days.
   */
  readonly keyRotationInterval?: Duration
  /** Whether nothing is taken off: `keyturn/testing` sets it, whose tests move the clock themselves. Default: false. */
  readonly [exactLifetimes]?: boolean
}

/** Takes nothing off the lifetimes of access tokens: for tests, whose clock is theirs. */
export const exactLifetimes: unique symbol = Symbol('keyturn.exactLifetimes')

const SECOND = 1000

/** How far ahead the clock of another process may be when it issues access tokens (ROT-12, TOK-09). */
export const CLOCK_TOLERANCE: Milliseconds = 60 * SECOND
const DAY = 86_400

/** No access token's lifetime is shortened below this. */
const SHORTEST_JITTERED: Milliseconds = 60 * SECOND

const YEAR = 365 * DAY

const rules = {
  accessTokenLifetime: withDefault(3600, duration(1, DAY)),
  idleTimeout: withDefault(100 * DAY, duration(1, LONGEST_IDLE_TIMEOUT / SECOND)),
  absoluteTimeout: explicit(duration(1, 100 * YEAR)),
  reuseInterval: withDefault(30, duration(0, DAY / 5)),
  maxSessionsPerUser: explicit(number(null, 1, 1000)),
  theft: withDefault('revoke', oneOf('revoke', 'observe')),
  sharedRefresh: withDefault('observe', oneOf('revoke', 'observe')),
  accessTokenBlacklisting: withDefault('feed', explicit(oneOf('off', 'feed', 'strict'))),
  maxStaleness: withDefault(5, duration(0.01, 3600)),
  pollInterval: withDefault(1, duration(0.01, 3600)),
  onStoreFailure: withDefault('failOpen', explicit(oneOf('failOpen', 'failClosed'))),
  maxSessionInfoBytes: withDefault(65_536, number('bytes', 2, 16_777_215)),
  tokenCacheSize: withDefault(10_000, number(null, 0, 10_000_000)),
  keyRotationInterval: withDefault(
    KEY_ROTATION_INTERVAL / SECOND, duration(PUBLICATION_LEAD / SECOND, YEAR)),
  [exactLifetimes]: withDefault(false, flag),
} satisfies RulesFor<PolicyOptions>

/** What the options of sessions accept. */
export const policyRules: RulesFor<PolicyOptions> = rules

/**
 * Resolves the options to a policy. Pure.
 * @throws GeneralError (`MISUSE`) with the option, what it was and what it must be.
 */
export function createPolicy(options: PolicyOptions): SessionPolicy {
  checkValues(policyRules, options)
  const millisecondsOf = (name: DurationOption): Milliseconds => toMilliseconds(options[name] ?? rules[name].preset)
  const accessTokenLifetime = millisecondsOf('accessTokenLifetime')
  return {
    accessTokenLifetime,
    accessTokenJitter: options[exactLifetimes] === true ? 0 : 0.2,
    idleTimeout: millisecondsOf('idleTimeout'),
    absoluteTimeout: options.absoluteTimeout === undefined ? null : toMilliseconds(options.absoluteTimeout),
    reuseInterval: reuseIntervalOf(options, accessTokenLifetime),
    maxSessionsPerUser: options.maxSessionsPerUser ?? null,
    theft: options.theft ?? rules.theft.preset,
    sharedRefresh: options.sharedRefresh ?? rules.sharedRefresh.preset,
    blacklisting: options.accessTokenBlacklisting ?? rules.accessTokenBlacklisting.preset,
    maxStaleness: millisecondsOf('maxStaleness'),
    pollInterval: millisecondsOf('pollInterval'),
    onStoreFailure: options.onStoreFailure ?? rules.onStoreFailure.preset,
    tokenCacheSize: options.tokenCacheSize ?? rules.tokenCacheSize.preset,
    maxSessionInfoBytes: options.maxSessionInfoBytes ?? rules.maxSessionInfoBytes.preset,
    keyRotationInterval: millisecondsOf('keyRotationInterval'),
  }
}

/** The options that are times with a default. */
type DurationOption =
  | 'accessTokenLifetime' | 'idleTimeout' | 'maxStaleness' | 'pollInterval' | 'keyRotationInterval'

/** A default is reduced to the longest that the access token's lifetime allows; what was chosen is refused. */
function reuseIntervalOf({ reuseInterval }: PolicyOptions, accessTokenLifetime: Milliseconds): Milliseconds {
  const preset = toMilliseconds(rules.reuseInterval.preset)
  if (reuseInterval === undefined) return boundedReuseInterval(preset, accessTokenLifetime)
  const asked = toMilliseconds(reuseInterval)
  if (asked <= accessTokenLifetime / 5) return asked
  const fifth = `${accessTokenLifetime / 5 / SECOND} seconds, a fifth of accessTokenLifetime`
  return refuse('reuseInterval', `at most ${fifth}, unless accessTokenLifetime is raised`, reuseInterval)
}

/**
 * The reuse interval of a session whose access tokens live so long: at most a fifth of that. The shortest of them lives
 * four fifths, and the windows of one rotation (4R) must be over when it expires. Pure.
 */
function boundedReuseInterval(reuseInterval: Milliseconds, accessTokenLifetime: Milliseconds): Milliseconds {
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

/** What names a tenant. */
export const tenantIdRule: Rule<string, undefined> = text('1 to 64 lower-case letters, digits and hyphens', TENANT_ID)

/** What the options of a new session accept. */
export const newSessionRules: RulesFor<NewSessionOptions> = {
  persistent: withDefault(true, flag),
  accessTokenLifetime: duration(1, DAY),
  idleTimeout: duration(1, 400 * DAY),
  absoluteTimeout: duration(1, 100 * YEAR),
  tenantId: withDefault('public', tenantIdRule),
}

/** The lifetimes of one session: its own where they are shorter, the policy's otherwise. */
export interface Lifetimes {
  readonly accessTokenLifetime: Milliseconds
  readonly reuseInterval: Milliseconds
  readonly idleTimeout: Milliseconds
  readonly absoluteExpiry: EpochMilliseconds | null
}

/** Resolves the lifetimes of a session that starts at `now`. Pure. @throws GeneralError (`MISUSE`) for a wrong one. */
export function lifetimesOf(options: NewSessionOptions, policy: SessionPolicy, now: EpochMilliseconds): Lifetimes {
  checkValues(newSessionRules, options)
  const absolute = shorter(options.absoluteTimeout, policy.absoluteTimeout)
  const accessTokenLifetime = shorter(options.accessTokenLifetime, policy.accessTokenLifetime)
  return {
    accessTokenLifetime,
    reuseInterval: boundedReuseInterval(policy.reuseInterval, accessTokenLifetime),
    idleTimeout: shorter(options.idleTimeout, policy.idleTimeout),
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
export function activeBounds(now: EpochMilliseconds, policy: SessionPolicy): ActiveBounds {
  return {
    now,
    rotatedAfter: now - policy.idleTimeout,
    createdAfter: policy.absoluteTimeout === null ? -1 : now - policy.absoluteTimeout,
  }
}

/** Whether the session is within those bounds. Pure; stores apply the same comparison. */
export function isActive(
  record: Pick<SessionRecord, 'expiresAt' | 'rotatedAt' | 'createdAt'>,
  bounds: ActiveBounds,
): boolean {
  return record.expiresAt > bounds.now
    && record.rotatedAt > bounds.rotatedAfter
    && record.createdAt > bounds.createdAfter
}

function shorter(asked: Duration | undefined, most: Milliseconds): Milliseconds
function shorter(asked: Duration | undefined, most: Milliseconds | null): Milliseconds | null
function shorter(asked: Duration | undefined, most: Milliseconds | null): Milliseconds | null {
  if (asked === undefined) return most
  const limit = toMilliseconds(asked)
  return most === null ? limit : Math.min(limit, most)
}
