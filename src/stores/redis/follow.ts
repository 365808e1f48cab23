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

  function openLine(): Line {
    const line: Line = { driver: null, open: true, made: connection.subscription().then(async driver => {
      line.driver = driver
      if (line.open) await driver.subscribe(channel, followers.wake)
      else driver.close()
    }) }
    line.made.catch(() => {
      if (current === line) close()
    })
    return line
  }

  function close(): void {
    if (current === null) return
    current.open = false
    current.driver?.close()
    current = null
  }

  return {
    async follow(wake) {
      const stop = followers.add(wake)
      const leave = (): void => {
        stop()
        if (followers.size === 0) close()
      }
      try {
        await connection.use(() => (current ??= openLine()).made)
      } catch (error) {
        leave()
        throw error
      }
      return async () => leave()
    },
    close,
  }
}
