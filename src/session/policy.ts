import { decodeBase64url } from '../base/base64url.ts'
import { duration, toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import { checkValues, explicit, flag, number, oneOf, refuse, text, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import { toEpochSeconds } from '../base/time.ts'
import type { EpochMilliseconds, EpochSeconds, Milliseconds } from '../base/time.ts'
import { CLOCK_MARGIN, KEY_ROTATION_INTERVAL, LONGEST_IDLE_TIMEOUT, PUBLICATION_LEAD } from '../tokens/plan-rotation.ts'
import type { Blacklisting, NewSessionOptions } from './core.ts'
import type { SessionRecord } from './record.ts'
import type { ActiveBounds, NotBefore } from './store.ts'
import { TENANT_ID } from './identifiers.ts'

/** The policy of sessions, created once from the application's options. Times are in milliseconds. */
export interface SessionPolicy {
  readonly accessTokenLifetime: Milliseconds
  /**
   * The largest random part by which an access token's lifetime is shortened, so that an attacker cannot predict when a
   * client refreshes.
   */
  readonly accessTokenJitter: number
  readonly idleTimeout: Milliseconds
  readonly absoluteTimeout: Milliseconds | null
  /** R: see {@link PolicyOptions.reuseInterval}. A session keeps the value it was created with. */
  readonly reuseInterval: Milliseconds
  readonly maxSessionsPerUser: number | null
  /** `observe` reports a theft and rejects the token, but does not revoke the session. For roll-outs. */
  readonly theft: 'revoke' | 'observe'
  /** What to do when a refresh token was delivered to two networks or user agents. */
  readonly sharedRefresh: 'revoke' | 'observe'
  readonly blacklisting: Blacklisting
  /** How old the revocation feed may be before verification reads the session from the store instead. */
  readonly maxStaleness: Milliseconds
  /** How often the revocation feed is polled, with or without notifications. */
  readonly pollInterval: Milliseconds
  /** What verification does when the feed is stale and the store fails. */
  readonly onStoreFailure: 'failOpen' | 'failClosed'
  /** The longest session data, in bytes of its JSON. */
  readonly maxSessionInfoBytes: number
  /** The most verified access tokens in the cache; 0 disables the cache. */
  readonly tokenCacheSize: number
  /** How long a signing key signs before the next one replaces it. */
  readonly keyRotationInterval: Milliseconds
}

/** The options that {@link SessionPolicy} is created from. */
export interface PolicyOptions {
  /** Validity of access tokens: from 1 second to 1 day; above a minute, up to 20 % less, at random. Default: 1 hour. */
  readonly accessTokenLifetime?: Duration
  /** How long a session stays active without a refresh: from 1 second to 400 days. Default: 100 days. */
  readonly idleTimeout?: Duration
  /** How long a session can be active in total: from 1 second to 36,500 days. Default: no limit. */
  readonly absoluteTimeout?: Duration
  /**
   * How long a refresh token may be used again after its first use: from 0 to 4.8 hours, and at most a fifth of
   * `accessTokenLifetime`. Default: 30 seconds, or a fifth of `accessTokenLifetime` if that is shorter.
   */
  readonly reuseInterval?: Duration
  /**
   * How many sessions a user may have in one tenant: from 1 to 1,000. A login beyond that revokes the oldest of that
   * user and tenant. Default: no limit.
   */
  readonly maxSessionsPerUser?: number
  /** What to do about token theft: `revoke` revokes the session, `observe` only reports it. Default: `revoke`. */
  readonly theft?: 'revoke' | 'observe'
  /**
   * What to do when a refresh token was delivered to two networks (/24, /48) or user agents: `observe` calls
   * `onRefreshShared`, `revoke` also revokes the session. Default: `observe`.
   */
  readonly sharedRefresh?: 'revoke' | 'observe'
  /**
   * How access tokens of revoked sessions are rejected: `strict` reads the session from the store for every request,
   * `feed` follows the change log, `off` accepts them until they expire. Default: `feed`.
   */
  readonly accessTokenBlacklisting?: Blacklisting
  /**
   * How old the revocation feed may be before verification reads sessions from the store: from 10 ms to 1 hour.
   * Default: 5 seconds.
   */
  readonly maxStaleness?: Duration
  /**
   * How often the revocation feed is polled: from 10 ms to 1 hour. On Cloudflare Workers and with `keepAlive`, where
   * each isolate polls, the default is half of `maxStaleness`. Default: 1 second.
   */
  readonly pollInterval?: Duration
  /**
   * What to do when the feed is stale and the store fails: `failOpen` accepts a valid access token without a revocation
   * check, `failClosed` responds with 503. Default: `failOpen`.
   */
  readonly onStoreFailure?: 'failOpen' | 'failClosed'
  /** The longest session data, in bytes of its JSON: from 2 to 16,777,215. Default: 65,536. */
  readonly maxSessionInfoBytes?: number
  /**
   * How many verified access tokens a process caches, so that their signatures are verified once: from 0 to 10,000,000.
   * Each takes 1 to 2 kB. Default: 10,000.
   */
  readonly tokenCacheSize?: number
  /**
   * How long a key signs access tokens before the next one replaces it: from 1 hour to 365 days. The next key is
   * published an hour before its first use, and the previous one verifies until all of its tokens have expired. If
   * processes have different intervals, the shortest counts. Default: 7 days.
   */
  readonly keyRotationInterval?: Duration
  /** Whether access token lifetimes are not shortened at random. For `keyturn/testing`. Default: false. */
  readonly [exactLifetimes]?: boolean
}

/** The name of the option that turns random shortening of access token lifetimes off, for tests. */
export const exactLifetimes: unique symbol = Symbol('keyturn.exactLifetimes')

const SECOND = 1000

/** How far ahead the clock of the process that issued an access token may be (ROT-12, TOK-09). */
export const CLOCK_TOLERANCE: Milliseconds = 60 * SECOND
const DAY = 86_400

/** Access token lifetimes are not shortened below this. */
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

/** The rules of the options of the session policy. */
export const policyRules: RulesFor<PolicyOptions> = rules

/**
 * Creates a policy from the options, for a host. Pure.
 * @throws GeneralError (`MISUSE`) that names an invalid option, its value and what it must be.
 */
export function createPolicy(
  options: PolicyOptions,
  { isLongLived }: Pick<Host, 'isLongLived'> = longLivedHost,
): SessionPolicy {
  checkValues(policyRules, options)
  const timeOf = (name: DurationOption): Milliseconds => toMilliseconds(options[name] ?? rules[name].defaultValue)
  const accessTokenLifetime = timeOf('accessTokenLifetime')
  const maxStaleness = timeOf('maxStaleness')
  return {
    accessTokenLifetime,
    accessTokenJitter: options[exactLifetimes] === true ? 0 : 0.2,
    idleTimeout: timeOf('idleTimeout'),
    absoluteTimeout: options.absoluteTimeout === undefined ? null : toMilliseconds(options.absoluteTimeout),
    reuseInterval: reuseIntervalOf(options, accessTokenLifetime),
    maxSessionsPerUser: options.maxSessionsPerUser ?? null,
    theft: options.theft ?? rules.theft.defaultValue,
    sharedRefresh: options.sharedRefresh ?? rules.sharedRefresh.defaultValue,
    blacklisting: options.accessTokenBlacklisting ?? rules.accessTokenBlacklisting.defaultValue,
    maxStaleness,
    pollInterval: isLongLived || options.pollInterval !== undefined ? timeOf('pollInterval') : maxStaleness / 2,
    onStoreFailure: options.onStoreFailure ?? rules.onStoreFailure.defaultValue,
    tokenCacheSize: options.tokenCacheSize ?? rules.tokenCacheSize.defaultValue,
    maxSessionInfoBytes: options.maxSessionInfoBytes ?? rules.maxSessionInfoBytes.defaultValue,
    keyRotationInterval: timeOf('keyRotationInterval'),
  }
}

/** The options that are durations with a default. */
type DurationOption =
  | 'accessTokenLifetime' | 'idleTimeout' | 'maxStaleness' | 'pollInterval' | 'keyRotationInterval'

/** Reduces the default to the maximum that the access token lifetime allows. Rejects a configured value above that. */
function reuseIntervalOf({ reuseInterval }: PolicyOptions, accessTokenLifetime: Milliseconds): Milliseconds {
  const defaultValue = toMilliseconds(rules.reuseInterval.defaultValue)
  if (reuseInterval === undefined) return boundedReuseInterval(defaultValue, accessTokenLifetime)
  const asked = toMilliseconds(reuseInterval)
  if (asked <= accessTokenLifetime / 5) return asked
  const fifth = `${accessTokenLifetime / 5 / SECOND} seconds, a fifth of accessTokenLifetime`
  return refuse('reuseInterval', `at most ${fifth}, unless accessTokenLifetime is raised`, reuseInterval)
}

/**
 * The reuse interval of a session with this access token lifetime: at most a fifth of it. The shortest access tokens
 * live four fifths of it, and the windows of one rotation (4R) must be over when they expire. Pure.
 */
function boundedReuseInterval(reuseInterval: Milliseconds, accessTokenLifetime: Milliseconds): Milliseconds {
  return Math.min(reuseInterval, Math.floor(accessTokenLifetime / 5))
}

/** The start of the time for which a change made at `now` is kept; an access token lifetime is added to it. */
export function changeStart(now: EpochMilliseconds): EpochMilliseconds {
  return now + CLOCK_MARGIN
}

/** The not-before that a revocation of all sessions of a user, or of all users, sets at `now`. */
export function notBeforeAt(now: EpochMilliseconds): NotBefore {
  return { time: now, until: now + LONGEST_IDLE_TIMEOUT }
}

/** The rule of a tenant id. */
export const tenantIdRule: Rule<string, undefined> = text('1 to 64 lower-case letters, digits and hyphens', TENANT_ID)

/** The rules of the options of a new session. */
export const newSessionRules: RulesFor<NewSessionOptions> = {
  persistent: withDefault(true, flag),
  accessTokenLifetime: duration(1, DAY),
  idleTimeout: duration(1, 400 * DAY),
  absoluteTimeout: duration(1, 100 * YEAR),
  tenantId: withDefault('public', tenantIdRule),
}

/** The lifetimes of one session: those of the login if they are shorter, otherwise those of the policy. */
export interface Lifetimes {
  readonly accessTokenLifetime: Milliseconds
  readonly reuseInterval: Milliseconds
  readonly idleTimeout: Milliseconds
  readonly absoluteExpiry: EpochMilliseconds | null
}

/** The lifetimes of a session created at `now`. Pure. @throws GeneralError (`MISUSE`) for an invalid option. */
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

/** When a session that was last refreshed at `rotatedAt` expires. Pure. */
export function expiryOf(
  rotatedAt: EpochMilliseconds,
  lifetimes: Pick<SessionRecord, 'idleTimeout' | 'absoluteExpiry'>,
): EpochMilliseconds {
  return Math.min(rotatedAt + lifetimes.idleTimeout, lifetimes.absoluteExpiry ?? Number.MAX_SAFE_INTEGER)
}

/**
 * The lifetime of one access token: shortened by a part that nobody can predict, but not below a minute. The hash of
 * the refresh token's secret chooses the part: it is as good as random, and unknown without that token. Pure.
 */
export function jitteredLifetime(
  { accessTokenLifetime: lifetime, refreshHash }: Pick<SessionRecord, 'accessTokenLifetime' | 'refreshHash'>,
  policy: Pick<SessionPolicy, 'accessTokenJitter'>,
): Milliseconds {
  const fraction = (decodeBase64url(refreshHash.slice(0, 4))?.[0] ?? 0) / 255
  return Math.max(Math.min(lifetime, SHORTEST_JITTERED), lifetime * (1 - policy.accessTokenJitter * fraction))
}

/**
 * When an access token issued at `now` expires: never after its session, and never in the same second. Pure.
 */
export function accessTokenExpiry(
  now: EpochMilliseconds,
  lifetime: Milliseconds,
  session: Pick<SessionRecord, 'expiresAt'>,
): EpochSeconds {
  return Math.max(toEpochSeconds(now) + 1, toEpochSeconds(Math.min(now + lifetime, session.expiresAt)))
}

/**
 * The bounds within which a session is active at `now`. Lowering a configured limit ends existing sessions (REV-05).
 */
export function activeBounds(now: EpochMilliseconds, policy: SessionPolicy): ActiveBounds {
  return {
    now,
    rotatedAfter: now - policy.idleTimeout,
    createdAfter: policy.absoluteTimeout === null ? -1 : now - policy.absoluteTimeout,
  }
}

/** Whether the session is within these bounds. Pure; stores apply the same comparison. */
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
