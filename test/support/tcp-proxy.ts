import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** Stands between a client and a server on the loopback interface, and spoils their connection on request. */
export interface TcpProxy {
  readonly port: number
  /** Lets the next request through and cuts the connection when its answer comes, which the client never sees. */
  cutBeforeReply(): void
  /** Holds back the server's answers by so many milliseconds from now on; 0 lets them through at once. */
  delay(milliseconds: number): void
  /** Lets no byte through, in either direction, until {@link TcpProxy.resume}. */
  stall(): void
  resume(): void
  /** Cuts every connection at once. */
  cutAll(): void
  close(): Promise<void>
}

/** Starts a proxy in front of a port. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let armed = false
  let delay = 0
  let stalled = false

  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1')
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
        cut()
      } else if (delay > 0) {
        setTimeout(() => client.write(chunk), delay)
      } else {
        client.write(chunk)
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }

  return {
    port: (server.address() as AddressInfo).port,
    cutBeforeReply() {
      armed = true
    },
    delay(milliseconds) {
      delay = milliseconds
    },
    stall() {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    resume() {
      stalled = false
      for (const socket of sockets) socket.resume()
    },
    cutAll,
    async close() {
      cutAll()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
