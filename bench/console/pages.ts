// node --conditions=keyturn-source bench/console/pages.ts: how long the console's pages take on PostgreSQL, with a million
// sessions of 100,000 users and 200,000 events.
import pg from 'pg'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { EventQuery, LoginFilter, SessionStore } from '../../src/session/store.ts'
import { manySessions } from '../../test/support/many-sessions.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { machine } from '../support/machine.ts'

const SESSIONS = 1_000_000
const EVENTS = 200_000
const CALLS = 60
const NOW = 4_000_000_000_000

const server = await startPostgres({})
const pool = new pg.Pool({ connectionString: server.url, max: 4 })
const store = createPostgresStore(pool, { migrate: 'auto' })
await store.listKeys()
// Logins of a user are spread over the time, as is everything else that a filter selects.
const { columns, values } = manySessions({
  handle: `'c' || substr(md5(n::text), 1, 21) || 'A'`, user_id: `'user-' || n % 100000`, created_at: `${NOW} - ${SESSIONS} + n`,
  expires_at: `${NOW} + 1000000 + n`, sweep_at: `${NOW} + 1000000 + n`,
  tenant_id: `CASE WHEN n % 3 = 0 THEN 'acme' ELSE 'public' END`, ip: `'198.51.' || n % 100 || '.' || n / 100 % 200`,
  user_agent: `'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/' || n % 150 || '.0 Safari/537.36'`,
})
await pool.query(`INSERT INTO keyturn_session (${columns}) SELECT ${values} FROM generate_series(1, ${SESSIONS}) AS n`)
await pool.query(
  `INSERT INTO keyturn_event SELECT 'event-' || lpad(n::text, 8, '0'), CASE WHEN n % 1000 = 0 THEN 'theft' ELSE 'audit' END,
     ${NOW} + n, ${NOW} + 1000000000, 'user-' || n % 1000, NULL, '{"action":"revoked"}' FROM generate_series(1, ${EVENTS}) AS n`)
await pool.query('VACUUM ANALYZE')
await pool.query('CHECKPOINT')

const any: LoginFilter = { tenantId: null, ip: null, userAgent: null }
const all: EventQuery = { kinds: ['theft', 'shared', 'rejected', 'audit'], userId: null, handle: null }
/** A position in the middle of all sessions, another one for each call. */
const deep = (call: number): string => `${NOW - 400_000 - call * 5000}.z`
const page = (call: number) => ({ limit: 100, after: call % 2 === 0 ? null : deep(call) })

const calls: readonly (readonly [name: string, call: (store: SessionStore, count: number) => Promise<unknown>])[] = [
  ['listByUser, 10 sessions', (on, count) => on.listByUser(`user-${count * 1597 % 100_000}`, { limit: 100, after: null })],
  ['listNewest, 100, the first page', on => on.listNewest(any, { limit: 100, after: null })],
  ['listNewest, 100, a page in the middle', (on, count) => on.listNewest(any, { limit: 100, after: deep(count) })],
  ['listNewest, 1,000', (on, count) => on.listNewest(any, { limit: 1000, after: deep(count) })],
  ['listNewest, of a tenant with a third', (on, count) => on.listNewest({ ...any, tenantId: 'acme' }, page(count))],
  ['listNewest, by an address', (on, count) => on.listNewest({ ...any, ip: '198.51.42.17' }, page(count))],
  ['listNewest, by a part of the user agent', (on, count) => on.listNewest({ ...any, userAgent: 'chrome/77.' }, page(count))],
  ['listNewest, nothing found', (on, count) => on.listNewest({ ...any, ip: 'nowhere' }, page(count))],
  ['pageEvents, 100 of all kinds', (on, count) => (
    on.pageEvents(all, { limit: 100, after: count % 2 === 0 ? null : `${NOW + 1000 * count}.x` }))],
  ['pageEvents, 100 thefts', on => on.pageEvents({ ...all, kinds: ['theft'] }, { limit: 100, after: null })],
  ['pageEvents, 100 of a user', (on, count) => on.pageEvents({ ...all, userId: `user-${count}` }, { limit: 100, after: null })],
]

for (const [name, call] of calls) {
  const times: number[] = []
  for (let count = 0; count < CALLS; count++) {
    const start = performance.now()
    await call(store, count)
    times.push(performance.now() - start)
  }
  const sorted = times.toSorted((left, right) => left - right)
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1)
  console.log(`| ${name} | ${(times[0] ?? Number.NaN).toFixed(1)} | ${at(0.5)} | ${at(0.95)} | ${(sorted.at(-1) ?? 0).toFixed(1)} |`)
}
const { rows: [sizes] } = await pool.query(
  `SELECT pg_table_size('keyturn_session') AS table, pg_relation_size('keyturn_session_by_user') AS by_user,
     pg_relation_size('keyturn_session_by_creation') AS by_creation`)
console.log(sizes, machine())
await store.close()
await pool.end()
await server.remove()
process.exit(0)
