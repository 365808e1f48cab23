import type { SessionHandle } from '../base/handle.ts'
import type { Engine } from '../session/engine.ts'
import type { SessionPolicy } from '../session/policy.ts'
import type { RevocationFeed } from '../session/revocation-feed.ts'
import type { Overview } from './api-types.ts'

/** What of an engine says which sessions are in use. */
export interface CountedEngine extends Pick<Engine, 'caches' | 'clock'> {
  readonly feed: Pick<RevocationFeed, 'isRevoked'>
  readonly policy: Pick<SessionPolicy, 'tokenCacheSize'>
}

/** The most tokens that are looked at: more would hold up requests. */
const MOST = 20_000

/**
 * Counts the sessions whose access token this process has verified, and that it would accept now. Null if it keeps no
 * tokens.
 */
export function countSessionsInUse({ caches, clock, feed, policy }: CountedEngine): Overview['sessionsInUse'] {
  if (policy.tokenCacheSize === 0) return null
  const now = clock()
  const found = new Set<SessionHandle>()
  let looked = 0
  for (const cache of caches) {
    for (const { expiresAt, active: { claims: { sid } } } of cache.values()) {
      if (++looked > MOST) return { count: found.size, isAtLeast: true }
      if (expiresAt > now && !feed.isRevoked(sid)) found.add(sid)
    }
  }
  return { count: found.size, isAtLeast: [...caches].some(({ incompleteUntil }) => incompleteUntil > now) }
}
