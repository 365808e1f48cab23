import type { AddressInfo } from 'node:net'
import { routes } from './servers.ts'

// One route in a process of its own. It reports how many requests it has answered, and the CPU time they took.

/** The totals of a server so far. */
export interface Work {
  readonly requests: number
  /** Microseconds of CPU time, of all threads of the process. */
  readonly cpu: number
}

/** The URL of a server, and the headers that requests must carry. */
export interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

const create = routes[process.argv[2] ?? '']
if (create === undefined) throw new Error(`there is no route ${process.argv[2]}`)
const { server, headers } = await create()
let requests = 0
let refused = 0
server.on('request', (_, response) => {
  requests++
  response.on('finish', () => {
    if (response.statusCode !== 200) refused++
  })
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))

process.on('message', () => {
  if (refused > 0) throw new Error(`${refused} requests were refused`)
  const { user, system } = process.cpuUsage()
  process.send?.({ requests, cpu: user + system } satisfies Work)
})
const { port } = server.address() as AddressInfo
process.send?.({ url: `http://127.0.0.1:${port}/`, headers } satisfies Address)
