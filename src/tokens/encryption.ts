import { GeneralError } from '../base/errors.ts'
import type { StoredKey } from './key-store.ts'

/** A reason why a process must neither use nor add keys. */
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

/** Whether a key is encrypted at rest. Unencrypted material is a JSON object, and nothing else begins like one. */
export function isEncrypted({ material }: Pick<StoredKey, 'material'>): boolean {
  return !material.startsWith('{')
}

/**
 * Whether a process with or without a secret may use the keys of a store, and add others: all of them are encrypted and
 * it has a secret, or none of them is and it has none. Null if it may. What it adds is then like what is there, so that
 * a process without its secret never weakens a store, and a key that somebody wrote into the store is not believed
 * (S-04). Pure.
 */
export function findEncryptionFault(keys: readonly StoredKey[], hasSecret: boolean): EncryptionFault | null {
  const encrypted = keys.filter(isEncrypted)
  const faulty = hasSecret ? keys.filter(key => !isEncrypted(key)) : encrypted
  if (faulty.length === 0) return null
  const kids = faulty.map(({ kid }) => kid)
  if (!hasSecret) return { kind: 'secret-missing', kids }
  return { kind: encrypted.length === 0 ? 'unencrypted' : 'mixed', kids }
}

/** A fault in words, with its cure. */
export function encryptionError({ kind, kids }: EncryptionFault): GeneralError {
  const named = `${kids.length === 1 ? 'the key' : 'the keys'} ${kids.join(', ')} in the store`
  switch (kind) {
    case 'secret-missing':
      return new GeneralError('MISUSE', `${named} cannot be decrypted, because no secret is configured: set \`secret\` `
        + '(KEYTURN_SECRET) to the secret of the other processes')
    case 'unencrypted':
      return new GeneralError('MISUSE', `${named} cannot be used, because a secret is configured and no key is `
        + 'encrypted: run `keyturn keys encrypt <url>` with the secret, once')
    case 'mixed':
      return new GeneralError('MISUSE', `${named} cannot be used, because other keys are encrypted and Keyturn never `
        + 'adds unencrypted ones to them. Somebody may have written them into the store: remove them with '
        + '`keyturn keys retire <key>`. If `keyturn keys encrypt <url>` was interrupted, run it again with --finish')
  }
}

/** Whether a key that this process has just added must be removed again: encrypted keys have come meanwhile. Pure. */
export function mustTakeBack(added: StoredKey, keys: readonly StoredKey[]): boolean {
  return !isEncrypted(added) && keys.some(isEncrypted)
}

/** What `keyturn keys encrypt` has to do. */
export type EncryptionPlan =
  | { readonly kind: 'encrypt'; readonly keys: readonly StoredKey[] }
  | { readonly kind: 'no-keys' }
  | { readonly kind: 'already-encrypted' }
  /** Some are encrypted: the others are left alone, because somebody may have written them into the store. */
  | { readonly kind: 'mixed'; readonly keys: readonly StoredKey[] }

/**
 * Which keys to encrypt. Beside encrypted keys only with `finish`, which says that an earlier run was interrupted.
 * Pure.
 */
export function planEncryption(keys: readonly StoredKey[], finish: boolean): EncryptionPlan {
  if (keys.length === 0) return { kind: 'no-keys' }
  const unencrypted = keys.filter(key => !isEncrypted(key))
  if (unencrypted.length === 0) return { kind: 'already-encrypted' }
  const isMixed = unencrypted.length < keys.length
  return { kind: isMixed && !finish ? 'mixed' : 'encrypt', keys: unencrypted }
}
