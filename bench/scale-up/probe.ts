import { setImmediate as nextTick } from 'node:timers/promises'
import type { SessionStore } from '../../src/session/store.ts'
import { handleOf } from './rows.ts'
import { rotationFrom } from './targets.ts'

/** How long each call of a client took, in milliseconds. */
export interface ProbeTimes {
  readonly find: number[]
  readonly rotate: number[]
  /** The messages of calls that failed. Their times count. */
  readonly errors: string[]
}

/** A client that reads and rotates sessions without a pause. */
export interface Probe {
  /** The times since the last call of this. */
  take(): ProbeTimes
  stop(): Promise<void>
}

const SESSIONS = 1000

/** Starts a client on the first thousand sessions of a store. */
export function startProbe(store: SessionStore): Probe {
  let times: ProbeTimes = { find: [], rotate: [], errors: [] }
  let isStopped = false

  async function time(call: 'find' | 'rotate', work: () => Promise<unknown>): Promise<unknown> {
    const start = performance.now()
    try {
      return await work()
    } catch (error) {
      times.errors.push(`${call}: ${error instanceof Error ? error.message : String(error)}`)
      return null
    } finally {
      times[call].push(performance.now() - start)
    }
  }

  const ended = (async () => {
    const generations = Array.from({ length: SESSIONS }, () => 0)
    for (let call = 0; !isStopped; call = (call + 1) % SESSIONS) {
      const handle = handleOf(call)
      const generation = generations[call] ?? 0
      // The event loop runs within each call: otherwise a store in this process would not show that it stops it.
      await time('find', async () => {
        await nextTick()
        return store.find(handle)
      })
      const rotated = await time('rotate', async () => {
        await nextTick()
        return store.rotate(rotationFrom(handle, generation))
      })
      if (rotated !== null) {
        generations[call] = generation + 1
      }
    }
  })()
  return {
    take() {
      const taken = times
      times = { find: [], rotate: [], errors: [] }
      return taken
    },
    async stop() {
      isStopped = true
      await ended
    },
  }
}
