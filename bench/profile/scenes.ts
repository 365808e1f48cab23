import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../dist/stores/sqlite.js'
import { createMemoryStore, createSessions, nodeSessions } from '../support/keyturn.ts'
import { createExchange } from '../support/request.ts'
import type { Exchange } from '../support/request.ts'
import { claims, run, userId } from '../verify/contender.ts'
import { setUps } from '../verify/contenders/keyturn.ts'

/** An operation that is profiled. */
export interface Scene {
  /**
   * Creates the requests of one batch. It is not counted, because Node creates requests with or without a session. It
   * is asynchronous only to keep its name in the profile: compilers do not inline asynchronous functions.
   */
  prepare(): Promise<readonly Exchange[]>
  handle(exchanges: readonly Exchange[]): Promise<void>
  close(): Promise<void>
}

/** How many requests are handled in one tick of the event loop. */
export const BATCH = 100

async function verification(name: string): Promise<Scene> {
  const contender = await setUps[name]?.()
  if (contender === undefined) throw new Error(`there is no ${name}`)
  let index = 0
  return {
    prepare: async () => Array.from({ length: BATCH }, () => createExchange(contender.headers(index++))),
    handle: exchanges => run(contender, exchanges),
    close: async () => contender.close?.(),
  }
}

/** Clients that each refresh with the token of their last response. */
async function refreshes(store: ReturnType<typeof createMemoryStore>): Promise<Scene> {
  const sessions = nodeSessions(createSessions({
    // With a reuse interval, a refresh so soon after the last one would be answered with the same token and not written.
    origin: 'https://app.example.com', store, algorithm: 'EdDSA', reuseInterval: 0,
  }))
  const tokens: string[] = []
  for (let client = 0; client < BATCH; client++) {
    const { request, response } = createExchange({ 'st-auth-mode': 'header' })
    await sessions.createNewSession(request, response, userId, claims)
    tokens.push(String(response.getHeader('st-refresh-token')))
  }
  return {
    prepare: async () => tokens.map(token => createExchange({ authorization: `Bearer ${token}` })),
    async handle(exchanges) {
      for (const [client, { request, response }] of exchanges.entries()) {
        await sessions.refreshSession(request, response)
        tokens[client] = String(response.getHeader('st-refresh-token'))
      }
    },
    close: () => sessions.close(),
  }
}

async function refreshesOnSqlite(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-profile-'))
  const scene = await refreshes(openSqliteStore(join(folder, 'sessions.db')))
  return {
    ...scene,
    async close() {
      await scene.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** What is profiled, by name. */
export const scenes: Readonly<Record<string, () => Promise<Scene>>> = {
  'getSession, hit, cookie (ES256)': () => verification('keyturn ES256 cookie, hit'),
  'getSession, hit, bearer (ES256)': () => verification('keyturn ES256 bearer, hit'),
  'getSession, miss, bearer (EdDSA)': () => verification('keyturn EdDSA bearer, miss'),
  'refreshSession, memory store (EdDSA)': () => refreshes(createMemoryStore()),
  'refreshSession, SQLite file (EdDSA)': refreshesOnSqlite,
}
