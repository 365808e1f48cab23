// A server that takes sessions over and counts what it waits for: a process can end itself after a given step.
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { betterSqlite3Sessions, fromExpressSession, importSessions } from '../../src/import/index.ts'
import type { ExpressRecords } from '../../src/import/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { PostgresClient, PostgresPool } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { startSessionServer } from './session-server.ts'
import type { SessionServer } from './session-server.ts'

/** Called after each step: when the server or the old system has carried it out, and before this process knows. */
export type AfterStep = (name: string) => void

/** Where a server keeps its sessions, and where the old system has its own. */
export interface CrashPlace {
  readonly kind: keyof typeof kinds
  /** The URL of the database, or its file. */
  readonly place: string
  /** The schema, or the prefix of the keys. */
  readonly data: string
  /** The SQLite file of the old system. */
  readonly old: string
}

/** A store whose steps are counted where they leave this process, and how to close what it uses. */
interface CountedStore {
  readonly store: SessionStore
  close(): Promise<void>
}

/** PostgreSQL: a step is a statement. */
function openPostgres({ place, data }: CrashPlace, after: AfterStep): CountedStore {
  const pool = new Pool({ connectionString: place, max: 2 }).on('error', () => undefined)
  const counted = (client: PostgresClient): PostgresClient => ({
    async query(statement) {
      const result = await client.query(statement)
      after(statement.text)
      return result
    },
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
    release: destroy => client.release(destroy),
  })
  const counting: PostgresPool = { connect: async () => counted(await pool.connect()) }
  return {
    store: createPostgresStore(counting, { schema: data, migrate: 'auto' }),
    close: () => pool.end(),
  }
}

/** Redis: a step is a command or a script. */
function openRedis({ place, data }: CrashPlace, after: AfterStep): CountedStore {
  const client = new Redis(place)
  const call = async (name: string, args: string[]): Promise<unknown> => {
    const reply = await client.call(name, args)
    after(name)
    return reply
  }
  const counting = new Proxy(client, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { store: createRedisStore(counting, { prefix: `${data}:` }), close: async () => client.disconnect() }
}

/** SQLite: a step is a call of the store, which waits for nothing in between. */
function openSqlite({ place }: CrashPlace, after: AfterStep): CountedStore {
  const store = new Proxy(openSqliteStore(place), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const result: unknown = await Reflect.apply(value, target, args)
        after(String(name))
        return result
      }
    },
  })
  return { store, close: async () => undefined }
}

const kinds = { PostgreSQL: openPostgres, Redis: openRedis, SQLite: openSqlite }

/** Starts a server that takes over sessions of express-session, and deletes them there. */
export async function startCountedServer(
  where: CrashPlace,
  after: AfterStep,
): Promise<SessionServer> {
  const { store, close } = kinds[where.kind](where, after)
  const database = new DatabaseSync(where.old, { timeout: 60_000 })
  const inner = betterSqlite3Sessions(database)
  const sessions: ExpressRecords = {
    ...inner,
    async find(id) {
      const found = await inner.find(id)
      after('judge')
      return found
    },
    async remove(id) {
      await inner.remove(id)
      after('retire')
    },
  }
  const server = await startSessionServer({
    store,
    // No timer reads the revocation feed here: the store says whether a session has ended.
    accessTokenBlacklisting: 'strict',
    imports: importSessions({
      importers: [fromExpressSession({ secret: OLD_CRASH_SECRET, sessions })], until: '2026-06-30', mode: 'retire',
    }),
  })
  await server.sessions.ready()
  return {
    ...server,
    async close() {
      await server.close()
      await close()
      database.close()
    },
  }
}

/** The secret of the old system. */
export const OLD_CRASH_SECRET = 'the secret of the old application'
