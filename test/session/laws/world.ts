import type { createCore } from '../../support/create-core.ts'
import type { IssuedSession, SessionCore } from '../../../src/session/core.ts'
import { createPolicy } from '../../../src/session/policy.ts'
import type { SessionPolicy } from '../../../src/session/policy.ts'
import type { SessionEvents } from '../../../src/session/events.ts'
import type { ClientInfo, SessionRecord } from '../../../src/session/record.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { isSessionError } from '../../../src/base/errors.ts'
import { parseHandle } from '../../../src/base/handle.ts'
import { nodeCrypto } from '../../../src/platform/node-crypto.ts'

export type CreateCore = typeof createCore
export type Core = SessionCore<object, object>

/** Seconds. The shortest of these tokens live four times the reuse interval: the hardest case. */
export const ACCESS_TOKEN_LIFETIME = 150
export const R = 30_000
/** How many days a session may go without a refresh. */
export const IDLE_DAYS = 3

// A process applies its own revocations at once. Polling for those of others every simulated second would only cost
// time.
const policyWith = (reuseInterval: number): SessionPolicy => createPolicy({
  accessTokenLifetime: ACCESS_TOKEN_LIFETIME, idleTimeout: IDLE_DAYS * 86_400, pollInterval: 3600, maxStaleness: 3600,
  reuseInterval: reuseInterval / 1000,
})
export const client: ClientInfo = { ip: '192.0.2.1', userAgent: 'laws' }

/** The tokens of a client. */
export interface Jar {
  readonly accessToken: string
  readonly refreshToken: string
  /** When it will refresh. */
  readonly expiresAt: number
}

/** A task that the core has scheduled, and when it is due. */
interface Task {
  readonly at: number
  readonly run: () => void
}

/** How far the clocks of a world's processes are off. */
export interface Clocks {
  readonly skews: readonly number[]
  /** Whether the store has a clock, which is right and which the processes use. */
  readonly storeHasClock: boolean
  /**
   * The reuse intervals that the processes are configured with, in a roll-out that changes it. Default: R everywhere.
   */
  readonly reuseIntervals?: readonly number[]
}

const MINUTE = 60_000

/** Retries depend on the difference of two clocks, which must be within a quarter of the interval (SECURITY.md). */
export const closeClocks: Clocks = { skews: [0, R / 8, -R / 8], storeHasClock: false }
/** Two processes whose clocks differ by the maximum, during a roll-out that halves the reuse interval. */
export const rollOut: Clocks = { skews: [0, R / 4], storeHasClock: false, reuseIntervals: [R, R / 2] }
/** Two clocks that are minutes off, one in each direction, and one with an error too small to be corrected. */
export const wrongClocks: Clocks = { skews: [5 * MINUTE, -5 * MINUTE, 900], storeHasClock: true }
/** Processes whose clocks are right. */
export const rightClocks = (processes: number): Clocks => ({
  skews: Array.from({ length: processes }, () => 0), storeHasClock: false,
})

/** A simulation: the test controls time, randomness and timers, and any number of server processes on one store. */
export class World {
  now = 1_700_000_000_000
  readonly events: { name: string; event: unknown }[] = []
  readonly store: SessionStore
  readonly #createCore: CreateCore
  readonly #tasks: Task[] = []
  /** The store calls that are running. */
  readonly #calls = new Set<Promise<unknown>>()
  #random: () => number
  #cores: Core[] = []
  readonly #clocks: Clocks

  constructor(create: CreateCore, store: SessionStore, seed: number, clocks: Clocks = rightClocks(1)) {
    this.#createCore = create
    this.store = this.#watched(clocks.storeHasClock ? { ...store, time: async () => this.now } : store)
    this.#random = seededRandom(seed)
    this.#clocks = clocks
    this.#cores = clocks.skews.map((_, index) => this.#start(index))
  }

  /** One of the processes. */
  core(index = 0): Core {
    const core = this.#cores[index % this.#cores.length]
    if (core === undefined) throw new Error('a world has at least one process')
    return core
  }

  /** Replaces a process with a new one, whose memory is empty. */
  restart(index: number): void {
    const at = index % this.#cores.length
    this.#cores[at] = this.#start(at)
  }

  /** Advances the time, and runs the tasks that become due. */
  async advanceTo(time: number): Promise<void> {
    for (;;) {
      this.#tasks.sort((left, right) => left.at - right.at)
      const next = this.#tasks[0]
      if (next === undefined || next.at > time) break
      this.#tasks.shift()
      this.now = Math.max(this.now, next.at)
      next.run()
      await this.#settle()
    }
    this.now = Math.max(this.now, time)
  }

  async login(index = 0): Promise<Jar> {
    return jarOf(await this.core(index).create({ userId: 'honest', mode: 'header', client }))
  }

  /** The user proves again who they are, with the access token of the jar. */
  async reauthenticate(jar: Jar, index = 0): Promise<{ kind: string; jar: Jar | null }> {
    const core = this.core(index)
    const identified = await core.identify(jar.accessToken)
    if (identified === null) throw new Error('the access token of the jar is not valid')
    try {
      return { kind: 'reauthenticated', jar: jarOf(await core.reauthenticate(identified.claims, client)) }
    } catch (error) {
      if (isSessionError(error) && error.code === 'REFRESH_BUSY') return { kind: 'busy', jar: null }
      if (isSessionError(error) && error.code === 'SESSION_NOT_FOUND') return { kind: 'gone', jar: null }
      throw error
    }
  }

  /** Refreshes; the outcome's kind, and the new jar if there is one. */
  async refresh(jar: Jar, index = 0): Promise<{ kind: string; how: string; jar: Jar | null }> {
    const outcome = await this.core(index).refresh(jar.refreshToken, 'header', client).catch((error: unknown) => {
      if (isSessionError(error) && error.code === 'REFRESH_BUSY') return { kind: 'busy' } as const
      throw error
    })
    if (outcome.kind !== 'refreshed') return { kind: outcome.kind, how: outcome.kind, jar: null }
    return { kind: 'refreshed', how: outcome.how, jar: jarOf(outcome.issued) }
  }

  /** Uses the access token for a request. Confirmations are queued, and sent as time passes. */
  async use(jar: Jar, index = 0): Promise<void> {
    await this.core(index).verify(jar.accessToken)
  }

  async rotateKeys(index: number): Promise<void> {
    await this.core(index).rotateKeys()
  }

  /** The record as the store has it. */
  async record(jar: Jar): Promise<SessionRecord | null> {
    const handle = parseHandle(jar.refreshToken.split('.')[2] ?? '')
    return handle === null ? null : this.store.find(handle)
  }

  /** Waits until all background work is done, which waits for promises and the store only. */
  async #settle(): Promise<void> {
    do {
      await Promise.allSettled(this.#calls)
      await new Promise(resolve => setImmediate(resolve))
    } while (this.#calls.size > 0)
  }

  /** The store, with a record of running calls: a server does not respond within one tick of the event loop. */
  #watched(store: SessionStore): SessionStore {
    const calls = this.#calls
    return new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          const call: unknown = method.apply(target, args)
          const watched = Promise.resolve(call).finally(() => calls.delete(watched)).catch(() => undefined)
          calls.add(watched)
          return call
        }
      },
    })
  }

  #start(index: number): Core {
    const skew = this.#clocks.skews[index] ?? 0
    const entropy = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(this.#random() * 256))
    const note = (name: string) => (event: unknown): void => void this.events.push({ name, event })
    const events: SessionEvents = { onTokenTheft: note('theft'), onSessionRefreshed: note('refreshed') }
    return this.#createCore({
      store: this.store,
      crypto: nodeCrypto,
      clock: () => this.now + skew,
      followStoreTime: this.#clocks.storeHasClock,
      entropy,
      schedule: (run, delay) => {
        const task = { at: this.now + delay, run }
        this.#tasks.push(task)
        return () => {
          const index = this.#tasks.indexOf(task)
          if (index >= 0) this.#tasks.splice(index, 1)
        }
      },
      policy: policyWith(this.#clocks.reuseIntervals?.[index] ?? R),
      issuer: 'https://laws.example',
      application: 'default',
      audience: null,
      algorithm: 'HS256',
      secrets: [],
      payloadSchema: undefined,
      infoSchema: undefined,
      events,
    })
  }
}

function jarOf({ accessToken, refreshToken, claims }: IssuedSession<object>): Jar {
  return { accessToken, refreshToken, expiresAt: claims.exp * 1000 }
}

/** A small generator, so that a failing run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
