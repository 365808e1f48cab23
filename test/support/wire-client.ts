import { request as sendRequest } from 'node:http'
import type { Send } from '../../src/testing/framework-contract.ts'

/** Sends requests over a new connection each, with exactly the head that was asked for. */
export function wireClient(port: number): Send {
  return ({ method, path, headers, body }) => new Promise((resolve, reject) => {
    // Browsers say that they send nothing where a body could be; without this, Node would send an empty stream.
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
    // Node hands the answer to this method, whatever it says, to who would tunnel through the connection.
    outgoing.on('connect', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      resolve({ status: statusCode, headers: [], body: nothing() })
    })
    outgoing.on('error', reject).end(bytes)
  })
}

async function* nothing(): AsyncIterable<string> {}
