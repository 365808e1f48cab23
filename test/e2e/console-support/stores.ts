import { join } from 'node:path'
import type { SessionStore } from '../../../src/session/store.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { openStoreByUrl } from '../../../src/stores/registry.ts'
import { openSqliteStore } from '../../../src/stores/sqlite.ts'
import { softwareFor } from '../../support/servers/engine.ts'
import { startPostgres } from '../../support/servers/postgres.ts'
import { missingSoftware } from '../../support/servers/programs.ts'
import { startRedis } from '../../support/servers/redis.ts'
import type { TestServer } from '../../support/servers/server.ts'
import { createDirectory, removeDirectory } from '../../support/servers/workspace.ts'

/** A store of its own, and the server below it, if there is one. */
export interface OpenedStore {
  readonly store: SessionStore
  readonly server: TestServer | null
  remove(): Promise<void>
}

/** A kind of store that the console is tested with. */
export interface ConsoleStore {
  readonly name: string
  readonly isAvailable: boolean
  open(): Promise<OpenedStore>
}

async function onServer(server: TestServer): Promise<OpenedStore> {
  const store = await openStoreByUrl(server.url, { migrate: 'auto' })
  return {
    store,
    server,
    async remove() {
      await store.close()
      await server.remove()
    },
  }
}

const isInstalled = (name: 'postgres' | 'redis'): boolean => missingSoftware([softwareFor(name)]).length === 0

export const memory: ConsoleStore = {
  name: 'memory',
  isAvailable: true,
  async open() {
    const store = createMemoryStore()
    return { store, server: null, remove: () => store.close() }
  },
}

export const sqlite: ConsoleStore = {
  name: 'SQLite',
  isAvailable: true,
  async open() {
    const directory = createDirectory()
    const store = openSqliteStore(join(directory, 'sessions.db'))
    return {
      store,
      server: null,
      async remove() {
        await store.close()
        removeDirectory(directory)
      },
    }
  },
}

export const postgres: ConsoleStore = {
  name: 'PostgreSQL', isAvailable: isInstalled('postgres'), open: async () => onServer(await startPostgres()),
}

export const redis: ConsoleStore = {
  name: 'Redis',
  isAvailable: isInstalled('redis'),
  // What is written survives a restart, as in production.
  open: async () => onServer(await startRedis({ appendonly: 'yes' })),
}
