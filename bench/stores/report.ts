import { machine } from '../support/machine.ts'
import { BARE_ROWS } from './contender.ts'
import { CLEANUP_BATCH, EXPIRED, SESSIONS_PER_USER } from './reads.ts'
import type { Loaded } from './reads.ts'
import { median, ratio } from './rounds.ts'
import type { Pace, Rounds } from './rounds.ts'

/** The measurements of a store. */
export interface StoreResult {
  readonly store: string
  readonly writes: Readonly<Record<string, Rounds>>
  readonly loaded: Readonly<Record<string, Loaded>>
  readonly bytesPerSession: number
}

/** A promise about a store. */
interface Promised {
  readonly what: string
  readonly store: string
  readonly at: string
  readonly of: string
  readonly to: string
  readonly atLeast: number
  /** The floor since a higher value was reached. */
  readonly since?: number
}

const rotate = { what: 'rotate / bare', of: 'rotate', to: 'bare', atLeast: 0.9 }
const refresh = { what: 'refresh / bare', of: 'refresh', to: 'bare' }

const promises: readonly Promised[] = [
  { ...rotate, store: 'SQLite NORMAL', at: '@1' },
  { ...rotate, store: 'SQLite NORMAL', at: '@16', since: 1.5 },
  { ...rotate, store: 'PostgreSQL', at: '@1', since: 1.1 },
  { ...rotate, store: 'PostgreSQL', at: '@16', since: 1.5 },
  { ...rotate, store: 'MariaDB', at: '@1' },
  { ...rotate, store: 'MariaDB', at: '@16', since: 1.1 },
  { ...rotate, store: 'Redis', at: '@1' },
  { ...rotate, store: 'Redis', at: '@16' },
  { ...refresh, store: 'PostgreSQL', at: '@1', atLeast: 0.7, since: 0.9 },
  { ...refresh, store: 'SQLite FULL', at: '@1', atLeast: 0.7, since: 1.5 },
  { ...refresh, store: 'PostgreSQL', at: '@16', atLeast: 0.5, since: 0.8 },
  { ...refresh, store: 'MariaDB', at: '@16', atLeast: 0.5 },
  { ...refresh, store: 'SQLite NORMAL', at: '@16', atLeast: 0.28, since: 0.4 },
  { ...refresh, store: 'Redis', at: '@16', atLeast: 0.28 },
  {
    what: 'login / better-auth createSession', of: 'login', to: 'better-auth', store: 'PostgreSQL', at: '@16',
    atLeast: 1.5, since: 1.7,
  },
]

/** The report as a page. */
export function toMarkdown(results: readonly StoreResult[], { milliseconds, rounds }: Pace): string {
  const promised = promises.flatMap(({ what, store, at, of, to, atLeast, since = atLeast }) => {
    const measured = results.find(result => result.store === store)?.writes[at]
    if (measured === undefined) return []
    const value = ratio(measured, of, to)
    const verdict = value >= since ? 'reached' : value >= atLeast ? '**was more**' : '**missed**'
    // With one signature for each bare update, both on this core.
    const ceiling = of === 'refresh' ? 1 / (1 + ratio(measured, to, 'signature')) : Number.NaN
    return [`| ${store} ${at} | ${what} | >= ${atLeast} | >= ${since} | ${value.toFixed(2)} | ${Number.isNaN(ceiling) ? '' : ceiling.toFixed(2)} | ${verdict} |`]
  })
  const writes = results.flatMap(({ store, writes }) => Object.entries(writes).map(([at, measured]) => {
    const of = (name: string): string => Math.round(median(measured[name] ?? [])).toString()
    const peer = measured['better-auth'] === undefined ? '' : of('better-auth')
    return `| ${store} | ${at} | ${of('bare')} | ${of('rotate')} | ${ratio(measured, 'rotate', 'bare').toFixed(2)} | `
      + `${of('refresh')} | ${ratio(measured, 'refresh', 'bare').toFixed(2)} | ${of('login')} | ${peer} |`
  }))
  const loaded = results.flatMap(({ store, loaded, bytesPerSession }) => Object.entries(loaded).map(([size, row]) => (
    `| ${store} | ${Number(size).toLocaleString('en')} | ${Math.round(row.load)} | ${Math.round(row.listings)} | `
      + `${Math.round(row.cleanup)} | ${Math.round(bytesPerSession)} |`
  )))
  return `# Stores

Medians of ${rounds} alternating rounds of ${milliseconds} ms, after one that warms up; ratios are the medians of the rounds' own. Server and client share the machine: trust the ratios, not the rates. Repeat with \`npm run bench:stores\`.

- *bare*: a random secret is generated and hashed, and one conditional update of one row replaces the hash and keeps the previous one; through the same driver, in a table of ${BARE_ROWS.toLocaleString('en')} sessions that has nothing else but the handle, a text that finds the row, and the user, by an index.
- *rotate*: the store's own compare-and-swap, in as many sessions, which writes times and client as well and returns the session.
- *refresh*: the whole exchange of a refresh token: MACs, hashes, compare-and-swap, ES256 signature (the default).
- *login*: a session is made, on the disk, with both tokens. *better-auth*: its \`createSession\` on the same server, which signs nothing.

The rotations of one tick of the event loop share a transaction or a command, as they do in a server under load, and with SQLite and PostgreSQL so do its logins. Each bare update, and each login of the peer, goes alone. PostgreSQL, MariaDB and MySQL wait for the disk at each commit of a login; PostgreSQL does not for a rotation (a rotation that a crash undoes is adopted again), the other two have no such choice. Redis and Valkey keep nothing on disk here.

${machine()}

| store | promise | must | since then | measured | ceiling | |
|---|---|--:|--:|--:|--:|---|
${promised.join('\n')}

*Since then*: more than that was reached, and is the floor from then on. *Ceiling*: one bare update and one ES256 signature on one core of this machine after each other, and nothing else, for each bare update.

Floors that are missed, and why: [README](README.md#floors-that-are-missed).

| store | in flight | bare/s | rotate/s | / bare | refresh/s | / bare | login/s | better-auth/s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
${writes.join('\n')}

With so many sessions in the store, ${SESSIONS_PER_USER} of each user (16 listings in flight; cleanup of ${EXPIRED.toLocaleString('en')} expired sessions in batches of ${CLEANUP_BATCH}). The plans read the same rows at every size; a million sessions no longer fit the caches that the servers have by default (128 MB in PostgreSQL and MariaDB, 2 MB in SQLite), and the rows come from the disk:

| store | sessions | load/s | listings/s | cleanup/s | bytes per session |
|---|--:|--:|--:|--:|--:|
${loaded.join('\n')}
`
}
