import type { EpochMilliseconds } from '../base/time.ts'
import type { SignatureAlgorithm } from './crypto.ts'

/**
 * What a signing key signs: access tokens of the library's format, access tokens of the core protocol, or what is valid
 * for longer than any access token.
 */
export type SigningPurpose = 'access' | 'core-dynamic' | 'core-static'

/** What a key is for: signing, or deriving and authenticating refresh tokens. Never both (TOK-07). */
export type KeyPurpose = SigningPurpose | 'refresh'

/**
 * Every purpose that a stored key can have, in the order in which keys are added and replaced. Refresh keys come first
 * because every kind of process has them: of processes that start on an empty store at once, one adds the first key,
 * and whether that is encrypted decides for all (S-04).
 */
export const keyPurposes: readonly KeyPurpose[] = ['refresh', 'access', 'core-dynamic', 'core-static']

/** What follows from what a signing key signs. */
interface SigningRules {
  /** The `typ` in the header of what it signs (TOK-07). */
  readonly typ: string
  /** The `kid` under which verifiers find it. */
  readonly publicKid: (key: Pick<StoredKey, 'kid' | 'createdAt'>) => string
  /** Whether a new key takes over in time. What a key signs that never does may be valid for decades. */
  readonly rotates: boolean
}

/** The `typ` of access tokens (RFC 9068 section 2.1, TOK-07). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** What follows from the purpose of a signing key. */
export const signingRules: Readonly<Record<SigningPurpose, SigningRules>> = {
  'access': { typ: ACCESS_TOKEN_TYPE, publicKid: key => key.kid, rotates: true },
  'core-dynamic': { typ: 'JWT', publicKid: key => `d-${key.createdAt}`, rotates: true },
  'core-static': { typ: 'JWT', publicKid: key => `s-${key.kid}`, rotates: false },
}

/** Whether keys of this purpose give way to newer ones. */
export function rotates(purpose: KeyPurpose): boolean {
  return purpose === 'refresh' || signingRules[purpose].rotates
}

/** A key as the store keeps it. */
export interface StoredKey {
  /** Names the key: 16 characters of base64url, unique. Public. */
  readonly kid: string
  readonly purpose: KeyPurpose
  /** The signature algorithm of an access key; `HMAC-SHA-256` for a refresh key. */
  readonly algorithm: SignatureAlgorithm | 'HMAC-SHA-256'
  readonly createdAt: EpochMilliseconds
  /**
   * From when on it may sign: later than `createdAt`, so that every verifier knows it before its first use (TOK-20).
   */
  readonly activeFrom: EpochMilliseconds
  /** The key itself: encrypted if the application has a secret, JSON otherwise (ST-02). */
  readonly material: string
}

/** Where keys are kept. Part of the store port: the application's database holds both. */
export interface KeyStore {
  /** Every key, oldest `activeFrom` first. */
  listKeys(): Promise<readonly StoredKey[]>
  /**
   * Adds the key if the newest key of its purpose (by `activeFrom`) is still `newest`, or if there is none
   * and `newest` is null. Among processes that try at once exactly one gets `true` (TOK-20).
   */
  addKeyIfNewest(key: StoredKey, newest: string | null): Promise<boolean>
  /** Replaces the material of a key if it is still `current`: how keys are encrypted anew. False if it was not. */
  replaceKeyMaterial(kid: string, current: string, next: string): Promise<boolean>
  /**
   * Removes a key and appends a `keys` change that is kept until `until`, so that every process drops
   * the key at once. False if there was none.
   */
  removeKey(kid: string, until: EpochMilliseconds): Promise<boolean>
}
