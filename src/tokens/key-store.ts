import type { EpochMilliseconds } from '../base/time.ts'
import type { SignatureAlgorithm } from './crypto.ts'

/**
 * What a signing key signs. `access`: access tokens of the library's format. `core-dynamic`: access tokens of CDI.
 * `core-static`: tokens of CDI that may be valid for longer than any access token.
 */
export type SigningPurpose = 'access' | 'core-dynamic' | 'core-static'

/** What a key is for: signing, or deriving and authenticating refresh tokens. Never both (TOK-07). */
export type KeyPurpose = SigningPurpose | 'refresh'

/**
 * Every purpose of a stored key, in the order in which keys are added and replaced. Refresh keys come first, because
 * every kind of process has them. If several processes start on an empty store at once, one adds the first key, and
 * whether that key is encrypted decides for all (S-04).
 */
export const keyPurposes: readonly KeyPurpose[] = ['refresh', 'access', 'core-dynamic', 'core-static']

/** What depends on the purpose of a signing key. */
interface SigningRules {
  /** The `typ` in the header of its tokens (TOK-07). */
  readonly typ: string
  /** The `kid` under which verifiers find it. */
  readonly publicKid: (key: Pick<StoredKey, 'kid' | 'createdAt'>) => string
  /** Whether newer keys replace it. The tokens of a key that is never replaced may be valid for decades. */
  readonly rotates: boolean
}

/** The `typ` of access tokens (RFC 9068 section 2.1, TOK-07). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** What depends on the purpose of a signing key, for each purpose. */
export const signingRules: Readonly<Record<SigningPurpose, SigningRules>> = {
  'access': { typ: ACCESS_TOKEN_TYPE, publicKid: key => key.kid, rotates: true },
  'core-dynamic': { typ: 'JWT', publicKid: key => `d-${key.createdAt}`, rotates: true },
  'core-static': { typ: 'JWT', publicKid: key => `s-${key.kid}`, rotates: false },
}

/** Whether newer keys replace keys of this purpose. */
export function rotates(purpose: KeyPurpose): boolean {
  return purpose === 'refresh' || signingRules[purpose].rotates
}

/** A key in the store. */
export interface StoredKey {
  /** The id of the key: 16 characters of base64url, unique. Public. */
  readonly kid: string
  /** What the key is for. */
  readonly purpose: KeyPurpose
  /** The signature algorithm of an access key; `HMAC-SHA-256` for a refresh key. */
  readonly algorithm: SignatureAlgorithm | 'HMAC-SHA-256'
  /** When the key was created, in milliseconds since 1970. */
  readonly createdAt: EpochMilliseconds
  /**
   * When it may first be used. Later than `createdAt`, so that every verifier knows it before its first use (TOK-20).
   */
  readonly activeFrom: EpochMilliseconds
  /** The key material: encrypted if the application has a secret, JSON otherwise (ST-02). */
  readonly material: string
}

/** The store of the keys. Part of the port `SessionStore`: one database contains both. */
export interface KeyStore {
  /** Lists every key, by `activeFrom`, the oldest first. */
  listKeys(): Promise<readonly StoredKey[]>
  /**
   * Adds the key if the newest key of its purpose (by `activeFrom`) is still `newest`, or if there is none and `newest`
   * is null. Of processes that try at once, exactly one gets `true` (TOK-20).
   */
  addKeyIfNewest(key: StoredKey, newest: string | null): Promise<boolean>
  /** Replaces the material of a key if it is still `current`, to encrypt it again. False if it was not. */
  replaceKeyMaterial(kid: string, current: string, next: string): Promise<boolean>
  /**
   * Removes a key, and appends a `keys` change that is kept until `until`, so that every process drops the key at once.
   * False if there was no such key.
   */
  removeKey(kid: string, until: EpochMilliseconds): Promise<boolean>
}
