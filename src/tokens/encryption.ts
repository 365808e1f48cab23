import { GeneralError } from '../base/errors.ts'
import type { StoredKey } from './key-store.ts'

/** Why a process must not use the keys of a store or add others. */
export interface EncryptionFault {
  /**
   * - `secret-missing`: keys are encrypted, and the process has no secret.
   * - `unencrypted`: the process has a secret, and no key is encrypted.
   * - `mixed`: the process has a secret, and some keys are encrypted and others are not.
   */
  readonly kind: 'secret-missing' | 'unencrypted' | 'mixed'
  /** The keys that the process must not use. */
  readonly kids: readonly string[]
}

/** Whether a key is encrypted at rest. Unencrypted material is a JSON object, so it begins with a brace. */
export function isEncrypted({ material }: Pick<StoredKey, 'material'>): boolean {
  return !material.startsWith('{')
}

/**
 * Why a process must not use the keys of a store or add others; null if it may. It may if all keys are encrypted and
 * the process has a secret, or if no key is encrypted and it has none. So a process that lacks the secret never weakens
 * a store, and a key that an attacker writes into the store is not used (S-04). Pure.
 */
export function findEncryptionFault(keys: readonly StoredKey[], hasSecret: boolean): EncryptionFault | null {
  const encrypted = keys.filter(isEncrypted)
  const faulty = hasSecret ? keys.filter(key => !isEncrypted(key)) : encrypted
  if (faulty.length === 0) return null
  const kids = faulty.map(({ kid }) => kid)
  if (!hasSecret) return { kind: 'secret-missing', kids }
  return { kind: encrypted.length === 0 ? 'unencrypted' : 'mixed', kids }
}

const reasons: Readonly<Record<EncryptionFault['kind'], string>> = {
  'secret-missing': 'encrypted, and no secret is configured. Set `secret` (KEYTURN_SECRET) as in the other processes',
  unencrypted: 'not encrypted, and a secret is configured. Run `keyturn keys encrypt <url>` with the secret, once',
  mixed: 'not encrypted, but others are: an attacker may have added them. Remove each with '
    + '`keyturn keys retire <key>`. Only if `keyturn keys encrypt <url>` was interrupted, run it again with --finish',
}

/** The error for a fault; its message says what to do. */
export function encryptionError({ kind, kids }: EncryptionFault): GeneralError {
  return new GeneralError('MISUSE', `keys in the store cannot be used (${kids.join(', ')}): they are ${reasons[kind]}`,
    {
      reason: kind === 'secret-missing' ? 'keys-undecryptable' : 'keys-unencrypted',
  })
}

/**
 * Whether a key that this process has just added must be removed again, because another process has added encrypted
 * keys. Pure.
 */
export function mustRemoveAddedKey(added: StoredKey, keys: readonly StoredKey[]): boolean {
  return !isEncrypted(added) && keys.some(isEncrypted)
}

/** What `keyturn keys encrypt` must do. */
export type EncryptionPlan =
  | { readonly kind: 'encrypt'; readonly keys: readonly StoredKey[] }
  | { readonly kind: 'no-keys' }
  | { readonly kind: 'already-encrypted' }
  /** Some keys are encrypted. The others stay as they are, because an attacker may have added them. */
  | { readonly kind: 'mixed'; readonly keys: readonly StoredKey[] }

/**
 * Which keys to encrypt. If some are encrypted already, the others are encrypted only with `finish`: the operator
 * confirms that an earlier run was interrupted. Pure.
 */
export function planEncryption(keys: readonly StoredKey[], finish: boolean): EncryptionPlan {
  if (keys.length === 0) return { kind: 'no-keys' }
  const unencrypted = keys.filter(key => !isEncrypted(key))
  if (unencrypted.length === 0) return { kind: 'already-encrypted' }
  const isMixed = unencrypted.length < keys.length
  return { kind: isMixed && !finish ? 'mixed' : 'encrypt', keys: unencrypted }
}
