import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import { migratePostgres } from '../../../src/stores/postgres.ts'
import { startPgbouncer } from '../../support/servers/pgbouncer.ts'
import { startPostgres, startPostgresReplica } from '../../support/servers/postgres.ts'
import type { PostgresReplica } from '../../support/servers/postgres.ts'
import type { TestServer } from '../../support/servers/server.ts'
import { ORIGIN } from '../../support/session-server.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { startApplication } from './application.ts'
import type { Application } from './application.ts'
import { Balancer } from './balancer.ts'
import type { ProcessState } from './messages.ts'
import { Ledger } from './ledger.ts'

/** No step of the clock is longer, so that the processes, which take it one after the other, agree within R/4. */
const STEP: Milliseconds = 5_000
/** How often the clock is set that runs as fast as the machine's. */
const TICK: Milliseconds = 50
const SECRET = 'the secret of a day in production ...'

/** The application: its processes, PgBouncer in front of a PostgreSQL with a replica, and the network between them. */
export interface World {
  readonly ledger: Ledger
  readonly balancer: Balancer
  readonly primary: TestServer
  readonly replica: PostgresReplica
  /** Between the processes and PgBouncer. */
  readonly network: TcpProxy
  /** Between PgBouncer and the primary of the moment. */
  readonly toPrimary: TcpProxy
  /** What the processes that have stopped had counted and printed. */
  readonly stopped: { readonly state: ProcessState; readonly output: string; readonly code: number | string | null }[]
  now(): EpochMilliseconds
  /** Lets the clock of all processes pass, and their background work be done, unless the store is away. */
  advance(by: Milliseconds): Promise<void>
  /** Lets the clock run as fast as the machine's until the work is done: in an outage, calls wait for time limits. */
  while<T>(work: Promise<T>): Promise<T>
  /** Starts one more process. */
  start(): Promise<Application>
  /** Stops a process as a deployment does. The balancer notices by itself. */
  stop(application: Application): Promise<void>
  /** Resolves once so many calls of requests wait for the store, over all processes. Returns how many do. */
  storeCallsUnderWay(least: number): Promise<number>
  /** The states of all processes, those that have stopped included, added up. */
  total(): Promise<ProcessState>
  /** How many errors were answered with 500 or 503 or came from background work, and how many checks were left out. */
  failures(): Promise<number>
  /** Stops all processes, as at the end of a deployment. */
  stopAll(): Promise<void>
  close(): Promise<void>
}

export async function startWorld({ tokenCacheSize }: { readonly tokenCacheSize: number }): Promise<World> {
  const closers: (() => Promise<unknown>)[] = []
  const opened = <T>(value: T, close: (value: T) => Promise<unknown>): T => {
    closers.unshift(() => close(value))
    return value
  }
  const settings = { wal_keep_size: '256MB', max_connections: '60' }
  const primary = opened(await startPostgres({ durable: true, settings }), server => server.remove())
  await migratePostgres(primary.url)
  const replica = opened(await startPostgresReplica(primary, { durable: true, settings }), server => server.remove())
  const toPrimary = opened(await startTcpProxy(primary.port), proxy => proxy.close())
  // After a failed connection PgBouncer waits, 15 s by default, before it tries the server again.
  const pooler = opened(
    await startPgbouncer(toPrimary, { server_login_retry: '1', max_client_conn: '200' }), server => server.remove())
  const network = opened(await startTcpProxy(pooler.port), proxy => proxy.close())
  const database = new URL(pooler.url)
  database.port = `${network.port}`

  const ledger = new Ledger()
  const balancer = new Balancer(ledger)
  const stopped: World['stopped'][number][] = []
  let now = Date.UTC(2026, 0, 1, 8)

  const pass = async (by: Milliseconds): Promise<void> => {
    now += by
    const settles = !ledger.isOutage
    const seen = ledger.ended.filter(({ due }) => !due)
    await Promise.all(balancer.applications.map(application => application.advance(by, settles)))
    // A second has passed, and each process has read the change log in it.
    if (settles) for (const session of seen) session.due ||= session.at + 1_000 <= now
  }

  const world: World = {
    ledger, balancer, primary, replica, network, toPrimary, stopped,
    now: () => now,
    async advance(by) {
      for (let rest = by; rest > 0; rest -= STEP) await pass(Math.min(rest, STEP))
    },
    async while(work) {
      let isDone = false
      const done = work.finally(() => {
        isDone = true
      })
      for (let last = performance.now(); !isDone;) {
        await Promise.race([done, sleep(TICK)])
        const passed = Math.floor(performance.now() - last)
        last += passed
        await pass(passed)
      }
      return done
    },
    async start() {
      const application = await startApplication({
        database: database.href, origin: ORIGIN, secret: SECRET, now, tokenCacheSize,
      })
      balancer.applications.push(application)
      return application
    },
    async stop(application) {
      const state = await application.state()
      const code = await application.stop()
      balancer.applications.splice(balancer.applications.indexOf(application), 1)
      stopped.push({ state, code, output: application.output() })
    },
    async storeCallsUnderWay(least) {
      for (;;) {
        const states = await Promise.all(balancer.applications.map(application => application.state()))
        const count = states.reduce((sum, { pending }) => sum + pending, 0)
        if (count >= least) return count
        await nextTick()
      }
    },
    async total() {
      const states = await Promise.all(balancer.applications.map(application => application.state()))
      return addUp([...states, ...stopped.map(({ state }) => state)])
    },
    async failures() {
      const { events, errors } = await world.total()
      const failed = Object.entries(events).filter(([name]) => /^(background|unchecked|misconfiguration)/.test(name))
      return [...failed, ...Object.entries(errors)].reduce((sum, [, count]) => sum + count, 0)
    },
    async stopAll() {
      await Promise.all([...balancer.applications].map(world.stop))
    },
    async close() {
      await world.stopAll()
      for (const close of closers) await close()
    },
  }
  return world
}

function addUp(states: readonly ProcessState[]): ProcessState {
  const sum = (member: 'events' | 'errors' | 'storeCalls' | 'resources'): Readonly<Record<string, number>> => {
    const counts: Record<string, number> = {}
    for (const state of states) {
      for (const [name, count] of Object.entries(state[member])) counts[name] = (counts[name] ?? 0) + count
    }
    return counts
  }
  return {
    events: sum('events'), errors: sum('errors'), storeCalls: sum('storeCalls'),
    resources: sum('resources'),
    pending: states.reduce((count, { pending }) => count + pending, 0),
  }
}

/** Waits until the replica has everything that the primary has written. */
export async function caughtUp({ primary, replica }: World): Promise<void> {
  const [lsn] = await ask<{ lsn: string }>(primary.url, 'SELECT pg_current_wal_flush_lsn() AS lsn')
  for (;;) {
    const [row] = await ask<{ done: boolean }>(replica.url, `SELECT pg_last_wal_replay_lsn() >= '${lsn?.lsn}' AS done`)
    if (row?.done === true) return
  }
}

async function ask<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
