import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { setImmediate } from 'node:timers/promises'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { selfBytes, selfTimes } from './aggregate.ts'
import type { Share } from './aggregate.ts'
import { BATCH, scenes } from './scenes.ts'
import type { Scene } from './scenes.ts'

// Where the hot path spends time and memory: the inspector's sampling profilers, in this process, scene after scene.

const SECONDS = 3
const SAMPLING_INTERVAL_US = 100
const SAMPLING_BYTES = 512
const TOP = 15

interface Profiled {
  readonly operations: number
  /** Microseconds, or bytes, per operation, over all functions. */
  readonly total: number
  readonly top: readonly Share[]
}

/** Profiles the hot path and writes down where it spends its time and its allocations. */
export async function profile(): Promise<void> {
  const inspector = new Session()
  inspector.connect()
  const results: Record<string, { readonly cpu: Profiled; readonly heap: Profiled }> = {}
  for (const [name, setUp] of Object.entries(scenes)) {
    const scene = await setUp()
    const operations = await warmUp(scene)
    results[name] = {
      cpu: await profileCpu(inspector, scene, operations),
      heap: await profileHeap(inspector, scene, Math.min(operations, 20_000)),
    }
    await scene.close()
  }
  inspector.disconnect()
  writeReport('profile', { machine: machine(), scenes: results }, [
    '# Profile of the hot path',
    '',
    `Sampling profiles of the inspector, one sample each ${SAMPLING_INTERVAL_US} µs for ${SECONDS} s, and one each `
      + `${SAMPLING_BYTES} bytes allocated, including memory that was freed since. "Self" is a function without what `
      + 'it calls; for bytes, what the compiler inlined into a function counts as its own. Creating the requests and '
      + 'garbage collection, most of it for the requests, are not counted. A profiled process is slower than one that '
      + 'is not: compare the shares, and take times from [verify](verify.md). Repeat with `npm run bench -- profile`.',
    '',
    machine(),
    '',
    readFileSync(new URL('learned.md', import.meta.url), 'utf8').trimEnd(),
    ...Object.entries(results).flatMap(([name, { cpu, heap }]) => [
      '',
      `## ${name}`,
      '',
      ...table(cpu, 'µs', 2),
      '',
      ...table(heap, 'bytes', 0),
    ]),
  ])
}

/** Runs until the code is optimized. Returns how many operations fit into the time of a profile. */
async function warmUp(scene: Scene): Promise<number> {
  const start = performance.now()
  let operations = 0
  while (performance.now() - start < SECONDS * 1000) {
    await repeat(scene, BATCH)
    operations += BATCH
  }
  return operations
}

/** Lets timers run, as they do in a server between requests: without the feed's, verification would ask the store. */
async function repeat(scene: Scene, operations: number): Promise<void> {
  for (let done = 0; done < operations; done += BATCH) {
    await scene.handle(await scene.prepare())
    await setImmediate()
  }
}

async function profileCpu(inspector: Session, scene: Scene, operations: number): Promise<Profiled> {
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
  await inspector.post('Profiler.start')
  await repeat(scene, operations)
  const { profile } = await inspector.post('Profiler.stop')
  await inspector.post('Profiler.disable')
  return summarize(selfTimes(profile, operations), operations)
}

async function profileHeap(inspector: Session, scene: Scene, operations: number): Promise<Profiled> {
  await inspector.post('HeapProfiler.startSampling', {
    samplingInterval: SAMPLING_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await repeat(scene, operations)
  const { profile } = await inspector.post('HeapProfiler.stopSampling')
  return summarize(selfBytes(profile, operations), operations)
}

function summarize(shares: readonly Share[], operations: number): Profiled {
  return { operations, total: shares.reduce((sum, { value }) => sum + value, 0), top: shares.slice(0, TOP) }
}

function table({ operations, total, top }: Profiled, unit: string, digits: number): readonly string[] {
  return [
    `${total.toFixed(digits)} ${unit} per operation, over ${operations} operations.`,
    '',
    `| self, ${unit} | share | function | where |`,
    '|--:|--:|---|---|',
    ...top.map(({ name, place, value }) => (
      `| ${value.toFixed(digits)} | ${(value / total * 100).toFixed(1)} % | \`${name}\` | ${place} |`
    )),
  ]
}
