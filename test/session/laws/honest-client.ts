import * as fc from 'fast-check'
import type { SessionStore } from '../../../src/session/store.ts'
import { sampleState } from '../../../src/testing/samples.ts'
import { ACCESS_TOKEN_LIFETIME, IDLE_DAYS, R, World } from './world.ts'
import type { Clocks, CreateCore, Jar } from './world.ts'

/**
 * One call of one tab: when it starts, how long it takes, when within it the server acts, whether the answer is lost.
 */
interface Call {
  readonly delay: number
  readonly duration: number
  readonly actsAt: number
  readonly lost: boolean
  readonly process: number
}

/** What happens next, `wait` milliseconds after what happened before. */
export type Step = { readonly wait: number } & (
  /** Tabs refresh if their access token has expired, and use it otherwise. */
  | { readonly kind: 'browse'; readonly calls: readonly Call[] }
  /** A page without a lock: each of its calls sends whatever the jar holds at that moment, needed or not. */
  | { readonly kind: 'careless'; readonly calls: readonly Call[] }
  /** A server-side render refreshes, uses the access token at once and cannot write the cookies. */
  | { readonly kind: 'render'; readonly process: number }
  /** A phone refreshes, loses the answer and sleeps. */
  | { readonly kind: 'sleep'; readonly process: number; readonly days: number }
  /** The user proves again who they are, while no call is running: the client does it under its refresh lock. */
  | { readonly kind: 're-authenticate'; readonly process: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'amnesia'; readonly back: number }
  | { readonly kind: 'restart'; readonly process: number }
  | { readonly kind: 'rotate keys'; readonly process: number }
)

const AT = ACCESS_TOKEN_LIFETIME * 1000
const DAY = 86_400_000

/** How many responses to one refresh token may be lost in a row. */
const LOSSES = 5

const wait = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 8_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2.5 * R }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1.3 * AT }) },
)
const process = fc.nat({ max: 2 })

const callWithin = (delays: number): fc.Arbitrary<Call> => fc.record({
  delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: delays })),
  duration: fc.integer({ min: 0, max: R / 4 }),
  actsAt: fc.double({ min: 0, max: 1, noNaN: true }),
  lost: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 3, arbitrary: fc.constant(true) }),
  process,
})
const calls = fc.array(callWithin(1.2 * R), { minLength: 1, maxLength: 3 })
const burst = fc.array(callWithin(4 * R), { minLength: 2, maxLength: 10 })

const stepOf = (days: number): fc.Arbitrary<Step> => fc.oneof(
  { weight: 60, arbitrary: fc.record({ kind: fc.constant('browse' as const), wait, calls }) },
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('careless' as const), wait, calls: burst }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('render' as const), wait, process }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('sleep' as const), wait, process, days: fc.nat({ max: days }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('re-authenticate' as const), wait, process }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('crash' as const), wait }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('amnesia' as const), wait, back: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('restart' as const), wait, process }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate keys' as const), wait, process }) },
)

/** The id of the key that issued the client's refresh token. */
const kidOf = (jar: Jar): string => jar.refreshToken.split('.')[1] ?? ''

/** The limits of a life. */
export interface LifeSpan {
  /** How many steps. */
  readonly steps: number
  /** How many days a phone sleeps. Each day takes some thousand store calls, for the cleanup. */
  readonly days: number
}

export const longest: LifeSpan = { steps: 90, days: IDLE_DAYS - 1 }

/** A life of an honest client. */
export const lifeWithin = ({ steps, days }: LifeSpan): fc.Arbitrary<readonly Step[]> =>
  fc.array(stepOf(days), { minLength: 20, maxLength: steps, size: 'max' })

/**
 * Runs the life of an honest client, within the conditions of law 1: all tabs and renders share one cookie jar;
 * responses come late, in another order or never; a browser falls back to its jar of R ago while no call is running;
 * processes restart; a store loses its newest rotations; keys rotate. After a lost response, the client has the
 * previous token, whose key is accepted for the idle timeout after the next key became active (S-02); the client does
 * not sleep longer than that. Returns how the client was refused, or null.
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
  let inFlight = 0
  /** Whether the store has lost a rotation that no client has presented again. */
  let forgetful = false
  /** When keys that issued tokens of the client were replaced, by key id. */
  const replacedAt = new Map<string, number>()
  const losses = new Map<string, number>()
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

  function startCall(planned: Call, use: boolean): void {
    const presented = jar
    inFlight++
    const start = world.now
    queue.push({
      at: start + Math.round(planned.duration * planned.actsAt),
      run: async () => {
        const answer = await world.refresh(presented, planned.process)
        trace.push(`${((world.now - 1_700_000_000_000) / 1000).toFixed(1)} ${answer.how}`)
        history.push(await world.record(presented))
        if (answer.how === 'adopt') forgetful = false
        if (answer.kind !== 'refreshed' && answer.kind !== 'busy') {
          refusal = `${answer.kind}: ${trace.slice(-8).join('; ')}`
        }
        if (use && answer.jar !== null) await world.use(answer.jar, planned.process)
        const lost = (losses.get(presented.refreshToken) ?? 0) + 1
        const isLost = planned.lost && lost <= LOSSES
        losses.set(presented.refreshToken, isLost ? lost : 0)
        queue.push({
          at: start + planned.duration,
          run: async () => {
            inFlight--
            if (!isLost && answer.jar !== null) jar = answer.jar
          },
        })
      },
    })
  }

  async function forget(back: number): Promise<void> {
    const current = await world.record(jar)
    const past = history[Math.max(0, history.length - 1 - back)]
    if (inFlight > 0 || current === null || past === null || past === undefined) return
    // If the store lost days, the session could be older than the idle timeout, and would rightly have expired.
    if (current.rotatedAt - past.rotatedAt > DAY / 2) return
    history.length = Math.max(1, history.length - back)
    forgetful = true
    await store.rotate({
      handle: current.handle,
      expected: sampleState(current),
      bounds: { now: 0, rotatedAfter: -1, createdAfter: -1 },
      next: past,
    })
    trace.push(`amnesia ${back}`)
  }

  async function reauthenticate(process: number): Promise<void> {
    if (inFlight > 0 || jar.expiresAt <= world.now) return
    const before = jar
    const answer = await world.reauthenticate(before, process)
    trace.push(answer.kind)
    if (answer.jar === null) {
      refusal = `${answer.kind}: ${trace.slice(-8).join('; ')}`
      return
    }
    // The cookies do not fall back behind it, and the store does not lose it: it is durable before it is acknowledged.
    jar = onDisk = answer.jar
    flushedAt = world.now
    forgetful = false
    history.splice(0, history.length, await world.record(jar))
    const old = await world.refresh(before, process)
    if (old.kind !== 'busy' && old.kind !== 'unauthorized') refusal = `the ended lineage: ${old.kind}`
  }

  const lostCall = (process: number): Call => ({ delay: 0, duration: R / 8, actsAt: 0.5, lost: true, process })

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
              if (jar.expiresAt <= world.now) startCall(planned, false)
            },
          })
        }
        break
      case 'careless':
        for (const planned of next.calls) {
          queue.push({ at: world.now + planned.delay, run: async () => startCall(planned, false) })
        }
        break
      case 'render':
        startCall(lostCall(next.process), true)
        break
      case 'sleep':
        if (world.now + next.days * DAY > (replacedAt.get(kidOf(jar)) ?? Infinity) + (IDLE_DAYS - 0.5) * DAY) break
        startCall(lostCall(next.process), false)
        at = world.now + next.days * DAY
        break
      case 're-authenticate':
        await reauthenticate(next.process)
        break
      case 'crash':
        if (inFlight > 0 || forgetful) break
        jar = onDisk
        break
      case 'amnesia':
        await forget(next.back)
        break
      case 'restart':
        world.restart(next.process)
        break
      case 'rotate keys':
        if (!replacedAt.has(kidOf(jar))) replacedAt.set(kidOf(jar), world.now)
        await world.rotateKeys(next.process)
        break
    }
  }
  return refusal
}
