import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { KeyPurpose, StoredKey } from './key-store.ts'

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
  /** How long after its last use a refresh key still verifies: longer than any session can be idle. */
  readonly refreshKeyRetention: Milliseconds
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

/** How much longer than the access tokens that it concerns a change stays in the log: for clocks that disagree. */
export const CHANGE_MARGIN: Milliseconds = 10 * MINUTE

/** How long a change stays in the log that concerns access tokens of any lifetime. */
export const LONGEST_RETENTION: Milliseconds = LONGEST_ACCESS_TOKEN_LIFETIME + CHANGE_MARGIN

/** How long a signing key signs unless the application says otherwise. */
export const KEY_ROTATION_INTERVAL: Milliseconds = 7 * DAY

/**
 * The policy of an application whose signing keys each sign for `rotationInterval`. Nothing else follows from it: every
 * key is published as long before its use, and verifies as long after it, however often keys are rotated. So the
 * validities of two keys always overlap by more than a token lives (TOK-20).
 */
export function createKeyPolicy(rotationInterval: Milliseconds): KeyPolicy {
  return {
    accessKeyLifetime: rotationInterval,
    refreshKeyLifetime: 90 * DAY,
    publicationLead: PUBLICATION_LEAD,
    // Not the configured lifetime: tokens that were issued under a longer one survive its change.
    accessKeyRetention: LONGEST_ACCESS_TOKEN_LIFETIME + MINUTE,
    refreshKeyRetention: 400 * DAY,
  }
}

/** Which keys a plan is for, and what they must be. */
export interface KeyDemand {
  readonly purpose: KeyPurpose
  readonly algorithm: StoredKey['algorithm']
}

export type RotationPlan =
  | { readonly kind: 'keep' }
  /** Add a key, if `newest` is still the newest of its purpose. */
  | { readonly kind: 'add'; readonly activeFrom: EpochMilliseconds; readonly newest: string | null }

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
): { readonly activeFrom: EpochMilliseconds; readonly newest: string | null } {
  const newest = newestOf(keys, purpose)
  if (newest === null) return { activeFrom: now, newest: null }
  return { activeFrom: Math.max(now + PUBLICATION_LEAD, newest.activeFrom + 1), newest: newest.kid }
}

/** The names of the keys that nothing which is still alive can need. Pure. */
export function retiredKeys(
  keys: readonly StoredKey[],
  now: EpochMilliseconds,
  policy: KeyPolicy,
): readonly string[] {
  return keys.filter(key => {
    const retention = retentionOf(key.purpose, policy)
    return keys.some(other => (
      other.purpose === key.purpose && isNewer(other, key) && other.activeFrom + retention <= now
    ))
  }).map(key => key.kid)
}

function lifetimeOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  switch (purpose) {
    case 'access':
    case 'core-dynamic':
      return policy.accessKeyLifetime
    case 'refresh':
      return policy.refreshKeyLifetime
    case 'core-static':
      return Number.POSITIVE_INFINITY
  }
}

function retentionOf(purpose: KeyPurpose, policy: KeyPolicy): Milliseconds {
  switch (purpose) {
    case 'access':
    case 'core-dynamic':
      return policy.accessKeyRetention
    case 'refresh':
      return policy.refreshKeyRetention
    // What it signs may be valid for decades.
    case 'core-static':
      return Number.POSITIVE_INFINITY
  }
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
