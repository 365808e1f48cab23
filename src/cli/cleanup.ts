import { parseArgs } from 'node:util'
import { openStoreByUrl } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { readStoreTime } from './store-time.ts'
import { requireStore, storeUrlHelp, storeUrlOf } from './store-url.ts'

const BATCH = 500

/** Removes what has expired, once: servers do so by themselves. */
export const cleanup: Command = {
  summary: 'removes expired sessions from a store, once',
  help: `keyturn cleanup [<store>] [--prefix <text>] [--schema <name>] [--json]

Removes expired sessions, in batches of ${BATCH}. Servers do so by themselves, one of them at a time; this is for a
store that none of them uses. Goes by the store's clock, and does nothing if this machine's is half an hour off.

  ${storeUrlHelp}
  --prefix  what the names of the tables or keys begin with
  --schema  the schema of the tables (PostgreSQL)
  --json    answers as JSON`,

  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { prefix: { type: 'string' }, schema: { type: 'string' }, json: { type: 'boolean' } },
    })
    const [named, ...rest] = positionals
    if (rest.length > 0) throw new UsageError('cleanup takes one store')
    const url = storeUrlOf(named, process.env)
    const { json = false, ...naming } = values
    await requireStore(url, naming)
    const store = await openStoreByUrl(url, { ...naming, migrate: 'manual' })
    try {
      const now = await readStoreTime(store)
      let removed = 0
      for (;;) {
        const count = await store.removeExpired(now, BATCH)
        removed += count
        if (count < BATCH) break
      }
      const told = `Removed ${removed} expired ${removed === 1 ? 'session' : 'sessions'}.`
      terminal.out(json ? JSON.stringify({ removed }) : told)
      return 0
    } finally {
      await store.close()
    }
  },
}
