import { describe, expect, inject, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { keyNames, userTagOf } from '../../src/stores/redis/key-names.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { connectCluster, connectIoredis, libraries, openStore, temporary } from '../support/redis-store.ts'
import { beginMove } from '../support/servers/move-slot.ts'
import { startRedisCluster } from '../support/servers/redis-cluster.ts'

const missing = inject('redisUrl') === null
const from = sampleNow + minute

async function revokedIn(store: SessionStore): Promise<string[]> {
  const handles: string[] = []
  for (let cursor: string | null = null, more = true; more;) {
    const page = await store.changesSince(cursor, 1000)
    handles.push(...page.changes.flatMap(change => change.kind === 'revoked' ? change.handles : []))
    cursor = page.cursor
    more = page.more
  }
  return handles
}

describe.skipIf(missing)('a Redis Cluster whose slots move', () => {
  test.each(libraries)('E-05: a call that is refused while its slot moves is repeated (%s)', async library => {
    const cluster = temporary(await startRedisCluster())
    const prefix = 'mv:'
    const store = openStore(await connectCluster(library, cluster.nodes), { prefix })
    const handle = sampleHandle(1)
    await store.insert(sampleRecord({ handle }))
    const move = await beginMove(cluster.nodes, keyNames(prefix).session(handle))
    const admins = cluster.primaries.map(({ url }) => connectIoredis(url))
    const refusals = async (): Promise<string> =>
      (await Promise.all(admins.map(admin => admin.info('errorstats')))).join('')
    const moved = (async () => {
      await expect.poll(refusals).toMatch(/errorstat_TRYAGAIN:count=[1-9]/)
      await move.finish()
    })()
    // A removal uses two keys of the session's slot, of which one exists.
    const [removal] = await Promise.all([store.remove([handle], from), moved])
    expect(removal.handles).toEqual([handle])
    expect(await revokedIn(store)).toEqual([handle])
  })

  test.each(libraries)('E-05: logins, refreshes and revocations go on while five slots move (%s)', async library => {
    const cluster = temporary(await startRedisCluster())
    const prefix = 'mv:'
    const store = openStore(await connectCluster(library, cluster.nodes), { prefix, requestTimeout: '20s' })
    const names = keyNames(prefix)
    let lives = 0
    let going = true
    const lived: string[] = []
    const writers = [0, 1, 2, 3].map(async writer => {
      for (let number = 0; going; number++) {
        const handle = sampleHandle(1000 + writer * 100_000 + number)
        expect(await store.insert(sampleRecord({ handle, userId: `user-${writer}` }))).toBe(true)
        expect(await store.rotate(sampleRotation({ handle }))).not.toBeNull()
        expect((await store.remove([handle], from)).handles).toEqual([handle])
        expect(await store.find(handle)).toBeNull()
        lived.push(handle)
        lives += 1
      }
    })
    const many = async (): Promise<void> => {
      const before = lives
      await expect.poll(() => lives).toBeGreaterThan(before + 20)
    }
    const user = names.user(userTagOf('user-1'))
    const keys = [names.changes, names.session(sampleHandle(5)), user, names.expiry(3), names.changes]
    const moving = (async () => {
      for (const key of keys) {
        await many()
        const move = await beginMove(cluster.nodes, key)
        // Some calls wait for the end of the move. The others do not meet the slot.
        await move.finish()
      }
      await many()
    })().finally(() => { going = false })
    await Promise.all([moving, ...writers])
    expect((await revokedIn(store)).toSorted()).toEqual(lived.toSorted())
  })
})
