import type { Host } from '../base/host.ts'
import type { Clock } from '../base/time.ts'
import type { Crypto } from './crypto.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import type { KeyPolicy, SigningKeyRequest } from './plan-rotation.ts'
import type { ApplicationIdentity } from './refresh-token.ts'

/** What a key ring provider needs. */
export interface KeyRingProviderDependencies {
  readonly store: KeyStore
  /** Default: one where promises outlive requests. */
  readonly host?: Host
  readonly crypto: Crypto
  readonly clock: Clock
  /** A random number from 0 to 1. */
  readonly random: () => number
  /** Updates the clock's offset. Called whenever the keys are read, because they depend on the time. */
  readonly learnTime: () => Promise<void>
  /**
   * The signing keys that are needed, one for each purpose. Keys of other purposes in the store are of other kinds of
   * processes. Keys of another algorithm still verify until they are removed.
   */
  readonly keyRequests: readonly SigningKeyRequest[]
  /** The application whose refresh tokens are accepted. */
  readonly application: ApplicationIdentity
  /** When keys are added and removed. */
  readonly keyPolicy: KeyPolicy
  /** The first encrypts the keys in the store, any decrypts them. If there is none, they are not encrypted (ST-02). */
  readonly secrets: readonly string[]
  /** Called after this process has added a key. */
  readonly onRotated: (key: StoredKey) => void
  /** Called when no refresh key of the ring is in the store any more: all sessions have ended (REV-03). */
  readonly onSessionsEnded: () => void
  /** Called when background work failed. The key ring in memory stays in use. */
  readonly onError: (error: unknown) => void
}
