import { createLibraryCache } from '../cache/policies.ts'
import { readVerifyCosts } from '../support/verify-costs.ts'
import { seeded } from './agenda.ts'

/** How requests reach the processes: any to any, or those of one session to one process. */
export type Routing = 'random' | 'sticky'

/** What verifying costs a process. */
export interface Verification {
  /** The share of verifications of a token that the process has not seen, or has forgotten. */
  readonly unseen: number
  /** Microseconds of CPU per verification, on average. */
  readonly cpu: number
}

/**
 * The share of unseen tokens, in the real cache. `active` sessions send requests in turn; each gets a new token after
 * `requestsPerToken` requests, and a new token costs each process one MAC.
 */
export function verification(
  active: number,
  processes: number,
  routing: Routing,
  requestsPerToken: number,
  cacheSize: number,
): Verification {
  const own = routing === 'random' ? active : active / processes
  const perProcess = routing === 'random' ? requestsPerToken / processes : requestsPerToken
  const renewed = Math.min(1, 1 / Math.max(perProcess, 1))
  const unseen = Math.min(1, missRate(own, cacheSize) + renewed)
  const cost = readVerifyCosts()
  return { unseen, cpu: cost.hit + unseen * (cost.mac - cost.hit) }
}

const rates = new Map<string, number>()

/** The share of look-ups that miss, when this many tokens are equally frequent. */
function missRate(tokens: number, cacheSize: number): number {
  // They all fit.
  if (tokens <= cacheSize) return 0
  const known = rates.get(`${tokens} ${cacheSize}`)
  if (known !== undefined) return known
  const random = seeded(7)
  const cache = createLibraryCache(cacheSize)
  const requests = 10 * cacheSize
  let misses = 0
  // The first half fills the cache.
  for (let request = 0; request < requests; request++) {
    const token = String(Math.floor(random() * tokens))
    if (cache.has(token)) continue
    cache.add(token)
    if (request >= requests / 2) misses++
  }
  const rate = misses / (requests / 2)
  rates.set(`${tokens} ${cacheSize}`, rate)
  return rate
}
