import { createCore } from './create-core.ts'
import type { CoreDependencies } from './create-core.ts'
import type { IssuedSession, SessionCore } from '../../src/session/core.ts'
import { longLivedHost } from '../../src/base/host.ts'
import type { SessionEvents } from '../../src/session/events.ts'
import { createPolicy } from '../../src/session/policy.ts'
import type { PolicyOptions } from '../../src/session/policy.ts'
import type { ClientInfo } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestClock } from './session-server.ts'
import type { TestClock } from './session-server.ts'

export type Core = SessionCore<{ role?: string }, { note?: string; count?: number }>
export type Issued = IssuedSession<{ role?: string }>

export const owner: ClientInfo = { ip: '192.0.2.1', userAgent: 'owner' }
export const SECOND = 1000
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export interface TestCore {
  readonly core: Core
  readonly clock: TestClock
  readonly store: SessionStore
  /** The names of the store calls since the last `takeCalls`, without the background reads of feed and key provider. */
  takeCalls(): readonly string[]
  /** Runs the scheduled tasks. */
  runTasks(): Promise<void>
}

type Overrides =
  & PolicyOptions
  & Partial<
    Pick<
      CoreDependencies<object, object>,
      'application' | 'audience' | 'issuer' | 'algorithm' | 'crypto' | 'followStoreTime' | 'host'
    >
  >
  & {
    readonly store?: SessionStore
    readonly clock?: TestClock
    readonly events?: SessionEvents
  }

const background: ReadonlySet<string> = new Set(['changesSince', 'follow', 'listKeys'])

/** A core whose time and timers the test controls, with a store that counts its calls. */
export function createTestCore(overrides: Overrides = {}): TestCore {
  const {
    store: inner = createMemoryStore(), clock = createTestClock(), events = {}, followStoreTime = false, application,
    audience, issuer, algorithm = 'EdDSA', crypto = nodeCrypto, host = longLivedHost, ...policy
  } = overrides
  let calls: string[] = []
  let tasks: (() => void)[] = []
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...input: unknown[]): unknown => {
        if (!background.has(String(name))) calls.push(String(name))
        return Reflect.apply(value, target, input)
      }
    },
  })
  return {
    clock,
    store: inner,
    core: createCore({
      store,
      crypto,
      clock,
      followStoreTime,
      entropy: nodeCrypto.randomBytes,
      schedule: task => {
        tasks.push(task)
        return () => {
          tasks = tasks.filter(other => other !== task)
        }
      },
      host,
      policy: createPolicy({ maxStaleness: 3600, ...policy }, host),
      issuer: issuer ?? 'https://app.example.com/auth',
      application: application ?? 'default',
      audience: audience ?? null,
      algorithm,
      secrets: [],
      payloadSchema: undefined,
      infoSchema: undefined,
      events,
    }),
    takeCalls() {
      const taken = calls
      calls = []
      return taken
    },
    async runTasks() {
      const due = tasks
      tasks = []
      for (const task of due) task()
      await settle()
    },
  }
}

/** Logs a user in. */
export function login(
  core: Core,
  userId = 'alice',
  options: Partial<Parameters<Core['create']>[0]> = {},
): Promise<Issued> {
  return core.create({ userId, mode: 'header', client: owner, ...options })
}

/** Refreshes; throws unless it succeeds. */
export async function refreshed(core: Core, token: string, client: ClientInfo = owner): Promise<Issued> {
  const outcome = await core.refresh(token, 'header', client)
  if (outcome.kind !== 'refreshed') throw new Error(`the refresh was answered with ${outcome.kind}`)
  return outcome.issued
}

/** Waits until everything that was started has ended. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
