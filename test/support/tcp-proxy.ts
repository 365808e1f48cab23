import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** Stands between a client and a server on the loopback interface, and spoils their connection on request. */
export interface TcpProxy {
  readonly port: number
  /** How many answers {@link TcpProxy.cutBeforeReply} has cut off. */
  readonly cuts: number
  /** Leads new connections to another port; those that are open stay where they are. */
  leadTo(port: number): void
  /** Lets the next request through and cuts the connection when its answer comes, which the client never sees. */
  cutBeforeReply(): void
  /**
   * Holds back every answer of the server from now on, until {@link TcpProxy.resume}. Resolves when the first one is
   * held: somebody is waiting for it.
   */
  holdAnswers(): Promise<void>
  /** Lets no byte through, in either direction, until {@link TcpProxy.resume}. */
  stall(): void
  /** Lets through what comes and, late, what was held back. */
  resume(): void
  /**
   * Leaves every connection as it is for good: nothing comes through it any more, not even its end. How many there
   * were.
   */
  forget(): number
  /** Cuts every connection at once; what is held back is lost. How many there were. */
  cutAll(): number
  close(): Promise<void>
}

/** Starts a proxy in front of a port. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const forgotten = new Set<Socket>()
  const held: (() => void)[] = []
  let armed = false
  let cuts = 0
  let stalled = false
  let port = target
  let hear: (() => void) | null = null

  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1')
    const both = [client, upstream]
    const cut = (): void => {
      for (const socket of both) {
        socket.destroy()
        sockets.delete(socket)
      }
    }
    for (const socket of both) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', cut)
      socket.on('close', cut)
      if (stalled) socket.pause()
    }
    client.on('data', chunk => upstream.write(chunk))
    upstream.on('data', chunk => {
      if (armed) {
        armed = false
        cuts += 1
        cut()
      } else if (hear !== null) {
        held.push(() => client.write(chunk))
        hear()
      } else {
        client.write(chunk)
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const cutAll = (): number => {
    held.length = 0
    const connections = sockets.size / 2
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    return connections
  }

  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts
    },
    leadTo(next) {
      port = next
    },
    cutBeforeReply() {
      armed = true
    },
    holdAnswers: () => new Promise(resolve => {
      hear = resolve
    }),
    stall() {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    resume() {
      stalled = false
      hear = null
      for (const send of held.splice(0)) send()
      for (const socket of sockets) socket.resume()
    },
    forget() {
      const connections = sockets.size / 2
      for (const socket of sockets) {
        socket.removeAllListeners('data').removeAllListeners('close')
        forgotten.add(socket)
      }
      sockets.clear()
      return connections
    },
    cutAll,
    async close() {
      cutAll()
      for (const socket of forgotten) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
