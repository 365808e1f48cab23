import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SignatureAlgorithm } from './crypto.ts'
import { rotates } from './key-store.ts'
import type { KeyPurpose, SigningPurpose, StoredKey } from './key-store.ts'

/** When keys are added, used and removed. */
export interface KeyPolicy {
  /** How long a signing key signs. */
  readonly accessKeyLifetime: Milliseconds
  /** How long a refresh key issues refresh tokens. */
  readonly refreshKeyLifetime: Milliseconds
  /** How long a key is published before its first use, so that every process has read it by then (TOK-20). */
  readonly publicationLead: Milliseconds
  /** How long a signing key still verifies after its last use. */
  readonly accessKeyRetention: Milliseconds
  /**
   * How long a refresh key is accepted after its last use: as long as a session that was last refreshed with it can be
   * active, and not longer (S-02).
   */
  readonly refreshKeyRetention: Milliseconds
}

/** The part of an application's session policy that the key policy depends on. */
export interface KeyPolicyInput {
  /** How long a signing key signs before the next one replaces it. */
  readonly keyRotationInterval: Milliseconds
  /** How long a session stays active without a refresh, at most 400 days. */
  readonly idleTimeout: Milliseconds
  /** How long a session can be active in total; null: no limit. */
  readonly absoluteTimeout: Milliseconds | null
}

const MINUTE: Milliseconds = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * How long a key is published before its first use, in every policy: longer than any verifier caches keys. Keys cannot
 * be rotated more often.
 */
export const PUBLICATION_LEAD: Milliseconds = HOUR

/** The longest access token lifetime that can be configured. */
export const LONGEST_ACCESS_TOKEN_LIFETIME: Milliseconds = DAY

/** The longest idle timeout that can be configured. */
export const LONGEST_IDLE_TIMEOUT: Milliseconds = 400 * DAY

/** How much longer than their tokens changes and refresh keys are kept, because clocks differ. */
export const CLOCK_MARGIN: Milliseconds = 10 * MINUTE

/** How long a change that concerns access tokens of any lifetime stays in the log. */
export const LONGEST_RETENTION: Milliseconds = LONGEST_ACCESS_TOKEN_LIFETIME + CLOCK_MARGIN

/** How long a signing key signs, by default. */
export const KEY_ROTATION_INTERVAL: Milliseconds = 7 * DAY

/**
 * The key policy of an application. The rotation interval does not change how long a key is published before its use
 * and verifies after it. So two keys always overlap for longer than a token's lifetime (TOK-20).
 */
export function createKeyPolicy({ keyRotationInterval, idleTimeout, absoluteTimeout }: KeyPolicyInput): KeyPolicy {
  return {
    accessKeyLifetime: keyRotationInterval,
    refreshKeyLifetime: 90 * DAY,
    publicationLead: PUBLICATION_LEAD,
    // Not the configured lifetime: tokens that were issued with a longer one stay valid when it is lowered.
    accessKeyRetention: LONGEST_ACCESS_TOKEN_LIFETIME + MINUTE,
    refreshKeyRetention: Math.min(idleTimeout, absoluteTimeout ?? idleTimeout) + CLOCK_MARGIN,
  }
}

/** Which keys are needed: their purpose and algorithm. */
export interface KeyRequest {
  readonly purpose: KeyPurpose
  readonly algorithm: StoredKey['algorithm']
}

/** Which signing keys are needed. */
export interface SigningKeyRequest extends KeyRequest {
  readonly purpose: SigningPurpose
  readonly algorithm: SignatureAlgorithm
  /** Whether the algorithm of existing keys is used instead, if there are any. */
  readonly keepsAlgorithm?: boolean
}

/** The condition for adding a key: `newest` must still be the newest of its purpose. */
export interface KeyPlace {
  readonly activeFrom: EpochMilliseconds
  /** The id of the newest key; null: there is none of this purpose. */
  readonly newest: string | null
}

export type RotationPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'add' } & KeyPlace

const keep: RotationPlan = { kind: 'keep' }

/**
 * Whether a key must be added now. The first key is active at once; every later one is published before its use. If the
 * algorithm was changed, a key is added before the lifetime of the current one is over. Pure.
 */
export function planRotation(
  keys: readonly StoredKey[],
  keyRequest: KeyRequest,
  now: EpochMilliseconds,
  policy: KeyPolicy,
): RotationPlan {
  const newest = newestOf(keys, keyRequest.purpose)
  if (newest === null) return { kind: 'add', activeFrom: now, newest: null }
  // One key at a time: processes with different configurations, as during a roll-out, must not add keys alternately.
  if (newest.activeFrom > now) return keep
  const lifetime = keyLifetimeOf(keyRequest.purpose, policy)
  const due = newest.algorithm === keyRequest.algorithm ? newest.activeFrom + lifetime : now
  const earliest = now + policy.publicationLead
  return due > earliest ? keep : { kind: 'add', activeFrom: earliest, newest: newest.kid }
}

/** Plans a key now, regardless of the age of the current one. It is published before its use, as any other. Pure. */
export function planEarlyRotation(
  keys: readonly StoredKey[],
  purpose: KeyPurpose,
  now: EpochMilliseconds,
): KeyPlace {
  const newest = newestOf(keys, purpose)
  if (newest === null) return { activeFrom: now, newest: null }
  return { activeFrom: Math.max(now + PUBLICATION_LEAD, newest.activeFrom + 1), newest: newest.kid }
}

/** The most keys of one purpose that rotations on request add to a store. */
export const MAX_KEYS = 32

/**
 * The key that a rotation on request returns instead of adding another one: the newest of its purpose if it is
 * published and not used yet, or if there are {@link MAX_KEYS} already. So any number of requests adds few keys. Pure.
 */
export function planRepetition(
  keys: readonly StoredKey[],
  purpose: KeyPurpose,
  now: EpochMilliseconds,
): StoredKey | null {
  const newest = newestOf(keys, purpose)
  if (newest === null) return null
  const isFull = keys.filter(key => key.purpose === purpose).length >= MAX_KEYS
  return newest.activeFrom > now || isFull ? newest : null
}

/**
 * The keys that a process accepts. All tokens of older keys have expired by the process's own policy. Pure.
 */
export function acceptedKeys(
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  policy: KeyPolicy,
): readonly StoredKey[] {
  return keys.filter(key => !isOutlived(key, keys, now, retentionOf(key.purpose, policy)))
}

/**
 * The keys that can be removed from the store, because all of their tokens have expired by every policy that can be
 * configured. The policy of this process is not enough: another process, or a configuration that is rolled back to, may
 * have a longer idle timeout. Pure.
 */
export function retiredKeys(
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  policy: KeyPolicy,
): readonly StoredKey[] {
  return keys.filter(key => isOutlived(key, keys, now, longestRetentionOf(key.purpose, policy)))
}

/**
 * When a key can be removed from the store, as {@link retiredKeys} decides; null as long as no newer key of its purpose
 * exists, or if keys of its purpose are kept for ever. Pure.
 */
export function retiresAt(
  key: StoredKey,
  keys: readonly StoredKey[],
  policy: KeyPolicy,
): EpochMilliseconds | null {
  const retention = longestRetentionOf(key.purpose, policy)
  const newer = keys.filter(other => other.purpose === key.purpose && isNewer(other, key))
  if (newer.length === 0 || retention === Number.POSITIVE_INFINITY) return null
  return Math.min(...newer.map(({ activeFrom }) => activeFrom)) + retention
}

/** How long a key must stay in the store, so that every process with any policy can read its tokens. */
function longestRetentionOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  return retentionOf(purpose, { ...policy, refreshKeyRetention: LONGEST_IDLE_TIMEOUT + CLOCK_MARGIN })
}

/** Whether a newer key of the same purpose has been in use for longer than `retention`. */
function isOutlived(
  key: StoredKey,
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  retention: Milliseconds,
): boolean {
  return keys.some(other => (
    other.purpose === key.purpose && isNewer(other, key) && other.activeFrom + retention <= now
  ))
}

/** How long a key of the purpose issues tokens. */
export function keyLifetimeOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  if (!rotates(purpose)) return Number.POSITIVE_INFINITY
  return purpose === 'refresh' ? policy.refreshKeyLifetime : policy.accessKeyLifetime
}

function retentionOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  if (!rotates(purpose)) return Number.POSITIVE_INFINITY
  return purpose === 'refresh' ? policy.refreshKeyRetention : policy.accessKeyRetention
}

/** The key to add: of the requested algorithm, or with `keepsAlgorithm` of the newest key's. Pure. */
export function resolveKeyRequest(
  keys: readonly StoredKey[],
  { purpose, algorithm, keepsAlgorithm = false }: KeyRequest & Pick<SigningKeyRequest, 'keepsAlgorithm'>,
): KeyRequest {
  const newest = keepsAlgorithm ? newestOf(keys, purpose) : null
  return { purpose, algorithm: newest?.algorithm ?? algorithm }
}

/** The newest key of a purpose: the one that signs from its `activeFrom` on. Pure. */
export function newestOf(keys: readonly StoredKey[], purpose: KeyPurpose): StoredKey | null {
  let newest: StoredKey | null = null
  for (const key of keys) {
    if (key.purpose === purpose && (newest === null || isNewer(key, newest))) newest = key
  }
  return newest
}

function isNewer(left: StoredKey, right: StoredKey): boolean {
  return left.activeFrom > right.activeFrom || (left.activeFrom === right.activeFrom && left.kid > right.kid)
}
