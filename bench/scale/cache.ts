import { existsSync, readFileSync } from 'node:fs'
import { TwoGenerationMap } from '../../src/base/two-generation-map.ts'
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

/** Microseconds of CPU of a token in the cache, and of one that costs a signature: ES256, in a cookie. */
const cost = readCosts()

/**
 * The share of unseen tokens, in the real cache. `active` sessions send requests in turn; each gets a new token after
 * `requestsPerToken` requests, and a new token costs each process one signature.
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
  return { unseen, cpu: cost.hit + unseen * (cost.miss - cost.hit) }
}

const rates = new Map<string, number>()

/** The share of look-ups that miss, when this many tokens are equally frequent. */
function missRate(tokens: number, cacheSize: number): number {
  // They all fit.
  if (tokens <= cacheSize) return 0
  const known = rates.get(`${tokens} ${cacheSize}`)
  if (known !== undefined) return known
  const random = seeded(7)
  const cache = new TwoGenerationMap<true>(cacheSize)
  const requests = 10 * cacheSize
  let misses = 0
  // The first half fills the cache.
  for (let request = 0; request < requests; request++) {
    const token = String(Math.floor(random() * tokens))
    if (cache.get(token) !== undefined) continue
    cache.set(token, true)
    if (request >= requests / 2) misses++
  }
  const rate = misses / (requests / 2)
  rates.set(`${tokens} ${cacheSize}`, rate)
  return rate
}

function readCosts(): { readonly hit: number; readonly miss: number } {
  const file = new URL('../../docs/benchmarks/verify.json', import.meta.url)
  if (!existsSync(file)) return { hit: 1.4, miss: 74 }
  const { medians }: { readonly medians: Readonly<Record<string, { readonly cpu: number } | undefined>> } = (
    JSON.parse(readFileSync(file, 'utf8'))
  )
  return {
    hit: medians['keyturn ES256 cookie, hit']?.cpu ?? 1.4,
    miss: medians['keyturn ES256 cookie, miss']?.cpu ?? 74,
  }
}
