import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import type { RedisDriver } from './driver.ts'
import { toStoreError } from './errors.ts'
import { toInteger, toText } from './reply.ts'
import type { Script } from './script.ts'

/** Settings of a store's connection to Redis. */
export interface ConnectionOptions {
  /** The time limit of a call to the store. */
  readonly requestTimeout: Milliseconds
  /** How many replicas must have a durable write before it is acknowledged. */
  readonly replicas: number
  readonly allowEviction: boolean
}

/** Sends commands for the methods of the store. */
export interface Commands {
  /** Whether keys of different slots may be on different servers. */
  readonly cluster: boolean
  send(key: string, command: readonly string[]): Promise<unknown>
  /** Runs a script; its first key selects the server. One round trip once the server knows the script. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
}

/** The connection to Redis, opened at the first use. */
export interface RedisConnection {
  /** Does the work within the time limit. @throws GeneralError for every failure (REV-11). */
  use<T>(work: (commands: Commands) => Promise<T>): Promise<T>
  /**
   * As {@link RedisConnection.use}; then waits until the primaries of `keys` have as many up-to-date replicas as the
   * store requires. Uses a separate connection, because WAIT blocks every other command on its connection.
   */
  useDurably<T>(keys: () => readonly string[], work: (commands: Commands) => Promise<T>): Promise<T>
  /** Does work that no caller waits for and that may fail. */
  later(work: (commands: Commands) => Promise<unknown>): void
  /** Opens a connection for a subscription; the caller closes it. */
  subscription(): Promise<RedisDriver>
  /** Waits for the work of `later`, and closes the connections that the store opened. */
  close(): Promise<void>
}

/** Prepares the connection to Redis. `open` returns the application's client, or one that the store owns. */
export function createConnection(
  open: () => Promise<{ readonly driver: RedisDriver; readonly own: boolean }>,
  options: ConnectionOptions,
): RedisConnection {
  const { requestTimeout, replicas, allowEviction } = options
  const within = createDeadline(requestTimeout, 'Redis', toStoreError)
  const pending = new Set<Promise<unknown>>()
  const opened: RedisDriver[] = []
  let opening: Promise<Lines> | null = null
  let lines: Lines | null = null
  let closed = false

  async function openLines(): Promise<Lines> {
    const { driver, own } = await open()
    if (own) opened.push(driver)
    if (!allowEviction) await checkEviction(driver)
    const durable = replicas > 0 ? await driver.duplicate() : driver
    if (durable !== driver) opened.push(durable)
    if (closed) closeAll()
    return { driver, fast: commandsOf(driver), durable: commandsOf(durable), durableDriver: durable }
  }

  function ready(): Promise<Lines> {
    opening ??= openLines().then(found => {
      lines = found
      return found
    }, (error: unknown) => {
      opening = null
      closeAll()
      throw error
    })
    return opening
  }

  function closeAll(): void {
    for (const driver of opened.splice(0)) driver.close()
  }

  /** Stops waiting at the time limit with an error that says so. The work may still succeed afterwards. */
  function inTime<T>(work: (found: Lines) => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new GeneralError('MISUSE', 'the Redis store was closed'))
    return within(lines === null ? ready().then(work) : work(lines))
  }

  async function awaitReplicas({ durableDriver }: Lines, keys: readonly string[]): Promise<void> {
    const places = durableDriver.cluster ? keys : keys.slice(0, 1)
    const command = ['WAIT', `${replicas}`, `${Math.ceil(requestTimeout / 2)}`]
    const counts = await Promise.all(places.map(key => durableDriver.sendAfter(key, command)))
    if (counts.every(count => toInteger(count) >= replicas)) return
    throw new GeneralError('STORE_UNAVAILABLE', 'the write is on the Redis primary only: too few replicas answered in time')
  }

  return {
    use: work => inTime(({ fast }) => work(fast)),
    useDurably: (keys, work) => inTime(async found => {
      const result = await work(found.durable)
      if (replicas > 0) await awaitReplicas(found, keys())
      return result
    }),
    later(work) {
      const task = inTime(({ fast }) => work(fast)).catch(() => undefined).finally(() => pending.delete(task))
      pending.add(task)
    },
    async subscription() {
      return (await ready()).driver.duplicate()
    },
    async close() {
      await Promise.all(pending)
      closed = true
      closeAll()
    },
  }
}

interface Lines {
  readonly driver: RedisDriver
  readonly fast: Commands
  readonly durable: Commands
  readonly durableDriver: RedisDriver
}

function commandsOf(driver: RedisDriver): Commands {
  return {
    cluster: driver.cluster,
    send: driver.send,
    async run({ text, digest }, keys, args) {
      const rest = [`${keys.length}`, ...keys, ...args.map(String)]
      const first = keys[0] ?? ''
      try {
        return await driver.send(first, ['EVALSHA', digest, ...rest])
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return driver.send(first, ['EVAL', text, ...rest])
      }
    },
  }
}

/**
 * Refuses a server that evicts keys when its memory is full: sessions would end without notice, and signing keys would
 * be lost.
 * @throws GeneralError (`MISUSE`)
 */
async function checkEviction(driver: RedisDriver): Promise<void> {
  for (const reply of await driver.sendToAll(['INFO', 'memory'])) {
    const policy = /^maxmemory_policy:(.+?)\r?$/m.exec(toText(reply))?.[1] ?? 'unknown'
    if (policy === 'noeviction') continue
    throw new GeneralError('MISUSE', `Redis may evict sessions and keys (maxmemory-policy is ${policy}): `
      + 'set it to noeviction, or pass [allowEviction]: true to accept that users are logged out at random')
  }
}
