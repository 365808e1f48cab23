import type { EpochMilliseconds } from '../base/time.ts'
import { isEncrypted } from '../tokens/encryption.ts'
import { activeAt, newestFirst } from '../tokens/key-ring.ts'
import { keyPurposes } from '../tokens/key-store.ts'
import type { StoredKey } from '../tokens/key-store.ts'
import { retiresAt } from '../tokens/plan-rotation.ts'
import type { KeyPolicy } from '../tokens/plan-rotation.ts'
import type { KeyRow } from './api-types.ts'

/** The keys of a store, without their material: by purpose, of each the newest first. Pure. */
export function describeKeyRows(
  keys: readonly StoredKey[],
  policy: KeyPolicy,
  now: EpochMilliseconds,
): readonly KeyRow[] {
  return keyPurposes.flatMap(purpose => {
    const own = newestFirst(keys.filter(key => key.purpose === purpose))
    if (own.length === 0) return []
    const current = activeAt(own, now)
    return own.map(key => ({
      kid: key.kid,
      purpose,
      algorithm: key.algorithm,
      state: key === current ? 'current' : key.activeFrom > current.activeFrom ? 'next' : 'previous',
      createdAt: key.createdAt,
      activeFrom: key.activeFrom,
      removedAt: retiresAt(key, keys, policy),
      isEncrypted: isEncrypted(key),
    } as const))
  })
}
