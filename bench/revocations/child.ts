import { randomBytes } from 'node:crypto'
import { RevocationList } from '../../dist/session/revocation-list.js'
import type { Change, SessionStore } from '../../dist/session/store.js'
import type { SessionHandle } from '../../dist/base/handle.js'
import { createHandle } from '../../dist/base/handle.js'
import { createMemoryStore, createSessions, nodeSessions } from '../support/keyturn.ts'
import { createExchange } from '../support/request.ts'
import type { Exchange } from '../support/request.ts'
import { claims, userId } from '../verify/contender.ts'
import { median } from '../verify/ratios.ts'

// What a million revoked sessions cost a process: memory, and time of each verification of sessions that are alive.

const REVOKED = 1_000_000
const LIVE = 1000
const ROUNDS = 15
const until = Date.now() + 4_200_000

/** What was measured. */
export interface RevocationCost {
  readonly bytesEach: number
  /** Microseconds of CPU of a verification, with nothing revoked and with a million. */
  readonly empty: number
  readonly full: number
  /** The median of the differences within a round. */
  readonly added: number
  /** Milliseconds that the longest of the steps took in which all was forgotten. */
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

/** A store whose log tells of a million sessions that nobody here knows. */
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

async function verification(store: SessionStore): Promise<() => Promise<number>> {
  const sessions = nodeSessions(createSessions({ origin: 'https://app.example.com', store, pollInterval: 3600, maxStaleness: 3600 }))
  const tokens: string[] = []
  for (let index = 0; index < LIVE; index++) {
    const { request, response } = createExchange({ 'st-auth-mode': 'header' })
    await sessions.createNewSession(request, response, userId, claims)
    tokens.push(String(response.getHeader('st-access-token')))
  }
  const exchanges = (): Exchange[] => tokens.map(token => createExchange({ authorization: `Bearer ${token}` }))
  async function measure(): Promise<number> {
    const batch = exchanges()
    const cpu = process.cpuUsage()
    for (const { request, response } of batch) await sessions.getSession(request, response)
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / LIVE
  }
  for (let round = 0; round < 20; round++) await measure()
  return async () => {
    let sum = 0
    for (let slice = 0; slice < 20; slice++) sum += await measure()
    return sum / 20
  }
}

const { bytesEach, longestPrune } = memory()
const [measureEmpty, measureFull] = [await verification(createMemoryStore()), await verification(revoking(createMemoryStore()))]
const rounds: { readonly empty: number; readonly full: number }[] = []
for (let round = 0; round < ROUNDS; round++) rounds.push({ empty: await measureEmpty(), full: await measureFull() })
const cost: RevocationCost = {
  bytesEach,
  longestPrune,
  empty: median(rounds.map(({ empty }) => empty)),
  full: median(rounds.map(({ full }) => full)),
  added: median(rounds.map(({ empty, full }) => full - empty)),
}
process.send?.(cost)
process.disconnect()
