import { removeAllExpired } from '../session/removals.ts'
import { acceptedUrls } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { readStoreTime } from './store-time.ts'
import { describeStoreFlags, openExisting, parseStoreCall } from './store.ts'

const BATCH = 500

/** `keyturn cleanup`: removes expired sessions, once. Running servers do so by themselves. */
export const cleanup: Command = {
  summary: 'removes expired sessions from a store, once',
  help: `keyturn cleanup [URL]

Removes expired sessions, in batches of ${BATCH}. Running servers do this by themselves, one of them at a time: you need
this command only for a store that no server uses. It uses the store's clock. If this machine's clock is half an hour
or more off the store's, the command removes nothing and fails.

${describeStoreFlags({})}`,

  async run(args, terminal) {
    const { words, json, place } = parseStoreCall(args, {})
    if (words.length > 0) throw new UsageError(`cleanup takes one argument, the store: ${acceptedUrls}`)
    const store = await openExisting(place)
    try {
      const now = await readStoreTime(store)
      let removed = 0
      for await (const part of removeAllExpired(store, () => now, BATCH)) removed += part
      const text = `Removed ${removed} expired ${removed === 1 ? 'session' : 'sessions'}.`
      terminal.out(json ? JSON.stringify({ removed }) : text)
      return 0
    } finally {
      await store.close()
    }
  },
}
