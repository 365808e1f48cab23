import { randomBytes } from 'node:crypto'
import { RevocationList } from '../../src/session/revocation-list.ts'
import type { Change, SessionStore } from '../../src/session/store.ts'
import type { SessionHandle } from '../../src/base/handle.ts'
import { createHandle } from '../../src/base/handle.ts'
import { createMemoryStore, createSessions, nodeSessions } from '../support/keyturn.ts'
import { createExchange } from '../support/request.ts'
import { claims, SESSIONS, userId } from '../verify/contender.ts'
import { median } from '../verify/ratios.ts'

// What a million revoked sessions cost a process: memory, and time of each verification of an active session.

const REVOKED = 1_000_000
const BATCH = 100
const ROUNDS = 15
const until = Date.now() + 4_200_000

/** Microseconds of CPU time per verification, with nothing revoked and with a million sessions revoked. */
interface Addition {
  readonly empty: number
  readonly full: number
  /** The median of the differences within a round. */
  readonly added: number
}

/** The measurements; `few` with 64 active sessions in alternation, `many` with 1,000. */
export interface RevocationCost {
  readonly bytesEach: number
  readonly few: Addition
  readonly many: Addition
  /** Milliseconds of the longest step in which expired entries were removed. */
  readonly longestPrune: number
}

function handles(count: number): SessionHandle[] {
  return Array.from({ length: count }, () => createHandle('cookie', length => randomBytes(length)))
}

function heap(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function memory(): { readonly bytesEach: number; readonly longestPrune: number } {
  const before = heap()
  const list = new RevocationList()
  for (let count = 0; count < REVOKED; count += 1000) list.apply({ kind: 'revoked', handles: handles(1000), until })
  const bytesEach = (heap() - before) / REVOKED
  let longestPrune = 0
  while (list.size > 0) {
    const start = performance.now()
    list.prune(until + 60_000)
    longestPrune = Math.max(longestPrune, performance.now() - start)
  }
  return { bytesEach, longestPrune }
}

/** A store whose change log has a million sessions that this process does not use. */
function revoking(store: SessionStore): SessionStore {
  return {
    ...store,
    async changesSince(cursor) {
      const page = Number(cursor ?? 0)
      const changes: Change[] = page * 1000 < REVOKED ? [{ kind: 'revoked', handles: handles(1000), until }] : []
      return { changes, cursor: String(page + changes.length), more: changes.length > 0 }
    },
  }
}

async function verification(store: SessionStore, live: number): Promise<() => Promise<number>> {
  const sessions = nodeSessions(createSessions({ origin: 'https://app.example.com', store, pollInterval: 3600, maxStaleness: 3600 }))
  const tokens: string[] = []
  for (let index = 0; index < live; index++) {
    const { request, response } = createExchange({ 'st-auth-mode': 'header' })
    await sessions.createNewSession(request, response, userId, claims)
    tokens.push(String(response.getHeader('st-access-token')))
  }
  let next = 0
  async function measure(): Promise<number> {
    // Few at a time, as in a server: more requests would evict everything else from the processor's caches.
    const batch = Array.from({ length: BATCH }, () => (
      createExchange({ authorization: `Bearer ${tokens[next++ % live] ?? ''}` })
    ))
    const cpu = process.cpuUsage()
    for (const { request, response } of batch) await sessions.getSession(request, response)
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / BATCH
  }
  for (let round = 0; round < 200; round++) await measure()
  return async () => {
    let sum = 0
    for (let slice = 0; slice < 200; slice++) sum += await measure()
    return sum / 200
  }
}

async function addition(live: number): Promise<Addition> {
  const measureEmpty = await verification(createMemoryStore(), live)
  const measureFull = await verification(revoking(createMemoryStore()), live)
  const rounds: { readonly empty: number; readonly full: number }[] = []
  for (let round = 0; round < ROUNDS; round++) rounds.push({ empty: await measureEmpty(), full: await measureFull() })
  return {
    empty: median(rounds.map(({ empty }) => empty)),
    full: median(rounds.map(({ full }) => full)),
    added: median(rounds.map(({ empty, full }) => full - empty)),
  }
}

const cost: RevocationCost = { ...memory(), few: await addition(SESSIONS), many: await addition(1000) }
process.send?.(cost)
process.disconnect()
