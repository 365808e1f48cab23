import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { isEncrypted } from './encryption.ts'
import { newestFirst } from './key-ring.ts'
import type { SigningPurpose, StoredKey } from './key-store.ts'
import { keyLifetimeOf } from './plan-rotation.ts'
import type { KeyPolicy } from './plan-rotation.ts'

/** What monitoring may know of the keys of a store. */
export interface KeyStatus {
  /** The signing keys of one purpose, the newest first. One that is not used yet is published already. */
  readonly signing: readonly SigningKeyStatus[]
  /** How long each of them signs. */
  readonly lifetime: Milliseconds
  /** The number of keys, of all purposes. */
  readonly count: number
  /** Whether all are encrypted at rest. */
  readonly areEncrypted: boolean
}

/** A signing key without its material. */
export interface SigningKeyStatus {
  readonly kid: string
  readonly activeFrom: EpochMilliseconds
}

/** Describes the keys of a store, without their material. Pure. */
export function describeKeys(keys: readonly StoredKey[], purpose: SigningPurpose, policy: KeyPolicy): KeyStatus {
  const signing = keys.filter(key => key.purpose === purpose).map(({ kid, activeFrom }) => ({ kid, activeFrom }))
  return {
    signing: newestFirst(signing),
    lifetime: keyLifetimeOf(purpose, policy),
    count: keys.length,
    areEncrypted: keys.every(isEncrypted),
  }
}
