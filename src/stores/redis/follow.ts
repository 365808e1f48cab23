import { outsideRequests } from '../../base/outside-requests.ts'
import { createFollowers } from '../followers.ts'
import type { RedisConnection } from './connection.ts'
import type { RedisDriver } from './driver.ts'

/** The followers of the change log, over one subscription for all of them. */
export interface Subscription {
  follow(wake: () => void): Promise<() => Promise<void>>
  close(): void
}

/** A subscription that is being opened or is open. */
interface Line {
  driver: RedisDriver | null
  open: boolean
  readonly made: Promise<void>
}

/** Prepares the subscription. It is opened for the first follower and closed with the last. */
export function createSubscription(connection: RedisConnection, channel: string): Subscription {
  const followers = createFollowers()
  let current: Line | null = null

  /** Opens a subscription. Where `before` is one on another server, the new one takes its place once it is open. */
  function openLine(before: Line | null = null): Line {
    const line: Line = { driver: null, open: true, made: connection.subscription().then(async driver => {
      line.driver = driver
      if (line.open) await driver.subscribe(channel, followers.wake)
      else driver.close()
    }) }
    line.made.then(() => {
      if (before === null) return
      shut(before)
      // Messages may have been missed meanwhile.
      followers.wake()
    }, () => {
      shut(line)
      if (current === line) current = before
      else if (before !== null) shut(before)
    })
    return line
  }

  function shut(line: Line): void {
    line.open = false
    line.driver?.close()
  }

  function close(): void {
    if (current !== null) shut(current)
    current = null
  }

  connection.onMove(() => {
    if (current !== null) current = openLine(current)
  })

  return {
    async follow(wake) {
      const stop = followers.add(wake)
      const leave = (): void => {
        stop()
        if (followers.size === 0) close()
      }
      try {
        await connection.use(() => (current ??= outsideRequests(() => openLine())).made)
      } catch (error) {
        leave()
        throw error
      }
      return async () => leave()
    },
    close,
  }
}
