import { atMost } from '../base/at-most.ts'
import { closeOnce } from '../base/close-once.ts'
import type { Milliseconds } from '../base/time.ts'

/** How to close a store over a network, in this order. */
export interface ClosingSteps {
  /** Waits for the calls that are under way. */
  settle(): Promise<unknown>
  /** Ends the connections that the store opened, in the way of the database. */
  end(): Promise<unknown>
  /** Destroys the connections that are left: a server that has gone silent would never close them. */
  cut(): void
}

/** How long closing waits for the calls that are under way. */
const CALLS_LIMIT: Milliseconds = 5_000
/** How long closing then waits for the server to close its side. */
const END_LIMIT: Milliseconds = 1_000

/**
 * Makes the method `close` of a store over a network. All calls return one promise, which never rejects and resolves
 * within both limits.
 */
export function createClose({ settle, end, cut }: ClosingSteps): () => Promise<void> {
  return closeOnce(async () => {
    // Whatever fails meanwhile, the connections are gone afterwards.
    await atMost(CALLS_LIMIT, settle()).catch(() => false)
    await atMost(END_LIMIT, end()).catch(() => false)
    cut()
  })
}

/** The sockets of the connections that a store opened. */
export interface Sockets {
  /** Adds the socket of a new connection, which does not keep the process alive: calls that are under way do. */
  add(connection: object): void
  /** Resolves when all of them are closed. */
  closed(): Promise<void>
  /** Destroys those that are still open. */
  destroy(): void
}

/** The part of a socket that is used. */
interface Socket {
  unref(): unknown
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Creates an empty collection. `find` returns the driver's socket of a connection. */
export function createSockets(find: (connection: object) => unknown): Sockets {
  const open = new Set<Socket>()
  const waiting: (() => void)[] = []

  function forget(socket: Socket): void {
    open.delete(socket)
    if (open.size > 0) return
    for (const resolve of waiting.splice(0)) resolve()
  }

  return {
    add(connection) {
      const socket = find(connection)
      if (!isSocket(socket)) return
      open.add(socket)
      socket.once('close', () => forget(socket))
      socket.unref()
    },
    closed: () => new Promise(resolve => {
      if (open.size === 0) resolve()
      else waiting.push(resolve)
    }),
    destroy() {
      for (const socket of open) socket.destroy()
    },
  }
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'unref' in value && 'destroy' in value && 'once' in value
}
