import { GeneralError } from '../../base/errors.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import type { Milliseconds } from '../../base/time.ts'
import { runLater } from '../../base/timer.ts'
import { createDeadline } from '../deadline.ts'
import type { RedisDriver } from './driver.ts'
import { isFromReplica, toStoreError } from './errors.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger } from './reply.ts'
import type { Script } from './script.ts'
import { checkEviction, checkRights, isReplica } from './server-checks.ts'

/** Settings of a store's connection to Redis. */
export interface ConnectionOptions {
  /** The time limit of a call to the store. */
  readonly requestTimeout: Milliseconds
  /** How many replicas must have a durable write before it is acknowledged. */
  readonly replicas: number
  readonly allowEviction: boolean
  readonly names: KeyNames
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
  /**
   * Checks again what was checked at the first use and may have changed since. Leaves a server that has become a
   * replica. @throws GeneralError (`MISUSE`) if the server may evict sessions by now.
   */
  checkAgain(): Promise<void>
  /** Opens a connection for a subscription; the caller closes it. */
  subscription(): Promise<RedisDriver>
  /** Calls the listener after the store has changed to a connection that leads to another server. */
  onMove(listener: () => void): void
  /** Waits for the work of `later`. */
  settled(): Promise<void>
  /** Closes the connections that the store opened, and those that it is about to open. */
  close(): Promise<void>
}

/** How long the store stays with a connection to a replica before it looks again where a new connection leads. */
const LOOK_AGAIN_AFTER: Milliseconds = 250

/** Prepares the connection to Redis. `open` returns the application's client, or one that the store owns. */
export function createConnection(
  open: () => Promise<{ readonly driver: RedisDriver; readonly own: boolean }>,
  options: ConnectionOptions,
): RedisConnection {
  const { requestTimeout, replicas, allowEviction, names } = options
  const within = createDeadline(requestTimeout, 'Redis', error => {
    if (isFromReplica(error)) leave()
    return toStoreError(error)
  })
  const pending = new Set<Promise<unknown>>()
  const opened = new Set<RedisDriver>()
  const listeners: (() => void)[] = []
  let opening: Promise<Lines> | null = null
  let lines: Lines | null = null
  let closed = false
  /** On the monotonic clock. */
  let lookAgainAt: Milliseconds = 0

  async function openLines(): Promise<Lines> {
    const { driver, own } = await open()
    if (own) opened.add(driver)
    if (closed) {
      closeAll()
      throw wasClosed()
    }
    const commands = commandsOf(driver)
    await Promise.all([checkRights(commands, names), allowEviction || checkEviction(driver)])
    return linesOver(driver)
  }

  async function linesOver(driver: RedisDriver): Promise<Lines> {
    const durable = replicas > 0 ? await driver.duplicate() : driver
    if (durable !== driver) opened.add(durable)
    if (closed) closeAll()
    return { driver, fast: commandsOf(driver), durable: commandsOf(durable), durableDriver: durable }
  }

  function ready(): Promise<Lines> {
    opening ??= outsideRequests(() => openLines().then(found => {
      lines = found
      return found
    }, (error: unknown) => {
      opening = null
      closeAll()
      throw error
    }))
    return opening
  }

  function closeAll(): void {
    for (const driver of opened) driver.close()
    opened.clear()
  }

  /**
   * Looks where a new connection leads: the server of this one accepts no writes. A primary that was demoted keeps its
   * connections, while the address of the store may lead to its successor by now. An application's client stays open,
   * but is no longer used. The drivers of clusters find the primaries themselves.
   */
  function leave(): void {
    if (closed || lines === null || lines.driver.cluster || performance.now() < lookAgainAt) return
    lookAgainAt = Number.POSITIVE_INFINITY
    const left = lines
    outsideRequests(() => move(left)).catch(() => undefined).finally(() => {
      lookAgainAt = performance.now() + LOOK_AGAIN_AFTER
    })
  }

  async function move(left: Lines): Promise<void> {
    const driver = await left.driver.duplicate()
    opened.add(driver)
    const leadsToReplica = await within(isReplica(driver)).catch(() => true)
    if (leadsToReplica || closed) {
      shut(driver)
      return
    }
    const found = await linesOver(driver)
    lines = found
    opening = Promise.resolve(found)
    // The calls that are under way still use the old connections.
    runLater(() => {
      for (const old of [left.driver, left.durableDriver]) shut(old)
    }, requestTimeout)
    for (const listener of listeners) listener()
  }

  /** Closes a connection if the store opened it. */
  function shut(driver: RedisDriver): void {
    if (opened.delete(driver)) driver.close()
  }

  /** Stops waiting at the time limit with an error that says so. The work may still succeed afterwards. */
  function inTime<T>(work: (found: Lines) => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(wasClosed())
    return within(lines === null ? ready().then(work) : work(lines))
  }

  async function awaitReplicas({ durableDriver }: Lines, keys: readonly string[]): Promise<void> {
    const places = durableDriver.cluster ? keys : keys.slice(0, 1)
    const command = ['WAIT', `${replicas}`, `${Math.ceil(requestTimeout / 2)}`]
    const counts = await Promise.all(places.map(key => durableDriver.sendAfter(key, command)))
    if (counts.every(count => toInteger(count) >= replicas)) return
    throw new GeneralError('STORE_UNAVAILABLE',
      'the write is on the Redis primary only: too few replicas answered in time')
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
    checkAgain: () => inTime(async ({ driver }) => {
      const [leadsToReplica] = await Promise.all([
        !driver.cluster && isReplica(driver), allowEviction || checkEviction(driver),
      ])
      if (leadsToReplica) leave()
    }),
    async subscription() {
      return (await ready()).driver.duplicate()
    },
    onMove(listener) {
      listeners.push(listener)
    },
    settled: async () => void await Promise.all(pending),
    async close() {
      closed = true
      closeAll()
    },
  }
}

function wasClosed(): GeneralError {
  return new GeneralError('MISUSE', 'the Redis store was closed')
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
