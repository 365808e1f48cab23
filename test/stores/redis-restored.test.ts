import { expect, inject, test } from 'vitest'
import type { Redis } from 'ioredis'
import { expectNothingSkippedAfterRestore } from '../support/restored-log.ts'
import type { Backup } from '../support/restored-log.ts'
import { connectIoredis, openStore } from '../support/redis-store.ts'

const url = inject('redisUrl') ?? ''

/** Backups of the keys with a prefix. */
function backupOf(client: Redis, prefix: string): Backup {
  const saved = new Map<string, { readonly ttl: number; readonly value: Buffer }>()
  return {
    async save() {
      for (const key of await client.keys(`${prefix}*`)) {
        const value = await client.dumpBuffer(key)
        if (value !== null) saved.set(key, { ttl: Math.max(0, await client.pttl(key)), value })
      }
    },
    async restore() {
      for (const key of await client.keys(`${prefix}*`)) await client.del(key)
      for (const [key, { ttl, value }] of saved) expect(await client.restore(key, ttl, value)).toBe('OK')
    },
  }
}

test.skipIf(url === '')('ST-09: after a restore of Redis in place, a reader skips no change', async () => {
  const prefix = 'restored:'
  const client = connectIoredis(url)
  await expectNothingSkippedAfterRestore(openStore(client, { prefix }), backupOf(client, prefix))
})
