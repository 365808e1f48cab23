import { readVerifyCosts } from '../support/verify-costs.ts'
import { seeded } from '../scale/agenda.ts'
import { writeReport } from '../support/report.ts'
import { createFifo, createLibraryCache, createTwoGenerations } from './policies.ts'
import type { Cache } from './policies.ts'

// Which cache of verified tokens serves best: the share of hits by policy, capacity and use, simulated, with the costs
// of docs/benchmarks/verify.md.

type Use = 'in turn' | 'at random' | 'some more often' | 'in turn, renewed'

const policies: Readonly<Record<string, (capacity: number) => Cache>> = {
  'two generations': createTwoGenerations,
  'the oldest goes': createFifo,
  'one of four is admitted': createLibraryCache,
}
const CAPACITY = 2000
const ratios = [0.5, 0.9, 1.1, 1.5, 2, 4, 10]
const uses: readonly Use[] = ['in turn', 'at random', 'some more often', 'in turn, renewed']
/** Requests of a session with one token, if tokens are renewed. */
const REQUESTS_PER_TOKEN = 100

/** Makes the function that names the session of each request. */
function chooser(use: Use, sessions: number): (request: number) => number {
  const random = seeded(11)
  if (use === 'at random') return () => Math.floor(random() * sessions)
  if (use !== 'some more often') return request => request % sessions
  // By Zipf's law: the n-th session is 1/n as frequent as the first.
  const sums: number[] = []
  for (let rank = 1; rank <= sessions; rank++) sums.push((sums.at(-1) ?? 0) + 1 / rank)
  return () => {
    const target = random() * (sums.at(-1) ?? 0)
    let [low, high] = [0, sessions - 1]
    while (low < high) {
      const middle = low + high >> 1
      if ((sums[middle] ?? 0) < target) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The share of hits, after the cache has been filled. */
function hits(cache: Cache, use: Use, sessions: number): number {
  const choose = chooser(use, sessions)
  const rounds = 150
  let found = 0
  for (let request = 0; request < rounds * sessions; request++) {
    const session = choose(request)
    // The tokens of different sessions are renewed at different times.
    const token = use === 'in turn, renewed'
      ? Math.floor((Math.floor(request / sessions) + session) / REQUESTS_PER_TOKEN)
      : 0
    const name = `${session} ${token}`
    if (!cache.has(name)) cache.add(name)
    else if (request >= rounds * sessions / 2) found++
  }
  return found / (rounds * sessions / 2)
}

export async function compareCaches(): Promise<void> {
  const costs = readVerifyCosts()
  const rows = ratios.flatMap(ratio => uses.map(use => ({
    ratio, use,
    shares: Object.values(policies).map(create => hits(create(CAPACITY), use, Math.round(CAPACITY * ratio))),
  })))
  const mean = (share: number, miss: number): string => (share * costs.hit + (1 - share) * miss).toFixed(1)
  const costRow = (ratio: number): string => {
    const shares = rows.find(row => row.ratio === ratio && row.use === 'in turn')?.shares ?? []
    return `| ${ratio} | ${shares.map(share => mean(share, costs.mac)).join(' | ')} `
      + `| ${shares.map(share => mean(share, costs.signature)).join(' | ')} |`
  }
  writeReport('cache', { capacity: CAPACITY, costs, rows }, [
    '# The cache of verified tokens',
    '',
    'Simulated, deterministic. Repeat with `npm run bench -- cache`. The costs are those of [verify.md](verify.md).',
    '',
    `Caches of ${CAPACITY.toLocaleString('en')} tokens, and so many active sessions as the first column says, as a multiple of that. "In turn": each session `
      + 'sends a request, then all again, as clients that poll do. "Some more often": by Zipf\'s law. "Renewed": after '
      + `${REQUESTS_PER_TOKEN} requests, each session has a new token.`,
    '',
    '## Share of hits',
    '',
    `| sessions | requests | ${Object.keys(policies).join(' | ')} |`,
    `|--:|---|${Object.keys(policies).map(() => '--:|').join('')}`,
    ...rows.map(({ ratio, use, shares }) => `| ${ratio} | ${use} | ${shares.map(share => share.toFixed(2)).join(' | ')} |`),
    '',
    '## CPU of a verification in µs, sessions in turn',
    '',
    'Without what it costs to put a token into the cache.',
    '',
    `| sessions | ${Object.keys(policies).map(name => `MAC: ${name}`).join(' | ')} | ${Object.keys(policies).map(name => `signature: ${name}`).join(' | ')} |`,
    `|--:|${Object.keys(policies).map(() => '--:|').join('')}${Object.keys(policies).map(() => '--:|').join('')}`,
    ...ratios.map(costRow),
    '',
    'The library admits one of four new tokens once the cache is full. Policies that admit each token have no hits at all when '
      + 'more tokens take turns than fit, although they keep as many. At random, no policy can do better than the share of the '
      + 'tokens that fits. The price: a session needs four requests on average until a new token is admitted while the cache '
      + 'is full of tokens that have not expired. A smaller cache is not worth it: bearer tokens have no MAC, and 10,000 '
      + 'tokens take 15 MB.',
  ])
}
