import { createExchange } from '../support/request.ts'
import type { Exchange } from '../support/request.ts'
import { run } from './contender.ts'
import type { Contender, SetUp } from './contender.ts'
import { median } from './ratios.ts'

// One contender in a process of its own. It does one slice of work for each message, so that rounds can alternate.

/** The cost of a slice of work. */
export interface Slice {
  readonly operations: number
  /** Microseconds of CPU time per operation, of all threads of the process. */
  readonly cpu: number
  /** Microseconds per operation by the clock. */
  readonly time: number
  /** Bytes of heap that an operation allocated. */
  readonly heap: number
}

const BATCH = 100
const YOUNG_GENERATION = 64_000_000

let index = 0

function exchanges(contender: Contender, count: number): Exchange[] {
  return Array.from({ length: count }, () => createExchange(contender.headers(index++)))
}

/** Works for this long. Creating the requests is not counted, because Node does it with or without a session. */
async function work(contender: Contender, milliseconds: number): Promise<Omit<Slice, 'heap'>> {
  const total = { operations: 0, cpu: 0, time: 0 }
  while (total.time < milliseconds * 1000) {
    const batch = exchanges(contender, BATCH)
    const cpu = process.cpuUsage()
    const start = performance.now()
    await run(contender, batch)
    total.time += (performance.now() - start) * 1000
    const { user, system } = process.cpuUsage(cpu)
    total.cpu += user + system
    total.operations += BATCH
  }
  const { operations } = total
  return { operations, cpu: total.cpu / operations, time: total.time / operations }
}

/** As many operations as fit into the young generation without a garbage collection. */
async function heapOf(contender: Contender): Promise<number> {
  const estimate = await allocatedBy(contender, 100)
  return allocatedBy(contender, Math.ceil(Math.min(5000, YOUNG_GENERATION / 2 / estimate)))
}

async function allocatedBy(contender: Contender, count: number): Promise<number> {
  const batch = exchanges(contender, count)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  await run(contender, batch)
  return (process.memoryUsage().heapUsed - before) / count
}

const [file = '', name = ''] = process.argv.slice(2)
const { setUps }: { setUps: Readonly<Record<string, SetUp>> } = await import(file)
const setUp = setUps[name]
if (setUp === undefined) throw new Error(`${file} knows no ${name}`)
const contender = await setUp()
await work(contender, 500)
const heaps: number[] = []
for (let round = 0; round < 7; round++) heaps.push(await heapOf(contender))
const heap = median(heaps)
// Warm up after the last forced garbage collection: without a request in progress, a collection discards the code that
// was compiled for requests and sessions, which does not happen in a server.
await work(contender, 2500)

process.on('message', (milliseconds: number) => {
  if (milliseconds > 0) {
    void work(contender, milliseconds).then(result => process.send?.({ ...result, heap } satisfies Slice))
  } else {
    void contender.close?.().then(() => process.exit())
    if (contender.close === undefined) process.exit()
  }
})
process.send?.('ready')
