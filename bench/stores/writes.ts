import { generateKeyPairSync, sign } from 'node:crypto'
import { platform } from '../../src/platform/node.ts'
import type { IssuedSession, SessionCore } from '../../src/session/core.ts'
import { createCodecs } from '../../src/session/application-data.ts'
import { createSessionCore } from '../../src/session/create-core.ts'
import { createEngine } from '../../src/session/engine.ts'
import { CLOCK_TOLERANCE, createPolicy } from '../../src/session/policy.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { atJwt } from '../../src/tokens/at-jwt.ts'
import { BARE_ROWS, bareRows, newHash } from './contender.ts'
import type { StoreContender } from './contender.ts'
import { alternate, rate } from './rounds.ts'
import type { Pace, Rounds } from './rounds.ts'

const client = { ip: '192.0.2.1', userAgent: 'bench' }

/** The algorithm of access tokens: the library's default. */
const ALGORITHM = 'ES256'

/** How many sessions are created at the same time before the measurement. */
const LOADING = 64

function coreOn(store: SessionStore): SessionCore<object, object> {
  // With a reuse interval, a refresh so soon after the last one would be answered with the same token and not written.
  const policy = createPolicy({ pollInterval: 3600, reuseInterval: 0 })
  const { crypto, clock, schedule } = platform
  const entropy = crypto.randomBytes
  const format = atJwt({
    issuer: 'https://bench.example/auth', application: 'default', audience: null, algorithm: ALGORITHM,
    clockTolerance: CLOCK_TOLERANCE, crypto, entropy,
  })
  const engine = createEngine({
    store: { ...store, close: async () => undefined },
    crypto, clock, schedule, entropy, policy,
    followStoreTime: true, keyRequests: format.keyRequests, application: { name: 'default', audience: null },
    secrets: [], events: {},
  })
  return createSessionCore(engine, format, createCodecs(policy, {}))
}

/** How fast the store rotates, refreshes and logs in, by calls in flight, with its upper limit and its peers. */
export async function measureWrites(contender: StoreContender, pace: Pace): Promise<Record<string, Rounds>> {
  const core = coreOn(contender.store)
  const rotate = await rotation(contender, core)
  const refresh = await refreshing(contender, core)
  const login = (_: number, count: number): Promise<unknown> => (
    core.create({ userId: `login-${count}`, mode: 'header', client })
  )
  const results: Record<string, Rounds> = {}
  for (const concurrency of [1, 16, 64]) {
    results[`@${concurrency}`] = await alternate({
      bare: time => rate(concurrency, time, (_, count) => contender.bareUpdate(count)),
      rotate: time => rate(concurrency, time, (_, count) => rotate(count)),
      refresh: time => rate(concurrency, time, (_, count) => refresh(count)),
      login: time => rate(concurrency, time, login),
      ...Object.fromEntries(Object.entries(contender.peers).map(([name, call]) => [
        name, (time: number) => rate(concurrency, time, call),
      ])),
      signature: signatures(),
    }, pace)
  }
  await core.close()
  return results
}

/** Creates as many sessions as the bare table has rows, ten for each user. */
async function start<T>(
  { bulk }: StoreContender,
  core: SessionCore<object, object>,
  keep: (issued: IssuedSession<object>) => Promise<T> | T,
): Promise<T[]> {
  const sessions: T[] = []
  const lane = async (_: unknown, from: number): Promise<void> => {
    for (let row = from; row < BARE_ROWS; row += LOADING) {
      const userId = bareRows[row]?.[1] ?? ''
      sessions[row] = await keep(await core.create({ userId, mode: 'header', client }))
    }
  }
  const startAll = async (): Promise<void> => void await Promise.all(Array.from({ length: LOADING }, lane))
  await (bulk === null ? startAll() : bulk(startAll))
  return sessions
}

/** The store's own compare-and-swap, in one session after another. */
async function rotation(
  contender: StoreContender,
  core: SessionCore<object, object>,
): Promise<(count: number) => Promise<void>> {
  const { store } = contender
  const sessions = await start(contender, core, async ({ claims }) => {
    const record = await store.find(claims.sid)
    if (record === null) throw new Error('a session is gone')
    const { handle, refreshHash: hash, anchorHash, refreshKeyId } = record
    return { handle, hash, anchorHash, refreshKeyId }
  })
  return async count => {
    const session = sessions[count % sessions.length]
    if (session === undefined) throw new Error('there are no sessions')
    const now = Date.now()
    const hash = newHash()
    const { handle, anchorHash, refreshKeyId } = session
    const place = { generation: 0, branch: 0 }
    const rotated = await store.rotate({
      handle,
      expected: { refreshHash: session.hash, anchorHash, ...place },
      bounds: { now, rotatedAfter: 0, createdAfter: -1 },
      next: { refreshHash: hash, refreshKeyId, ...place, confirmed: false, rotatedAt: now, servedAt: now, client },
    })
    if (rotated === null) throw new Error('a rotation was lost')
    session.hash = hash
  }
}

/** The whole exchange of a refresh token, in one session after another. */
async function refreshing(
  contender: StoreContender,
  core: SessionCore<object, object>,
): Promise<(count: number) => Promise<void>> {
  const tokens = await start(contender, core, ({ refreshToken }) => refreshToken)
  return async count => {
    const index = count % tokens.length
    const outcome = await core.refresh(tokens[index] ?? '', 'header', client)
    if (outcome.kind !== 'refreshed') throw new Error(`a refresh was answered with ${outcome.kind}`)
    tokens[index] = outcome.issued.refreshToken
  }
}

/** Signatures with this algorithm alone: every refresh needs one. */
function signatures(): (milliseconds: number) => Promise<number> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const input = Buffer.alloc(400, 'x')
  return milliseconds => rate(1, milliseconds, async () => sign('sha256', input, privateKey))
}
