import { generateKeyPairSync, sign } from 'node:crypto'
import { platform } from '../../dist/platform/node.js'
import type { SessionCore } from '../../dist/session/core.js'
import { createCore } from '../../dist/session/create-core.js'
import { createPolicy } from '../../dist/session/policy.js'
import type { SessionStore } from '../../dist/session/store.js'
import { BARE_ROWS, newHash } from './contender.ts'
import type { StoreContender } from './contender.ts'
import { alternate, rate } from './rounds.ts'
import type { Pace, Rounds } from './rounds.ts'

const client = { ip: '192.0.2.1', userAgent: 'bench' }

/** What access tokens are signed with: the library's default. */
const ALGORITHM = 'ES256'

/** How many sessions rotate at once, at most. */
export const LANES = 32

function coreOn(store: SessionStore): SessionCore<object, object> {
  return createCore({
    store: { ...store, close: async () => undefined },
    crypto: platform.crypto, clock: platform.clock, followStoreTime: true,
    entropy: platform.crypto.randomBytes, schedule: platform.schedule,
    policy: createPolicy({ pollInterval: 3600 }), issuer: 'https://bench.example/auth', audience: null,
    algorithm: ALGORITHM, secrets: [], payloadSchema: undefined, infoSchema: undefined, events: {},
  })
}

/** How fast the store rotates, refreshes and logs in, beside its own ceiling and its peers; by calls in flight. */
export async function measureWrites(contender: StoreContender, pace: Pace): Promise<Record<string, Rounds>> {
  const core = coreOn(contender.store)
  const results: Record<string, Rounds> = {}
  for (const concurrency of [1, 16, 64]) {
    const lanes = Math.min(concurrency, LANES)
    const rotate = await rotation(contender.store, core)
    const refresh = await refreshing(core)
    results[`@${concurrency}`] = await alternate({
      bare: time => rate(concurrency, time, (_, count) => contender.bareUpdate(count % BARE_ROWS)),
      rotate: time => rate(lanes, time, rotate),
      refresh: time => rate(lanes, time, refresh),
      login: time => rate(concurrency, time, (_, count) => core.create({ userId: `login-${count}`, mode: 'header', client })),
      ...Object.fromEntries(Object.entries(contender.peers).map(([name, call]) => [
        name, (time: number) => rate(concurrency, time, call),
      ])),
      signature: signatures(),
    }, pace)
  }
  await core.close()
  return results
}

/** The store's own compare-and-swap, in as many sessions as there are lanes. */
async function rotation(store: SessionStore, core: SessionCore<object, object>): Promise<(lane: number) => Promise<void>> {
  const sessions = await Promise.all(Array.from({ length: LANES }, async () => {
    const { claims } = await core.create({ userId: 'bench', mode: 'header', client })
    const record = await store.find(claims.sid)
    if (record === null) throw new Error('a session is gone')
    return { handle: record.handle, hash: record.refreshHash }
  }))
  return async lane => {
    const session = sessions[lane]
    if (session === undefined) throw new Error(`there is no lane ${lane}`)
    const now = Date.now()
    const hash = newHash()
    const next = { refreshHash: hash, generation: 0, branch: 0, confirmed: false, rotatedAt: now, servedAt: now, client }
    const alive = { now, rotatedAfter: 0, createdAfter: -1 }
    const rotated = await store.rotate({ handle: session.handle, expectedHash: session.hash, alive, next })
    if (rotated === null) throw new Error('a rotation was lost')
    session.hash = hash
  }
}

/** The whole exchange of a refresh token. */
async function refreshing(core: SessionCore<object, object>): Promise<(lane: number) => Promise<void>> {
  const tokens = await Promise.all(Array.from({ length: LANES }, async () => (
    (await core.create({ userId: 'bench', mode: 'header', client })).refreshToken
  )))
  return async lane => {
    const outcome = await core.refresh(tokens[lane] ?? '', 'header', client)
    if (outcome.kind !== 'refreshed') throw new Error(`a refresh was answered with ${outcome.kind}`)
    tokens[lane] = outcome.issued.refreshToken
  }
}

/** Signatures of that algorithm alone: what no refresh can do without. */
function signatures(): (milliseconds: number) => Promise<number> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const input = Buffer.alloc(400, 'x')
  return milliseconds => rate(1, milliseconds, async () => sign('sha256', input, privateKey))
}
