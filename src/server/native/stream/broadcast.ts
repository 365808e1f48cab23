import { jitter } from '../../../base/jitter.ts'
import { outsideRequests } from '../../../base/outside-requests.ts'
import type { Milliseconds } from '../../../base/time.ts'
import { createBacklog } from './backlog.ts'
import type { Backlog, ReaderDependencies } from './backlog.ts'
import type { EventPage } from './event-page.ts'
import { startLiveReader } from './live-reader.ts'
import type { LiveReader } from './live-reader.ts'

/**
 * Passes the changes of an application to all its streams. However many there are, one reader follows the change log:
 * from the first stream on, until the last one has left.
 */
export interface Broadcast extends Backlog {
  /** Adds a stream. It receives every page that is read from then on. Does nothing after `close`. */
  join(member: BroadcastMember): void
  leave(member: BroadcastMember): void
  /** Whether new changes are being read. */
  isLive(): boolean
  /** Whether new changes are read from exactly this cursor on. Starts that if no changes are being read yet. */
  continuesAt(cursor: string | null): boolean
  /** Ends all streams, and resolves when nothing is being read any more. */
  close(): Promise<void>
}

/** A stream. None of its methods may wait. */
export interface BroadcastMember {
  receive(page: EventPage): void
  /** Called every few seconds: both sides notice a broken connection if something is sent. */
  beat(): void
  /** The application is no longer served. */
  end(): void
}

const HEARTBEAT: Milliseconds = 15_000

/** How many streams are written to before other work of the process gets its turn. */
const MEMBERS_PER_TURN = 250

/** Creates the broadcast of an application. Reads nothing before the first stream. */
export function createBroadcast(dependencies: ReaderDependencies): Broadcast {
  const { schedule, onError, random } = dependencies
  const backlog = createBacklog(dependencies)
  const members = new Set<BroadcastMember>()
  let reader: LiveReader | null = null
  let stopped: Promise<void> = Promise.resolve()
  let cancelBeat: (() => void) | null = null
  let isClosed = false

  /** Calls `act` with every stream. A stream that joins meanwhile may be among them. */
  async function forEach(act: (member: BroadcastMember) => void): Promise<void> {
    let count = 0
    for (const member of members) {
      try {
        act(member)
      } catch (error) {
        // It has missed something, and the others must not.
        member.end()
        onError(error)
      }
      count += 1
      if (count % MEMBERS_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }

  function planBeat(): void {
    cancelBeat = schedule(() => {
      cancelBeat = null
      void forEach(member => member.beat()).then(() => {
        if (members.size > 0 && cancelBeat === null) planBeat()
      })
    }, jitter(HEARTBEAT, random))
  }

  function stop(): void {
    cancelBeat?.()
    cancelBeat = null
    if (reader !== null) stopped = Promise.all([stopped, reader.stop()]).then(() => undefined)
    reader = null
  }

  // What streams share belongs to no request: it must not run in the context of the one that starts it (traces).
  return {
    read: (cursor, signal) => outsideRequests(() => backlog.read(cursor, signal)),
    join(member) {
      if (isClosed) {
        member.end()
        return
      }
      members.add(member)
      if (cancelBeat === null && members.size === 1) outsideRequests(planBeat)
    },
    leave(member) {
      if (members.delete(member) && members.size === 0) stop()
    },
    isLive: () => reader !== null,
    continuesAt(cursor) {
      reader ??= outsideRequests(() => startLiveReader({
        ...dependencies, deliver: page => forEach(member => member.receive(page)),
      }, cursor))
      return reader.cursor() === cursor
    },
    async close() {
      isClosed = true
      for (const member of members) member.end()
      members.clear()
      stop()
      await stopped
    },
  }
}
