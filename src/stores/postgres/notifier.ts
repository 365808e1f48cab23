import { jitter } from '../../base/jitter.ts'
import type { Milliseconds } from '../../base/time.ts'
import { runLater } from '../../base/timer.ts'
import { createDeadline } from '../deadline.ts'
import { createFollowers } from '../followers.ts'
import { createHeadPoller } from '../head-poller.ts'
import { isPooled } from './connections.ts'
import type { Connections } from './connections.ts'
import type { PostgresListener } from './driver.ts'
import { toStoreError } from './errors.ts'

/** Wakes the followers of the change log. */
export interface Notifier {
  follow(wake: () => void): Promise<() => Promise<void>>
  close(): void
}

const POLL_INTERVAL: Milliseconds = 500
const FIRST_RETRY: Milliseconds = 100
const LAST_RETRY: Milliseconds = 5000
const HEARTBEAT: Milliseconds = 15_000

/**
 * Listens on one connection while there are followers. If the connection breaks, it is opened again, after waits that
 * double up to 5 s, and all followers are woken for what they may have missed. Behind a pooler, which loses
 * notifications, the head of the log is polled twice a second instead.
 */
export function createNotifier(
  connections: Connections,
  channel: string,
  readHead: () => Promise<string>,
  requestTimeout: Milliseconds,
): Notifier {
  const followers = createFollowers()
  const within = createDeadline(requestTimeout, 'the PostgreSQL database')
  const wake = (): void => followers.wake()
  let endSource: (() => void) | null = null
  let starting: Promise<void> | null = null
  let cancelTimer: (() => void) | null = null
  // Counts how often following has started or stopped: events of an earlier run are ignored.
  let run = 0

  async function start(): Promise<void> {
    const current = ++run
    const opened = await open()
    const lost = (): void => {
      if (current === run) restart(FIRST_RETRY)
    }
    let end: () => void
    try {
      const listening = opened !== null && await within(listenOn(opened, lost))
      end = listening ? () => opened.end() : await poll()
      if (!listening) opened?.end()
      else if (current === run) scheduleHeartbeat(current, opened)
    } catch (error) {
      opened?.end()
      throw error
    }
    if (current === run) endSource = end
    else end()
  }

  async function open(): Promise<PostgresListener | null> {
    const opening = connections.listen()
    try {
      return await within(opening)
    } catch (error) {
      opening.then(late => late?.end(), () => undefined)
      throw error
    }
  }

  async function poll(): Promise<() => void> {
    const poller = createHeadPoller(readHead, POLL_INTERVAL, wake)
    await poller.start()
    return poller.stop
  }

  /** Starts listening. Returns false if notifications would be lost. */
  async function listenOn(opened: PostgresListener, lost: () => void): Promise<boolean> {
    opened.on('error', lost)
    opened.on('end', lost)
    if (await isPooled(opened, opened.announcedPid)) return false
    opened.on('notification', wake)
    await opened.query({ text: `LISTEN "${channel}"` })
    return true
  }

  /** If the other end has vanished, a connection looks idle until something is sent. */
  function scheduleHeartbeat(current: number, opened: PostgresListener): void {
    plan(HEARTBEAT, () => {
      within(opened.query({ text: 'SELECT 1' })).then(
        () => current === run && scheduleHeartbeat(current, opened),
        () => current === run && restart(FIRST_RETRY),
      )
    })
  }

  function restart(delay: Milliseconds): void {
    stop()
    plan(delay, () => {
      const begun = run + 1
      start().then(wake, () => begun === run && restart(Math.min(2 * delay, LAST_RETRY)))
    })
  }

  /** Not all processes do it at once: they may have lost their connections in the same moment. */
  function plan(delay: Milliseconds, task: () => void): void {
    cancelTimer = runLater(task, jitter(delay))
  }

  function stop(): void {
    run += 1
    cancelTimer?.()
    cancelTimer = null
    endSource?.()
    endSource = null
  }

  return {
    async follow(callback) {
      const remove = followers.add(callback)
      starting ??= start()
      try {
        await starting
      } catch (cause) {
        remove()
        starting = null
        throw toStoreError(cause)
      }
      return async () => {
        remove()
        if (followers.size > 0) return
        starting = null
        stop()
      }
    },
    close: stop,
  }
}
