// A client in a process of its own. Arguments: `http` or `sdk`, and the server's address.
import type { Caller, Order, Report, Tokens } from './caller.ts'

const [kind = '', url = ''] = process.argv.slice(2)
const caller = await createCaller()
const sessions: Tokens[] = await Promise.all(Array.from({ length: 64 }, () => caller.create()))

/** Loads only the client that is used, because the SDK takes a second to load. */
async function createCaller(): Promise<Caller> {
  if (kind === 'http') return (await import('./http-caller.ts')).createHttpCaller(url)
  if (kind === 'sdk') return (await import('./sdk-caller.ts')).createSdkCaller(url)
  throw new Error(`there is no client ${kind}`)
}

/** Each lane is one session: its calls follow each other, as a client's do. */
async function run(lane: number, { operation, milliseconds }: Order, start: number): Promise<readonly number[]> {
  const durations: number[] = []
  while (performance.now() - start < milliseconds) {
    const tokens = sessions[lane]
    if (tokens === undefined) throw new Error('there are more lanes than sessions')
    const began = performance.now()
    if (operation === 'create') await caller.create()
    else if (operation === 'verify') sessions[lane] = await caller.verify(tokens)
    else sessions[lane] = await caller.refresh(tokens)
    durations.push(performance.now() - began)
  }
  return durations
}

process.on('message', async (order: Order) => {
  const start = performance.now()
  const lanes = await Promise.all(Array.from({ length: order.inFlight }, (_, lane) => run(lane, order, start)))
  const milliseconds = performance.now() - start
  const durations = lanes.flat().toSorted((left, right) => left - right)
  const at = (share: number): number => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? Number.NaN
  process.send?.({ calls: durations.length, milliseconds, p50: at(0.5), p99: at(0.99) } satisfies Report)
})
process.send?.('ready')
