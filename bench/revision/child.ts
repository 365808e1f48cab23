import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cookieHeader, cookiesOf, createExchange } from '../support/request.ts'
import type { Exchange } from '../support/request.ts'

// One revision and one workload, in a process of its own. Each message says how long to work, so that rounds can
// alternate.

/** The cost of an operation, in microseconds. */
export interface Slice {
  /** Of CPU, over all threads of the process. */
  readonly cpu: number
  /** By the clock, divided by what is in flight. */
  readonly time: number
}

const ORIGIN = 'https://app.example.com'
const userId = '3f0c8f5e-7a54-4f6b-9a5e-2a1b6f1f2c11'
const claims = { role: 'admin', plan: 'team' }
const BATCH = 100
const HIT_SESSIONS = 64
/** More tokens than the cache holds. */
const MISS_SESSIONS = 20_500
const REFRESHED_SESSIONS = 2000
/** Longer than the intervals in which a repeated token is not rotated. */
const STEP = 61_000

const [dist = '', side = '', workload = '', url = ''] = process.argv.slice(2)
const isRefresh = !['hit', 'miss', 'bearer', 'login'].includes(workload)
const load = (path: string): Promise<Record<string, never>> => import(pathToFileURL(join(dist, path)).href)

/** The calls that both revisions have. */
interface Sessions {
  createNewSession(request: IncomingMessage, response: ServerResponse, user: string, payload: object): Promise<unknown>
  revokeAllSessionsForUser(user: string): Promise<unknown>
  getSession(request: IncomingMessage, response: ServerResponse): unknown
  refreshSession(request: IncomingMessage, response: ServerResponse): Promise<unknown>
}

let now = Date.now()

async function openStore(): Promise<unknown> {
  const call = (module: object, name: string, ...values: readonly unknown[]): unknown => (
    Reflect.apply(Reflect.get(module, name), null, values)
  )
  switch (workload) {
    case 'sqlite': {
      const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-'))
      process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
      process.once('SIGTERM', () => process.exit())
      return call(await load('stores/sqlite.js'), 'openSqliteStore', join(folder, 'sessions.db'))
    }
    case 'postgres':
      return call(await load('stores/postgres.js'), 'createPostgresStore', url, { prefix: `${side}_`, migrate: 'auto' })
    case 'mariadb':
      return call(await load('stores/mysql.js'), 'createMysqlStore', url, { prefix: `${side}_`, migrate: 'auto' })
    case 'redis':
      return call(await load('stores/redis.js'), 'createRedisStore', url, { prefix: `${side}:` })
    default:
      return call(await load('stores/memory.js'), 'createMemoryStore')
  }
}

async function openSessions(): Promise<Sessions> {
  const { createSessions } = await load('index.js') as unknown as { createSessions: (options: object) => object }
  const { nodeSessions } = await load('frameworks/node.js') as unknown as { nodeSessions: (sessions: object) => Sessions }
  return nodeSessions(createSessions({
    origin: ORIGIN, store: await openStore(), ...isRefresh ? { clock: () => now } : {},
  }))
}

const sessions = await openSessions()

function post(cookie: string): Exchange {
  const exchange = createExchange({ cookie, origin: ORIGIN })
  exchange.request.method = 'POST'
  return exchange
}

/** The session's cookies that a response sets, as a browser sends them back: with or without the refresh token. */
const cookiesSet = (response: ServerResponse): string => cookiesOf(response)
  .filter(pair => (isRefresh ? /(?:AccessToken|AccessTokenMac|RefreshToken)=./ : /AccessToken(?:Mac)?=./).test(pair)).join('; ')

/** Logs in. Returns the session's cookies, or its bearer token. */
async function login(): Promise<string> {
  const { request, response } = createExchange(workload === 'bearer' ? { 'st-auth-mode': 'header' } : {})
  await sessions.createNewSession(request, response, userId, claims)
  return workload === 'bearer' ? `Bearer ${String(response.getHeader('st-access-token'))}` : cookiesSet(response)
}

const counts: Readonly<Record<string, number>> = {
  hit: HIT_SESSIONS, miss: MISS_SESSIONS, bearer: MISS_SESSIONS, login: 0,
}
const jars: string[] = []
for (let count = counts[workload] ?? REFRESHED_SESSIONS; count > 0; count--) jars.push(await login())
if (isRefresh) now += STEP
let index = 0

/** The index of the next cookie jar. No call in progress uses it. */
function nextJar(): number {
  const jar = index++ % jars.length
  // Twice in each pass. Calls in progress may see the later time.
  if (isRefresh && jar % (jars.length / 2) === 0) now += STEP
  return jar
}

const refreshTokenOf = (jar: string): string => /RefreshToken=([^;]*)/.exec(jar)?.[1] ?? ''

async function refreshOne(): Promise<void> {
  const jar = nextJar()
  const { request, response } = post(jars[jar] ?? '')
  await sessions.refreshSession(request, response)
  const next = cookiesSet(response)
  if (refreshTokenOf(next) === '' || refreshTokenOf(next) === refreshTokenOf(jars[jar] ?? '')) {
    throw new Error('a refresh did not rotate the token')
  }
  jars[jar] = next
}

async function refreshFor(milliseconds: number, lanes: number): Promise<number> {
  const start = performance.now()
  let operations = 0
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (; performance.now() - start < milliseconds; operations++) await refreshOne()
  }))
  return operations
}

async function verifyBatch(): Promise<void> {
  for (const { request, response } of batch) {
    const answer = sessions.getSession(request, response)
    const found = answer instanceof Promise ? await answer : answer
    if (found.getUserId() !== userId) throw new Error('not the session of the request')
  }
}

async function loginBatch(): Promise<void> {
  for (const { request, response } of batch) await sessions.createNewSession(request, response, userId, claims)
}

let batch: readonly Exchange[] = []

async function measure(work: () => Promise<number>): Promise<Slice> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const operations = await work()
  const time = (performance.now() - start) * 1000
  const { user, system } = process.cpuUsage(cpu)
  return { cpu: (user + system) / operations, time: time / operations }
}

const headersOf = (jar: string): Readonly<Record<string, string>> => (
  workload === 'bearer' ? { authorization: jar } : { cookie: cookieHeader(jar) }
)

async function work(milliseconds: number, lanes: number): Promise<Slice> {
  if (isRefresh) return measure(() => refreshFor(milliseconds, lanes))
  const total = { cpu: 0, time: 0, operations: 0 }
  while (total.time < milliseconds * 1000) {
    // Creating the requests is not counted, because Node does it with or without a session. Neither is the removal of
    // the sessions.
    batch = Array.from({ length: BATCH }, () => createExchange(workload === 'login' ? {} : headersOf(jars[nextJar()] ?? '')))
    const { cpu, time } = await measure(() => (workload === 'login' ? loginBatch() : verifyBatch()).then(() => BATCH))
    if (workload === 'login') await sessions.revokeAllSessionsForUser(userId)
    total.cpu += cpu * BATCH
    total.time += time * BATCH
    total.operations += BATCH
  }
  return { cpu: total.cpu / total.operations, time: total.time / total.operations }
}

await work(1500, 1)
process.on('message', ({ milliseconds, lanes }: { milliseconds: number; lanes: number }) => {
  void work(milliseconds, lanes).then(result => process.send?.(result))
})
process.send?.('ready')
