import type { createCore } from '../../support/create-core.ts'
import type { IssuedSession, SessionCore } from '../../../src/session/core.ts'
import { isolateHost, longLivedHost } from '../../../src/base/host.ts'
import type { Host } from '../../../src/base/host.ts'
import { createPolicy } from '../../../src/session/policy.ts'
import type { PolicyOptions } from '../../../src/session/policy.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { nodeCrypto } from '../../../src/platform/node-crypto.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'

export type CreateCore = typeof createCore
type Core = SessionCore<{ role?: string }, object>

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/** A session, and what the process under test must know about it. */
interface Watched {
  readonly issued: IssuedSession<{ role?: string }>
  /** The client's current access token. */
  accessToken: string
  expiresAt: number
  role: string
  /** Whether the process has read this role. */
  roleKnown: boolean
  revoked: boolean
  /** Whether its signing key was removed. */
  keyRemoved: boolean
  /** Whether the process has read the log, or its keys, since then. */
  known: boolean
}

/** The faults of the store for the process under test. */
interface Faults {
  /** All calls fail. */
  down: boolean
  /** Notifications are lost. */
  losesNotifications: boolean
  /** The log cannot be read. */
  logUnavailable: boolean
  /** The store's clock cannot be read. */
  clockUnavailable: boolean
}

/** Two processes on one store: a reliable one that revokes sessions, and one under test with faults. */
export class FeedWorld {
  now = Date.UTC(2026, 0, 1)
  /** How far the clock of the process under test is ahead. */
  offset = 0
  readonly faults: Faults = { down: false, losesNotifications: false, logUnavailable: false, clockUnavailable: false }
  readonly sessions: Watched[] = []
  unchecked = 0
  /** Reads of sessions by the process under test. */
  finds = 0
  readonly store: SessionStore
  readonly #create: CreateCore
  readonly #options: PolicyOptions
  /** Whether the store has a clock, which the processes use. */
  readonly #storeHasClock: boolean
  readonly #host: Host
  readonly #elsewhere: Core
  #here: Core
  #tasks: (() => void)[] = []
  /** When the log was last read successfully, or null since a change of the clock. */
  #readAt: number | null = null
  /** Whether the process under test has read the log since it was started. */
  #hasReadLog = false
  /** Whether its clock was changed since it read the log: it may have pruned too much. */
  #stepped = false
  /** Whether the process under test may not have asked the store since it is back: it pauses after failures (P-04). */
  #pauses = false
  /** When it last found the store away: in an isolate, the clock ends its pause. */
  #pausedAt = Number.NEGATIVE_INFINITY
  #starts = 0
  #randomState = 0

  constructor(
    create: CreateCore,
    options: PolicyOptions & { readonly storeHasClock?: boolean; readonly isIsolate?: boolean } = {},
    store: SessionStore = createMemoryStore(),
  ) {
    this.#create = create
    const { storeHasClock = false, isIsolate = false, ...policy } = options
    this.#host = isIsolate ? isolateHost(() => undefined) : longLivedHost
    this.#options = policy
    this.#storeHasClock = storeHasClock
    this.store = storeHasClock ? { ...store, time: async () => this.now } : store
    this.#elsewhere = this.#start(this.store, () => this.now, () => () => undefined, longLivedHost)
    this.#here = this.#startHere()
  }

  get here(): Core {
    return this.#here
  }

  get elsewhere(): Core {
    return this.#elsewhere
  }

  #start(
    store: SessionStore, clock: () => number, schedule: (task: () => void, delay: number) => () => void, host: Host,
  ): Core {
    return this.#create<{ role?: string }, object>({
      store,
      crypto: nodeCrypto,
      clock,
      followStoreTime: this.#storeHasClock,
      entropy: length => Uint8Array.from({ length }, () => {
        this.#randomState = (Math.imul(this.#randomState, 1_664_525) + 1_013_904_223) >>> 0
        return this.#randomState >>> 24
      }),
      schedule,
      host,
      policy: createPolicy(this.#options, host),
      issuer: 'https://app.example.com/auth',
      application: 'default',
      audience: null,
      algorithm: 'HS256',
      secrets: [],
      payloadSchema: undefined,
      infoSchema: undefined,
      events: { onUncheckedRevocation: () => void this.unchecked++, onBackgroundError: () => undefined },
    })
  }

  #startHere(): Core {
    this.#tasks = []
    const { faults } = this
    const start = ++this.#starts
    const store = new Proxy(this.store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return async (...input: unknown[]): Promise<unknown> => {
          if (faults.down || start !== this.#starts) throw new Error('connection refused')
          if (faults.logUnavailable && name === 'changesSince') throw new Error('refused')
          if (faults.clockUnavailable && name === 'time') throw new Error('refused')
          if (name === 'find') this.finds++
          if (name === 'follow') {
            const wake = input[0] as () => void
            return this.store.follow(() => {
              if (!faults.losesNotifications && start === this.#starts) wake()
            })
          }
          const answer: unknown = await Reflect.apply(value, target, input)
          if (
            name === 'changesSince' && typeof answer === 'object' && answer !== null && 'more' in answer && !answer.more
          ) {
            this.#readAt = this.now
            this.#hasReadLog = true
            this.#stepped = false
            for (const session of this.sessions) {
              session.known = session.revoked || session.keyRemoved
              session.roleKnown = true
            }
          }
          return answer
        }
      },
    })
    // The reliable process does the cleanup, which is not tested here.
    return this.#start(store, () => this.now + this.offset, (task, delay) => {
      if (delay > 30 * SECOND) return () => undefined
      this.#tasks.push(task)
      return () => {
        this.#tasks = this.#tasks.filter(other => other !== task)
      }
    }, this.#host)
  }

  async login(userId = 'alice'): Promise<Watched> {
    const issued = await this.elsewhere.create({
      userId, mode: 'header', client: { ip: null, userAgent: null }, jwtPayload: { role: 'reader' },
    })
    const session: Watched = {
      issued,
      accessToken: issued.accessToken,
      expiresAt: issued.claims.exp * 1000,
      role: 'reader',
      roleKnown: true,
      revoked: false,
      keyRemoved: false,
      known: false,
    }
    this.sessions.push(session)
    return session
  }

  /** The reliable process revokes sessions, or all sessions of a user. */
  async revoke(sessions: readonly Watched[], how: 'one' | 'user'): Promise<void> {
    // Known after the next read, not after one that is running.
    for (const session of sessions) Object.assign(session, { revoked: true, known: session.revoked && session.known })
    const [first] = sessions
    if (first === undefined) return
    if (how === 'user') await this.elsewhere.revokeAllSessionsForUser(first.issued.claims.sub)
    else await this.elsewhere.revokeSessions(sessions.map(session => session.issued.claims.sid))
    await settle()
  }

  async removeKeys(): Promise<void> {
    for (const session of this.sessions) {
      Object.assign(session, { keyRemoved: true, known: session.keyRemoved && session.known })
    }
    await this.elsewhere.revokeEverySession()
    await settle()
  }

  async changeRole(session: Watched, role: string): Promise<void> {
    if (session.revoked) return
    Object.assign(session, { role, roleKnown: false })
    await this.elsewhere.updateJwtPayload(session.issued.claims.sid, { role })
    await settle()
  }

  step(offset: number): void {
    this.offset = offset
    this.#readAt = null
    this.#stepped = true
  }

  /** Runs the timers of the process under test, this often. */
  async poll(times = 1): Promise<void> {
    for (let round = 0; round < times; round++) {
      const due = this.#tasks
      this.#tasks = []
      for (const task of due) task()
      await settle()
    }
    const lasts = !this.#host.isLongLived && this.now - this.#pausedAt < 3 * SECOND
    this.#pauses = this.faults.down || (this.#pauses && lasts)
  }

  restart(): void {
    this.#pauses = false
    this.#readAt = null
    this.#hasReadLog = false
    for (const session of this.sessions) Object.assign(session, { known: false, roleKnown: false })
    this.#here = this.#startHere()
  }

  /** What is wrong with the verification of this session's token, or null. */
  async check(session: Watched): Promise<string | null> {
    const unchecked = this.unchecked
    this.#pauses ||= this.faults.down
    if (this.faults.down) this.#pausedAt = this.now
    // Before its first verification, a process reads the log, or else the session.
    const reads = !this.#hasReadLog && !this.#pauses
    const { known } = session
    const knowsRole = session.roleKnown || reads
    const readAt = this.#readAt
    const clock = this.here.clock()
    let outcome
    try {
      outcome = await this.here.verify(session.accessToken)
    } catch {
      outcome = null
    }
    await settle()
    if (outcome?.kind !== 'active') return null
    // If the store is also down, or was a moment ago, `failOpen` accepts the token, and reports it.
    const excused = this.unchecked > unchecked && this.#pauses
    // The clock may be corrected while the token is verified.
    if (session.expiresAt <= Math.min(clock, this.here.clock())) return 'an expired token is accepted'
    if (session.revoked && (known || reads) && !(excused && this.#stepped)) {
      return 'a revoked session is alive though the log was read'
    }
    if (session.keyRemoved && known) return 'a token of a removed key is accepted'
    if (session.revoked && !excused && readAt !== null && this.now - readAt > 5 * SECOND) {
      return 'a revoked session is alive though the log is out of date'
    }
    if (knowsRole && !excused && !this.faults.down && outcome.payload.role !== session.role) {
      return 'an old payload is served'
    }
    if (outcome.reissued !== null) session.accessToken = outcome.reissued.accessToken
    return null
  }

  async close(): Promise<void> {
    this.faults.down = false
    await this.here.close()
  }
}

/** Waits until all background work is done. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise(resolve => setImmediate(resolve))
}
