import { acceptedUrls } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { readStoreTime } from './store-time.ts'
import { describeStoreFlags, openExisting, parseStoreCall } from './store.ts'

const BATCH = 500

/** Removes what has expired, once: servers do so by themselves. */
export const cleanup: Command = {
  summary: 'removes expired sessions from a store, once',
  help: `keyturn cleanup [URL]

Removes expired sessions, in batches of ${BATCH}. Servers do so by themselves, one of them at a time; this is for a
store that none of them uses. Goes by the store's clock, and does nothing if this machine's is half an hour off.

${describeStoreFlags({})}`,

  async run(args, terminal) {
    const { words, json, place } = parseStoreCall(args, {})
    if (words.length > 0) throw new UsageError(`cleanup takes one word, the store: ${acceptedUrls}`)
    const store = await openExisting(place)
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
