import { EventEmitter } from 'node:events'
import type { Scheduler } from '../../src/base/scheduler.ts'
import { createBroadcast } from '../../src/server/native/stream/broadcast.ts'
import type { Broadcast } from '../../src/server/native/stream/broadcast.ts'
import { writeStream } from '../../src/server/native/stream/write-stream.ts'
import type { StreamOutput } from '../../src/server/native/stream/write-stream.ts'
import type { Change, ChangePage } from '../../src/session/store.ts'
import { decodeCursor } from '../../src/stores/change-cursor.ts'
import { createChangeLog } from '../../src/stores/memory/change-log.ts'
import { seededRandom } from '../session/laws/world.ts'

/** A client of a stream, which can stop reading. */
export class StreamClient extends EventEmitter implements StreamOutput {
  /** What was written so far; of this, the last `writableLength` characters have not been read. */
  text = ''
  isReading = true
  writableLength = 0
  writableNeedDrain = false
  destroyed = false
  readonly from: string | null
  readonly stop = new AbortController()

  constructor(from: string | null) {
    super()
    this.from = from
  }

  write(bytes: Buffer | string): boolean {
    this.text += bytes.toString()
    if (this.isReading) return true
    this.writableLength += bytes.length
    this.writableNeedDrain = true
    return false
  }

  read(): void {
    this.isReading = true
    this.writableLength = 0
    this.writableNeedDrain = false
    this.emit('drain')
  }

  destroy(): void {
    this.destroyed = true
    this.stop.abort()
  }

  /** What the client has read. */
  received(): string {
    return this.text.slice(0, this.text.length - this.writableLength)
  }

  /** The last id that the client has read, or the one that it began with. */
  lastId(): string | null {
    return [...this.received().matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? this.from
  }

  isSynced(): boolean {
    return this.received().includes('event: synced')
  }

  /** The numbers of the changes that it has read. */
  versions(): ReadonlySet<number> {
    return new Set([...this.received().matchAll(/"version":(\d+)/g)].map(([, version]) => Number(version)))
  }

  /** Every id that the client read before it had all changes up to there: it would skip them when it reconnects. */
  brokenPromises(): readonly string[] {
    const known = new Set<number>()
    const broken: string[] = []
    let complete = sequenceOf(this.from)
    for (const event of this.received().split('\n\n')) {
      const version = /"version":(\d+)/.exec(event)?.[1]
      if (version !== undefined) known.add(Number(version))
      const id = /^id: (.+)$/m.exec(event)?.[1]
      while (known.has(complete + 1)) complete += 1
      if (id !== undefined && sequenceOf(id) > complete) broken.push(id)
    }
    return broken
  }
}

export function sequenceOf(cursor: string | null): number {
  return decodeCursor(cursor)?.sequence ?? 0
}

export function numbers(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

/** A read of the change log that has not been answered. */
export interface OpenRead {
  /** Looks into the log. Without it, `answer` does so. */
  look(): void
  answer(): void
  fail(): void
}

/** A broadcast over a log and a clock that the test controls. */
export interface StreamWorld {
  readonly broadcast: Broadcast
  /** The reads so far: their cursors, and whether they found changes. */
  readonly reads: { readonly cursor: string | null; found: boolean }[]
  /** Reads that wait, while `holds` is set. */
  readonly open: OpenRead[]
  holds: boolean
  readonly errors: unknown[]
  readonly delays: number[]
  onRead: () => unknown
  followers: number
  /** How often `follow` was called. */
  followed: number
  /** Appends changes with the next numbers as versions. */
  append(count?: number, handle?: string): void
  readonly size: () => number
  connect(from?: string | null): StreamClient
  advance(by: number): Promise<void>
}

/** Lets everything happen that does not wait for the clock, a held read or a client. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Creates the world. A page of its log has at most `pageSize` changes. `seed` determines all random numbers. */
export function createStreamWorld(pageSize = 500, seed = 1): StreamWorld {
  const log = createChangeLog()
  const wakes = new Set<() => void>()
  const timers = new Set<{ readonly at: number; readonly task: () => void }>()
  let now = 0
  let size = 0
  const schedule: Scheduler = (task, delay) => {
    world.delays.push(delay)
    const timer = { at: now + delay, task }
    timers.add(timer)
    return () => timers.delete(timer)
  }
  const changesSince = (cursor: string | null, limit: number): Promise<ChangePage> => {
    const read = { cursor, found: false }
    world.reads.push(read)
    world.onRead()
    return new Promise((resolve, reject) => {
      let page: ChangePage | null = null
      const look = (): ChangePage => page ??= log.since(cursor, Math.min(limit, pageSize))
      const answer = (): void => {
        read.found = look().changes.length > 0
        resolve(look())
      }
      if (world.holds) world.open.push({ look, answer, fail: () => reject(new Error('the store is down')) })
      else answer()
    })
  }
  const world: StreamWorld = {
    reads: [], open: [], holds: false, errors: [], delays: [], onRead: () => undefined, followers: 0, followed: 0,
    broadcast: createBroadcast({
      store: {
        changesSince,
        async follow(wake) {
          wakes.add(wake)
          world.followed += 1
          world.followers += 1
          return async () => {
            wakes.delete(wake)
            world.followers -= 1
          }
        },
      },
      schedule, random: seededRandom(seed), pollInterval: 1000, onError: error => world.errors.push(error),
    }),
    size: () => size,
    append(count = 1, handle = 'h') {
      for (let index = 0; index < count; index++) {
        size += 1
        // @ts-expect-error a short text stands for a handle
        const change: Change = { kind: 'payload', handle, version: size, until: 1 }
        log.append(change)
      }
      for (const wake of wakes) queueMicrotask(wake)
    },
    connect(from = null) {
      const client = new StreamClient(from)
      void writeStream(world.broadcast, from, client, client.stop).catch((error: unknown) => {
        if (!client.stop.signal.aborted) world.errors.push(error)
      })
      return client
    },
    async advance(by) {
      const end = now + by
      await settle()
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
        if (next === undefined) break
        timers.delete(next)
        now = next.at
        next.task()
        await settle()
      }
      now = end
    },
  }
  return world
}
