import { startBackend } from './backends.ts'
import type { StoreKind } from './open-store.ts'
import { createTarget, DUE, portCalls } from './calls.ts'
import type { PortCall, Target } from './calls.ts'
import { showProgress } from './progress.ts'
import { activeBatch } from './rows.ts'
import { percentile, timed } from './statistics.ts'

/** How a call's time depends on the number of sessions; the times are in milliseconds. */
export interface CallRow {
  readonly call: string
  readonly samples: number
  readonly sizes: readonly { readonly p50: number; readonly p99: number }[]
}

/** All calls of one store. */
export interface StoreSizes {
  readonly store: string
  readonly sizes: readonly number[]
  /** Seconds that the bulk load of each size took. */
  readonly loading: readonly number[]
  /** Bytes that a session takes, with its share of indexes. */
  readonly bytes: readonly number[]
  readonly rows: readonly CallRow[]
}

const ROUNDS = 5
/** The first calls of each kind prepare statements and scripts: they do not count. */
const WARM_UP = 10
/** What is measured beyond this size: the stores that several machines can share, and that hold so much. */
const LARGE = 1_000_000
const largeStores: readonly StoreKind[] = ['postgres', 'redis']

/** Loads each size into a store, and measures the calls: in alternation, so that all sizes meet the same noise. */
export async function measureSizes(kind: StoreKind, wanted: readonly number[]): Promise<StoreSizes> {
  const sizes = wanted.filter(size => size <= LARGE || largeStores.includes(kind))
  const backend = await startBackend(kind)
  const targets: Target[] = []
  const loading: number[] = []
  const bytes: number[] = []
  try {
    for (const size of sizes) {
      const data = `s${size}`
      const store = await backend.open(data)
      const before = await backend.bytes()
      loading.push(await timed(async () => {
        await backend.load(data, activeBatch(size))
        await backend.load(data, DUE)
      }) / 1000)
      bytes.push((await backend.bytes() - before) / (size + DUE.count))
      targets.push(createTarget(store, size))
    }
    await backend.settle()
    const rows = await measureCalls(backend.name, targets)
    return {
      store: backend.name, sizes, loading, bytes,
      rows: rows.map(({ call, times }) => ({
        call: call.name,
        samples: call.samples,
        sizes: times.map(each => ({ p50: percentile(each, 0.5), p99: percentile(each, 0.99) })),
      })),
    }
  } finally {
    for (const { store } of targets) await store.close()
    await backend.stop()
  }
}

async function measureCalls(
  name: string,
  targets: readonly Target[],
): Promise<readonly { readonly call: PortCall; readonly times: readonly number[][] }[]> {
  const rows = portCalls.map(call => ({ call, times: targets.map((): number[] => []) }))
  const progress = showProgress(`${name}: calls`, ROUNDS * rows.length)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { call, times }] of rows.entries()) {
      for (const [place, target] of targets.entries()) {
        await call.prepare?.(target)
        const warmUp = round === 0 ? Math.min(WARM_UP, call.samples / 10) : 0
        for (let sample = -warmUp; sample < call.samples / ROUNDS; sample++) {
          let worked = false
          const time = await timed(async () => {
            worked = await call.run(target)
          })
          if (!worked) throw new Error(`${name}: the call "${call.name}" did not do what it is measured for`)
          if (sample >= 0) times[place]?.push(time)
        }
      }
      progress(round * rows.length + index + 1)
    }
  }
  return rows
}
