import * as fc from 'fast-check'
import type { SessionStore } from '../../src/session/store.ts'
import { ACCESS_TOKEN_LIFETIME, R, World } from './world.ts'
import type { Clocks, CreateCore, Jar } from './world.ts'

/** One call of one tab: when it starts, how long it takes, when within it the server acts, whether the answer is lost. */
interface Call {
  readonly delay: number
  readonly duration: number
  readonly actsAt: number
  readonly lost: boolean
  readonly process: number
}

/** What happens next, `wait` milliseconds after what happened before. */
export type Step = { readonly wait: number } & (
  | { readonly kind: 'browse'; readonly calls: readonly Call[] }
  | { readonly kind: 'crash' }
  | { readonly kind: 'amnesia'; readonly back: number }
  | { readonly kind: 'restart'; readonly process: number }
  | { readonly kind: 'rotate keys'; readonly process: number }
)

const AT = ACCESS_TOKEN_LIFETIME * 1000

const wait = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 8_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2.5 * R }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1.3 * AT }) },
)

const call: fc.Arbitrary<Call> = fc.record({
  delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1.2 * R })),
  duration: fc.integer({ min: 0, max: R / 4 }),
  actsAt: fc.double({ min: 0, max: 1, noNaN: true }),
  lost: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 3, arbitrary: fc.constant(true) }),
  process: fc.nat({ max: 2 }),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 80, arbitrary: fc.record({ kind: fc.constant('browse' as const), wait, calls: fc.array(call, { minLength: 1, maxLength: 3 }) }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('crash' as const), wait }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('amnesia' as const), wait, back: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('restart' as const), wait, process: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate keys' as const), wait, process: fc.nat({ max: 2 }) }) },
)

/** A life of an honest client. */
export const life: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 20, maxLength: 90, size: 'max' })

/**
 * Lives it: one jar, any number of tabs and server-side renders that share it, answers that come late or never,
 * a browser that crashes and forgets its last half minute, processes that restart, a store that forgets its newest
 * rotations. The refusal, if the client met one.
 */
export async function liveHonestly(
  create: CreateCore,
  store: SessionStore,
  steps: readonly Step[],
  seed: number,
  clocks: Clocks,
): Promise<string | null> {
  const world = new World(create, store, seed, clocks)
  const trace: string[] = []
  let jar = await world.login()
  let onDisk = jar
  let flushedAt = world.now
  let crashes = 0
  let inFlight = 0
  const history = [await world.record(jar)]
  const queue: { at: number; run: () => Promise<void> }[] = []
  let refusal: string | null = null

  async function runUntil(time: number): Promise<void> {
    for (;;) {
      queue.sort((left, right) => left.at - right.at)
      const next = queue[0]
      const flush = flushedAt + 0.99 * R
      if (refusal !== null || (next === undefined || next.at > time) && flush > time) break
      if (next === undefined || flush < next.at) {
        await world.advanceTo(flush)
        onDisk = jar
        flushedAt = flush
      } else {
        queue.shift()
        await world.advanceTo(next.at)
        await next.run()
      }
    }
    if (refusal === null) await world.advanceTo(time)
  }

  function startCall(presented: Jar, planned: Call): void {
    inFlight++
    const epoch = crashes
    const start = world.now
    queue.push({
      at: start + Math.round(planned.duration * planned.actsAt),
      run: async () => {
        const answer = await world.refresh(presented, planned.process)
        trace.push(`${((world.now - 1_700_000_000_000) / 1000).toFixed(1)} ${answer.how}`)
        history.push(await world.record(presented))
        if (answer.kind !== 'refreshed') refusal = `${answer.kind}: ${trace.slice(-8).join('; ')}`
        queue.push({
          at: start + planned.duration,
          run: async () => {
            inFlight--
            if (!planned.lost && epoch === crashes && answer.jar !== null) jar = answer.jar
          },
        })
      },
    })
  }

  async function forget(back: number): Promise<void> {
    const current = await world.record(jar)
    const past = history[Math.max(0, history.length - 1 - back)]
    if (inFlight > 0 || current === null || past === null || past === undefined) return
    history.length = Math.max(1, history.length - back)
    await store.rotate({
      handle: current.handle,
      expectedHash: current.refreshHash,
      alive: { now: 0, rotatedAfter: -1, createdAfter: -1 },
      next: past,
    })
    trace.push(`amnesia ${back}`)
  }

  let at = world.now
  for (const next of steps) {
    at = Math.max(at, world.now) + next.wait
    await runUntil(at)
    if (refusal !== null) break
    switch (next.kind) {
      case 'browse':
        if (jar.expiresAt > world.now) {
          await world.use(jar, next.calls[0]?.process ?? 0)
          break
        }
        for (const planned of next.calls) {
          queue.push({
            at: world.now + planned.delay,
            run: async () => {
              if (jar.expiresAt <= world.now) startCall(jar, planned)
            },
          })
        }
        break
      case 'crash':
        crashes++
        jar = onDisk
        break
      case 'amnesia':
        await forget(next.back)
        break
      case 'restart':
        world.restart(next.process)
        break
      case 'rotate keys':
        await world.rotateKeys(next.process)
        break
    }
  }
  return refusal
}
