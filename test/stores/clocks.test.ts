import { Cluster, Redis } from 'ioredis'
import { describe, expect, inject, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { createMariadbDatabase } from '../support/servers/mariadb.ts'
import { createTestCore, login, owner, SECOND } from '../support/test-core.ts'

const postgres = inject('postgresUrl')
const mariadb = inject('mariadbUrl')
const redis = inject('redisUrl')
const nodes = inject('redisClusterNodes')

/** Opens stores on the same data; and what ends whatever they do not end themselves. */
interface Data {
  readonly open: () => SessionStore
  readonly discard: () => void
}

const servers: readonly (readonly [name: string, available: boolean, create: () => Promise<Data>])[] = [
  ['PostgreSQL', postgres !== null, async () => ({
    open: () => createPostgresStore(postgres ?? '', { schema: 'clocks', migrate: 'auto' }),
    discard: () => undefined,
  })],
  ['MariaDB', mariadb !== null, async () => {
    const url = await createMariadbDatabase(mariadb ?? '', 'clocks')
    return { open: () => createMysqlStore(url, { migrate: 'auto' }), discard: () => undefined }
  }],
  ['Redis', redis !== null, async () => {
    const client = new Redis(redis ?? '')
    return { open: () => createRedisStore(client, { prefix: 'clocks:' }), discard: () => client.disconnect() }
  }],
  ['Redis Cluster', nodes !== null, async () => {
    const client = new Cluster([...nodes ?? []])
    return { open: () => createRedisStore(client, { prefix: 'clocks:' }), discard: () => client.disconnect() }
  }],
]

/** A process that goes by the store's time, and whose own clock is wrong. */
function startProcess(store: SessionStore, offset: number, alarms: unknown[]): ReturnType<typeof createTestCore> {
  return createTestCore({
    store,
    clock: Object.assign(() => Date.now() + offset, { advance: () => undefined }),
    followStoreTime: true,
    events: { onTokenTheft: event => void alarms.push(event) },
  })
}

for (const [name, available, create] of servers) describe.skipIf(!available)(`ROT-12: ${name}`, () => {
  test('ten tabs that refresh at once on two processes, one of them five minutes off, rotate once and raise no alarm', async () => {
    const { open, discard } = await create()
    const alarms: unknown[] = []
    const right = startProcess(open(), 0, alarms)
    try {
      for (const offset of [300 * SECOND, -300 * SECOND]) {
        const wrong = startProcess(open(), offset, alarms)
        for (const processes of [[right, wrong], [wrong, right]]) {
          let { refreshToken } = await login(right.core)
          for (let round = 1; round <= 3; round++) {
            const answers = await Promise.all(Array.from({ length: 10 }, async (_, tab) =>
              processes[tab % 2]?.core.refresh(refreshToken, 'header', owner)))
            const issued = answers.map(answer => answer?.kind === 'refreshed' ? answer : null)
            expect(issued.filter(answer => answer?.how === 'rotate')).toHaveLength(1)
            expect(issued.filter(answer => answer?.how === 'retry')).toHaveLength(9)
            const tokens = new Set(issued.map(answer => answer?.issued.refreshToken ?? ''))
            expect(tokens.size).toBe(1)
            for (const token of tokens) refreshToken = token
          }
        }
        expect(Math.abs(wrong.core.clock() - Date.now())).toBeLessThan(2 * SECOND)
        await wrong.core.close()
      }
      expect(alarms).toEqual([])
    } finally {
      await right.core.close()
      discard()
    }
  })
})
