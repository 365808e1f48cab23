import type { Entropy } from '../base/entropy.ts'

const POOL_BYTES = 2048

/** The longest draw that the pool serves: longer ones are rare, and would waste what is left of it. */
const MAX_POOLED_BYTES = 64

/**
 * Draws from a generator in blocks, as `crypto.randomUUID` does: a call of the generator costs more than a hash,
 * whatever its length. No byte is handed out twice, and what was handed out is wiped from the pool.
 */
export function poolEntropy(fill: (bytes: Uint8Array) => unknown): Entropy {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return length => {
    if (length > MAX_POOLED_BYTES) {
      const bytes = new Uint8Array(length)
      fill(bytes)
      return bytes
    }
    if (used + length > POOL_BYTES) {
      fill(pool)
      used = 0
    }
    const bytes = pool.slice(used, used + length)
    pool.fill(0, used, used + length)
    used += length
    return bytes
  }
}
