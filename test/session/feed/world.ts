import type { createCore } from '../../support/create-core.ts'
import type { IssuedSession, SessionCore } from '../../../src/session/core.ts'
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

/** A session, and what the process under test must know of it. */
interface Watched {
  readonly issued: IssuedSession<{ role?: string }>
  /** The token that its client uses now. */
  accessToken: string
  expiresAt: number
  role: string
  /** Whether the process has heard of this role. */
  roleTold: boolean
  revoked: boolean
  /** Whether its signing key was removed. */
  keyless: boolean
  /** Whether the process has read its log, or its keys, since then. */
  told: boolean
}

/** How the store treats the process under test. */
interface Faults {
  /** Nothing can be asked. */
  down: boolean
  /** Pushes are lost. */
  deaf: boolean
  /** Everything can be asked but the log. */
  mute: boolean
  /** Everything can be asked but the time. */
  timeless: boolean
}

/** Two processes on one store: a steady one that revokes, and one under test whose clock, store and luck are bad. */
export class FeedWorld {
  now = Date.UTC(2026, 0, 1)
  /** How far the clock of the process under test is from the time. */
  offset = 0
  readonly faults: Faults = { down: false, deaf: false, mute: false, timeless: false }
  readonly sessions: Watched[] = []
  unchecked = 0
  /** Reads of sessions by the process under test. */
  finds = 0
  readonly store: SessionStore
  readonly #create: CreateCore
  readonly #options: PolicyOptions
  /** Whether the store tells the time and the processes go by it. */
  readonly #storeTells: boolean
  readonly #elsewhere: Core
  #here: Core
  #tasks: (() => void)[] = []
  /** The time of the last reading of the log that went well, or null since a step of the clock. */
  #readAt: number | null = null
  /** Whether the process under test has read the log since it was started. */
  #caughtUp = false
  /** Whether its clock has stepped since it read the log: it may have forgotten too much, and knows that. */
  #stepped = false
  #starts = 0
  #drawn = 0

  constructor(
    create: CreateCore,
    options: PolicyOptions & { readonly storeTells?: boolean } = {},
    store: SessionStore = createMemoryStore(),
  ) {
    this.#create = create
    const { storeTells = false, ...policy } = options
    this.#options = policy
    this.#storeTells = storeTells
    this.store = storeTells ? { ...store, time: async () => this.now } : store
    this.#elsewhere = this.#start(this.store, () => this.now, () => () => undefined)
    this.#here = this.#startHere()
  }

  get here(): Core {
    return this.#here
  }

  get elsewhere(): Core {
    return this.#elsewhere
  }

  #start(store: SessionStore, clock: () => number, schedule: (task: () => void, delay: number) => () => void): Core {
    return this.#create<{ role?: string }, object>({
      store,
      crypto: nodeCrypto,
      clock,
      followStoreTime: this.#storeTells,
      entropy: length => Uint8Array.from({ length }, () => {
        this.#drawn = (Math.imul(this.#drawn, 1_664_525) + 1_013_904_223) >>> 0
        return this.#drawn >>> 24
      }),
      schedule,
      policy: createPolicy(this.#options),
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
          if ((faults.mute && name === 'changesSince') || (faults.timeless && name === 'time')) throw new Error('refused')
          if (name === 'find') this.finds++
          if (name === 'follow') {
            const wake = input[0] as () => void
            return this.store.follow(() => {
              if (!faults.deaf && start === this.#starts) wake()
            })
          }
          const answer: unknown = await Reflect.apply(value, target, input)
          if (name === 'changesSince' && typeof answer === 'object' && answer !== null && 'more' in answer && !answer.more) {
            this.#readAt = this.now
            this.#caughtUp = true
            this.#stepped = false
            for (const session of this.sessions) {
              session.told = session.revoked || session.keyless
              session.roleTold = true
            }
          }
          return answer
        }
      },
    })
    // Housekeeping, an hour away from what is tested here, is the steady process's.
    return this.#start(store, () => this.now + this.offset, (task, delay) => {
      if (delay > SECOND) return () => undefined
      this.#tasks.push(task)
      return () => {
        this.#tasks = this.#tasks.filter(other => other !== task)
      }
    })
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
      roleTold: true,
      revoked: false,
      keyless: false,
      told: false,
    }
    this.sessions.push(session)
    return session
  }

  /** The steady process ends a session, or all of a user. */
  async revoke(sessions: readonly Watched[], how: 'one' | 'user'): Promise<void> {
    // Known once the next reading ends, not the one under way.
    for (const session of sessions) Object.assign(session, { revoked: true, told: session.revoked && session.told })
    const [first] = sessions
    if (first === undefined) return
    if (how === 'user') await this.elsewhere.revokeAllSessionsForUser(first.issued.claims.sub)
    else await this.elsewhere.revokeSessions(sessions.map(session => session.issued.claims.sid))
    await settle()
  }

  async removeKeys(): Promise<void> {
    for (const session of this.sessions) Object.assign(session, { keyless: true, told: session.keyless && session.told })
    await this.elsewhere.revokeEverySession()
    await settle()
  }

  async changeRole(session: Watched, role: string): Promise<void> {
    if (session.revoked) return
    Object.assign(session, { role, roleTold: false })
    await this.elsewhere.updateJwtPayload(session.issued.claims.sid, { role })
    await settle()
  }

  step(offset: number): void {
    this.offset = offset
    this.#readAt = null
    this.#stepped = true
  }

  /** Lets the timers of the process under test run, this often. */
  async poll(times = 1): Promise<void> {
    for (let round = 0; round < times; round++) {
      const due = this.#tasks
      this.#tasks = []
      for (const task of due) task()
      await settle()
    }
  }

  restart(): void {
    this.#readAt = null
    this.#caughtUp = false
    for (const session of this.sessions) Object.assign(session, { told: false, roleTold: false })
    this.#here = this.#startHere()
  }

  /** What is wrong with the answer for this session's token, or null. */
  async check(session: Watched): Promise<string | null> {
    const unchecked = this.unchecked
    // Before its first answer a process reads the log, or asks the store.
    const reads = !this.#caughtUp && !this.faults.down
    const { told } = session
    const knowsRole = session.roleTold || reads
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
    // With the store down, too, `failOpen` lets it pass, and says so.
    const excused = this.unchecked > unchecked && this.faults.down
    // A correction may come while the token is judged.
    if (session.expiresAt <= Math.min(clock, this.here.clock())) return 'an expired token is accepted'
    if (session.revoked && (told || reads) && !(excused && this.#stepped)) {
      return 'a revoked session is alive though the log was read'
    }
    if (session.keyless && told) return 'a token of a removed key is accepted'
    if (session.revoked && !excused && readAt !== null && this.now - readAt > 5 * SECOND) {
      return 'a revoked session is alive though the log is out of date'
    }
    if (knowsRole && !this.faults.down && outcome.payload.role !== session.role) return 'an old payload is served'
    if (outcome.reissued !== null) session.accessToken = outcome.reissued.accessToken
    return null
  }

  async close(): Promise<void> {
    this.faults.down = false
    await this.here.close()
  }
}

/** Waits until everything that was started has come to rest. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise(resolve => setImmediate(resolve))
}
