import { checkOptions, checkValue } from '../base/options.ts'
import type { Duration } from '../base/duration.ts'
import type { SessionStore } from '../session/store.ts'
import { createClose } from './closing.ts'
import { requestTimeoutOf } from './options.ts'
import { createChangeLog } from './redis/change-log.ts'
import { createCleanup } from './redis/cleanup.ts'
import { createConnection } from './redis/connection.ts'
import type { RedisDriver } from './redis/driver.ts'
import { createEventLog } from './redis/events.ts'
import { createSubscription } from './redis/follow.ts'
import { ioredisDriver } from './redis/ioredis.ts'
import type { IoredisClient, IoredisCluster } from './redis/ioredis.ts'
import { keyNames } from './redis/key-names.ts'
import { createImportClaims } from './redis/import-claims.ts'
import { createKeyTable } from './redis/keys.ts'
import { createNewestList } from './redis/newest.ts'
import { nodeRedisDriver } from './redis/node-redis.ts'
import type { NodeRedisClient, NodeRedisCluster } from './redis/node-redis.ts'
import { openUrl } from './redis/open-url.ts'
import { allowEviction, keyPrefixRule, redisRules, redisSourceRule } from './redis/options.ts'
import { createRemoval } from './redis/removal.ts'
import { createSessionTable } from './redis/sessions.ts'
import { createLeases } from './redis/leases.ts'
import type { RedisConnection } from './redis/connection.ts'
import type { KeyNames } from './redis/key-names.ts'
import { toInteger, toList } from './redis/reply.ts'
import { defineScript } from './redis/script.ts'

export type { IoredisClient, IoredisCluster } from './redis/ioredis.ts'
export type { NodeRedisClient, NodeRedisCluster } from './redis/node-redis.ts'

/** A client that a store accepts: of ioredis or of `redis` (node-redis), for one server or a cluster. */
export type RedisClient = IoredisClient | IoredisCluster | NodeRedisClient | NodeRedisCluster

export { allowEviction } from './redis/options.ts'

/** Options of {@link createRedisStore}. */
export interface RedisStoreOptions {
  /**
   * The prefix of the names of all keys: a letter or `_`, then letters, digits, `_ . : -`; at most 63 characters.
   * Default: `keyturn:`.
   */
  readonly prefix?: string
  /**
   * How many replicas must have a login, a revocation, a key or an update before it is acknowledged, from 0 to 1,000.
   * Costs a connection and a round trip. If too few replicas acknowledge it in time, the call throws GeneralError
   * (`STORE_UNAVAILABLE`), although the primary has done the write. Default: 0.
   */
  readonly replicas?: number
  /** How long a call may wait for the server: from 1 ms to 1 hour. Default: 5 seconds. */
  readonly requestTimeout?: Duration
  /** Whether to accept a server that evicts keys when its memory is full, which logs users out. Default: false. */
  readonly [allowEviction]?: boolean
}

/**
 * Creates a store on Redis 6.2 or newer, Valkey, or a Redis Cluster. The application closes its own client, after it
 * has closed the store. For a URL of one server, the store opens a client with ioredis or `redis`, whichever is
 * installed. The first call checks whether the server would evict sessions, and whether the user has all rights that
 * the store needs. If the server becomes a replica, the store continues with a new connection, once that leads to a
 * primary.
 * @throws GeneralError (`MISUSE`) if an option or the client is invalid.
 */
export function createRedisStore(clientOrUrl: RedisClient | string, options: RedisStoreOptions = {}): SessionStore {
  checkValue('clientOrUrl', redisSourceRule, clientOrUrl)
  checkOptions('createRedisStore', redisRules, options)
  const { replicas = 0, prefix = keyPrefixRule.defaultValue } = options
  const requestTimeout = requestTimeoutOf(options.requestTimeout)
  const names = keyNames(prefix)
  const connection = createConnection(opener(clientOrUrl), {
    replicas, requestTimeout, allowEviction: options[allowEviction] === true, names,
  })
  const nextName = createNames()
  const log = createChangeLog(names, nextName)
  const subscription = createSubscription(connection, names.channel)
  const { settled, ...sessions } = createSessionTable(connection, log, names, nextName)
  const { time } = createTime(connection, names)
  return {
    // Opening the connection checks the user's rights; there are no tables.
    check: async () => void await time(),
    ...sessions,
    ...createRemoval(connection, log, names, nextName),
    ...createCleanup(connection, log, names),
    ...createKeyTable(connection, log, names),
    ...createEventLog(connection, names),
    ...createNewestList(connection, names),
    ...createImportClaims(connection, names, nextName),
    ...createLeases(connection, names),
    time,
    changesSince: (cursor, limit) => connection.use(commands => log.since(commands, cursor, limit)),
    follow: subscription.follow,
    close: createClose({
      async settle() {
        subscription.close()
        await settled()
        await connection.settled()
      },
      end: connection.close,
      cut: () => undefined,
    }),
  }
}

function opener(clientOrUrl: RedisClient | string): () => Promise<{ driver: RedisDriver; own: boolean }> {
  if (typeof clientOrUrl === 'string') {
    return async () => ({ driver: await openUrl(clientOrUrl), own: true })
  }
  const driver = driverOf(clientOrUrl)
  return async () => ({ driver, own: false })
}

function driverOf(client: RedisClient): RedisDriver {
  return 'call' in client ? ioredisDriver(client) : nodeRedisDriver(client)
}

/** Generates names that are unique among all stores. */
function createNames(): () => string {
  // Created at the first call: Workers allow no randomness while a module loads.
  let own: string | null = null
  let count = 0
  return () => {
    own ??= crypto.randomUUID().replaceAll('-', '').slice(0, 16)
    return `${own}${(count++).toString(36)}`
  }
}

/** KEYS: one that selects the server. Returns seconds, and the microseconds beyond them. */
const timeScript = defineScript('return redis.call(\'TIME\')')

/**
 * The time of Redis. In a cluster, every process reads the clock of the server that has the change log. Each process
 * calls this once a minute while no request waits for it, so it also checks the server's settings again.
 */
function createTime(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'time'> {
  return {
    async time() {
      const checking = connection.checkAgain()
      const telling = connection.use(({ run }) => run(timeScript, [names.changes], []))
      const [[seconds, microseconds]] = await Promise.all([telling.then(toList), checking])
      return toInteger(seconds) * 1000 + Math.floor(toInteger(microseconds) / 1000)
    },
  }
}
