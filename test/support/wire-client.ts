import { request as sendRequest } from 'node:http'
import type { Send } from '../../src/testing/framework-contract.ts'

/** Sends each request over a new connection, with exactly the given head. */
export function wireClient(port: number): Send {
  return ({ method, path, headers, body }) => new Promise((resolve, reject) => {
    // Browsers send `content-length: 0` where a body is possible; without this, Node would send an empty stream.
    const isEmpty = body === null && !['POST', 'PUT', 'PATCH'].includes(method)
    const bytes = isEmpty ? null : Buffer.from(body ?? '')
    const lines = [
      ['host', `127.0.0.1:${port}`],
      ['connection', 'close'],
      ...bytes === null ? [] : [['content-length', String(bytes.length)]],
      ...headers,
    ]
    const outgoing = sendRequest({
      host: '127.0.0.1', port, method, path, agent: false, headers: lines.flat(),
    }, incoming => {
      incoming.setEncoding('utf8')
      const { rawHeaders } = incoming
      const head = Array.from({ length: rawHeaders.length / 2 }, (_, index) => (
        [rawHeaders[2 * index] ?? '', rawHeaders[2 * index + 1] ?? ''] as const
      ))
      resolve({ status: incoming.statusCode ?? 0, headers: head, body: incoming })
    })
    // For CONNECT, Node passes the response to this listener, whatever its status.
    outgoing.on('connect', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      resolve({ status: statusCode, headers: [], body: nothing() })
    })
    outgoing.on('error', reject).end(bytes)
  })
}

async function* nothing(): AsyncIterable<string> {}
