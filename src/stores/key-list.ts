import type { StoredKey } from '../tokens/key-store.ts'

// The list of all keys as one value: there are few keys, and they change about once a week. A store that keeps them as
// one value replaces it by what these functions return, provided that it is still the value that was passed to them.

/**
 * The list after `addKeyIfNewest`, in the order that `listKeys` returns. Returns null, and nothing may be written, if
 * the newest key of the purpose is not `newest` or the `kid` exists. Pure.
 */
export function withKey(
  keys: readonly StoredKey[],
  key: StoredKey,
  newest: string | null,
): readonly StoredKey[] | null {
  const current = keys.findLast(each => each.purpose === key.purpose)?.kid ?? null
  if (current !== newest || keys.some(({ kid }) => kid === key.kid)) return null
  return [...keys, { ...key }].sort(oldestActiveFirst)
}

/** The list after `replaceKeyMaterial`. Returns null if there is no such key or its material is not `current`. Pure. */
export function withMaterial(
  keys: readonly StoredKey[],
  kid: string,
  current: string,
  next: string,
): readonly StoredKey[] | null {
  const index = keys.findIndex(key => key.kid === kid && key.material === current)
  const key = keys[index]
  return key === undefined ? null : keys.with(index, { ...key, material: next })
}

/** The list after `removeKey`. Returns null if there is no such key. Pure. */
export function withoutKey(keys: readonly StoredKey[], kid: string): readonly StoredKey[] | null {
  const rest = keys.filter(key => key.kid !== kid)
  return rest.length === keys.length ? null : rest
}

function oldestActiveFirst(left: StoredKey, right: StoredKey): number {
  if (left.activeFrom !== right.activeFrom) return left.activeFrom - right.activeFrom
  return left.kid < right.kid ? -1 : 1
}
