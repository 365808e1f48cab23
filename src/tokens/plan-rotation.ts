import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SignatureAlgorithm } from './crypto.ts'
import { rotates } from './key-store.ts'
import type { KeyPurpose, SigningPurpose, StoredKey } from './key-store.ts'

/** How keys come and go. */
export interface KeyPolicy {
  /** How long a signing key signs. */
  readonly accessKeyLifetime: Milliseconds
  /** How long a refresh key writes new refresh tokens. */
  readonly refreshKeyLifetime: Milliseconds
  /** How long before its first use a key is published, so that every process has read it by then (TOK-20). */
  readonly publicationLead: Milliseconds
  /** How long after its last use a signing key still verifies. */
  readonly accessKeyRetention: Milliseconds
  /**
   * How long after its last use a refresh key is accepted: as long as a session that was last refreshed with it can
   * live, and not longer (S-02).
   */
  readonly refreshKeyRetention: Milliseconds
}

/** What the policy of keys follows from: part of an application's session policy. */
export interface KeyPolicyInput {
  /** How long a signing key signs before the next one does. */
  readonly keyRotationInterval: Milliseconds
  /** How long a session lives without a refresh, at most 400 days. */
  readonly idleTimeout: Milliseconds
  /** How long a session lives at all; null: without limit. */
  readonly absoluteTimeout: Milliseconds | null
}

const MINUTE: Milliseconds = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * How long before its first use a key is published, in every policy: longer than any verifier keeps the keys it has
 * read. Keys can not be rotated more often.
 */
export const PUBLICATION_LEAD: Milliseconds = HOUR

/** How long any access token can live: the most that can be configured. */
export const LONGEST_ACCESS_TOKEN_LIFETIME: Milliseconds = DAY

/** How long any session can live without a refresh: the most that can be configured. */
export const LONGEST_IDLE_TIMEOUT: Milliseconds = 400 * DAY

/** For clocks that disagree: how much longer than the tokens that they concern changes and refresh keys are kept. */
export const CLOCK_MARGIN: Milliseconds = 10 * MINUTE

/** How long a change stays in the log that concerns access tokens of any lifetime. */
export const LONGEST_RETENTION: Milliseconds = LONGEST_ACCESS_TOKEN_LIFETIME + CLOCK_MARGIN

/** How long a signing key signs unless the application says otherwise. */
export const KEY_ROTATION_INTERVAL: Milliseconds = 7 * DAY

/**
 * The policy of an application. However often signing keys are rotated, every key is published as long before its use,
 * and verifies as long after it, so that the validities of two keys always overlap by more than a token lives (TOK-20).
 */
export function createKeyPolicy({ keyRotationInterval, idleTimeout, absoluteTimeout }: KeyPolicyInput): KeyPolicy {
  return {
    accessKeyLifetime: keyRotationInterval,
    refreshKeyLifetime: 90 * DAY,
    publicationLead: PUBLICATION_LEAD,
    // Not the configured lifetime: tokens that were issued under a longer one survive its change.
    accessKeyRetention: LONGEST_ACCESS_TOKEN_LIFETIME + MINUTE,
    refreshKeyRetention: Math.min(idleTimeout, absoluteTimeout ?? idleTimeout) + CLOCK_MARGIN,
  }
}

/** Which keys a plan is for, and what they must be. */
export interface KeyDemand {
  readonly purpose: KeyPurpose
  readonly algorithm: StoredKey['algorithm']
}

/** Which signing keys are needed. */
export interface SigningDemand extends KeyDemand {
  readonly purpose: SigningPurpose
  readonly algorithm: SignatureAlgorithm
  /** Whether the keys that are there decide the algorithm instead, where there are any. */
  readonly yields?: boolean
}

/** Where a key is to be added: on top of `newest`, if that is still the newest of its purpose. */
export interface KeyPlace {
  readonly activeFrom: EpochMilliseconds
  /** Null: there is none of its purpose. */
  readonly newest: string | null
}

export type RotationPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'add' } & KeyPlace

const keep: RotationPlan = { kind: 'keep' }

/**
 * Whether a key must be added now. The first is active at once; every later one is published before its use.
 * A change of the algorithm does not wait for the lifetime of the key in force. Pure.
 */
export function planRotation(
  keys: readonly StoredKey[],
  demand: KeyDemand,
  now: EpochMilliseconds,
  policy: KeyPolicy,
): RotationPlan {
  const newest = newestOf(keys, demand.purpose)
  if (newest === null) return { kind: 'add', activeFrom: now, newest: null }
  // One key at a time: processes that are configured differently during a roll-out must not outbid each other.
  if (newest.activeFrom > now) return keep
  const lifetime = lifetimeOf(demand.purpose, policy)
  const due = newest.algorithm === demand.algorithm ? newest.activeFrom + lifetime : now
  const earliest = now + policy.publicationLead
  return due > earliest ? keep : { kind: 'add', activeFrom: earliest, newest: newest.kid }
}

/** A key now, whatever the one in force: published first and used later, as any other. Pure. */
export function planEarlyRotation(
  keys: readonly StoredKey[],
  purpose: KeyPurpose,
  now: EpochMilliseconds,
): KeyPlace {
  const newest = newestOf(keys, purpose)
  if (newest === null) return { activeFrom: now, newest: null }
  return { activeFrom: Math.max(now + PUBLICATION_LEAD, newest.activeFrom + 1), newest: newest.kid }
}

/**
 * The keys that a process accepts: what a key further back issued has expired by the process's own policy. Pure.
 */
export function acceptedKeys(
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  policy: KeyPolicy,
): readonly StoredKey[] {
  return keys.filter(key => !isOutlived(key, keys, now, retentionOf(key.purpose, policy)))
}

/**
 * The keys that can be removed from the store, because what they issued has expired by every policy that can be
 * configured. Not by this process's alone: another process, or an earlier configuration that is rolled back to, may
 * have a longer idle timeout. Pure.
 */
export function retiredKeys(
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  policy: KeyPolicy,
): readonly StoredKey[] {
  const longest = { ...policy, refreshKeyRetention: LONGEST_IDLE_TIMEOUT + CLOCK_MARGIN }
  return keys.filter(key => isOutlived(key, keys, now, retentionOf(key.purpose, longest)))
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

function lifetimeOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  if (!rotates(purpose)) return Number.POSITIVE_INFINITY
  return purpose === 'refresh' ? policy.refreshKeyLifetime : policy.accessKeyLifetime
}

function retentionOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  if (!rotates(purpose)) return Number.POSITIVE_INFINITY
  return purpose === 'refresh' ? policy.refreshKeyRetention : policy.accessKeyRetention
}

/** What a new key must be: as demanded, or as the newest of its purpose where the demand yields to it. Pure. */
export function settleDemand(keys: readonly StoredKey[], demand: KeyDemand & { readonly yields?: boolean }): KeyDemand {
  const { purpose, algorithm } = demand
  const newest = demand.yields === true ? newestOf(keys, purpose) : null
  return { purpose, algorithm: newest?.algorithm ?? algorithm }
}

function newestOf(keys: readonly StoredKey[], purpose: KeyPurpose): StoredKey | null {
  let newest: StoredKey | null = null
  for (const key of keys) {
    if (key.purpose === purpose && (newest === null || isNewer(key, newest))) newest = key
  }
  return newest
}

function isNewer(left: StoredKey, right: StoredKey): boolean {
  return left.activeFrom > right.activeFrom || (left.activeFrom === right.activeFrom && left.kid > right.kid)
}
