import { GeneralError } from '../../base/errors.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { checkValue, oneOf } from '../../base/options.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { PolicyOptions } from '../../session/policy.ts'
import type { SessionStore } from '../../session/store.ts'
import { createMemoryStore } from '../../stores/memory.ts'
import type { GetSessionOptions, SessionReading } from '../../transport/get-session.ts'
import type { HttpOptions } from '../../transport/http-policy.ts'
import type { ReadonlySession, Session } from '../../transport/session.ts'
import type { FakeClock } from '../fake-clock.ts'
import { createFakeClock } from '../fake-clock.ts'

/** The claims of the application under test. */
export type AppClaims = { role?: string }
/** The private session data of the application under test. */
export type AppInfo = { note?: string }

/** The ways in which the application under test must be able to run. */
export type AppVariant = 'plain' | 'token' | 'mounted' | 'proxied' | 'no-cors'

/** Where the application believes to be reached. */
export const APP_ORIGIN = 'https://app.example.com'
/** Another origin whose pages may use it. */
export const FRONT_END_ORIGIN = 'https://www.example.com'

interface VariantSettings {
  /** Under which path the application mounts all of its routes. */
  readonly prefix: string
  /** The path that a proxy strips before the application sees the request. */
  readonly stripped: string
  /** Whether the application answers preflights before its guards. */
  readonly cors: boolean
  readonly options: Partial<HttpOptions>
}

/** What makes one variant different from another. */
export const variants: Readonly<Record<AppVariant, VariantSettings>> = {
  plain: { prefix: '', stripped: '', cors: true, options: {} },
  token: {
    prefix: '',
    stripped: '',
    cors: true,
    options: { antiCsrf: 'token', cookie: { accessTokenName: 'at', refreshTokenName: 'rt' } },
  },
  mounted: { prefix: '/api', stripped: '', cors: true, options: { basePath: '/api/auth' } },
  proxied: { prefix: '', stripped: '/gateway', cors: true, options: { gatewayPath: '/gateway' } },
  'no-cors': { prefix: '', stripped: '', cors: false, options: {} },
}

/** What {@link AppFixture.control} needs of the sessions under test. */
interface ControlledSessions {
  revokeSession(handle: string): Promise<boolean>
  updateJwtPayload(handle: string, payload: AppClaims): Promise<void>
}

/**
 * What an application is made of to be put to the framework contract. It makes its sessions with
 * `createSessions(fixture.options)`, gives them the shape of its framework with `onError: fixture.report`, and
 * serves the routes that `docs/framework-contract.md` lists under `fixture.prefix`.
 */
export interface AppFixture {
  /** For `createSessions`. */
  readonly options: PolicyOptions & HttpOptions & {
    readonly store: SessionStore
    readonly clock: FakeClock
    readonly schedule: () => () => void
  }
  /** The path under which every route lives: a mounted router's. May be empty. */
  readonly prefix: string
  /** Whether to mount `cors()` before everything else. */
  readonly cors: boolean
  /** For the route that only an administrator may use. */
  readonly adminOnly: GetSessionOptions<AppClaims>
  /** What `/fail` throws. */
  readonly failure: Error
  /** Hears of the errors that the adapter reports. */
  readonly report: (error: unknown) => void
  /** What `/stream` waits for between its two pieces. */
  gate(): Promise<void>
  /** Counts a run of the handler of `/any`. */
  visit(): void
  /** Keeps the session of `/late` for after its response was sent. */
  keep(session: Session<AppClaims, AppInfo>): void
  /** Answers `/control`: the parsed body in, the JSON of the answer out. */
  control(sessions: ControlledSessions, command: unknown): Promise<string>
}

/** What a route tells of the session that it found. */
export interface SessionDescription {
  readonly userId: string
  readonly handle: string
  readonly tenantId: string
  readonly payload: AppClaims
}

/** Describes a session, as the routes of the application under test answer. */
export function describeSession(session: ReadonlySession<AppClaims>): SessionDescription {
  return {
    userId: session.getUserId(),
    handle: session.getHandle(),
    tenantId: session.getTenantId(),
    payload: session.getJwtPayload(),
  }
}

/** Describes a reading, as the route `/reading` of the application under test answers. */
export function describeReading(reading: SessionReading<AppClaims>): { kind: string; userId: string | null } {
  return { kind: reading.kind, userId: reading.kind === 'active' ? reading.session.getUserId() : null }
}

/** The calls that an adapter has as far as its framework has what they are for, under the names that all share. */
export const adapterCalls = [
  'createNewSession', 'getSession', 'refreshSession', 'readSession', 'requireSession', 'sessionOf', 'sessionRoutes',
  'errorHandler', 'cors',
] as const

/** Those of {@link adapterCalls} that sessions in the shape of a framework have. */
export function offeredCalls(sessions: object): readonly string[] {
  return adapterCalls.filter(name => name in sessions)
}

/** Those that make what a framework calls. */
const makers = ['requireSession', 'sessionRoutes', 'errorHandler', 'cors', 'handler', 'handle', 'proxy']

/** The calls that do not refuse what a framework hands to a middleware, a handler or a hook. */
function findUncalled(sessions: object): string[] {
  class Handed {}
  const handed = [new Handed(), new Handed(), () => undefined]
  return makers.filter(name => {
    const make: unknown = Reflect.get(sessions, name)
    return typeof make === 'function' && handed.some((_, index) => {
      try {
        Reflect.apply(make, sessions, handed.slice(0, index + 1))
        return true
      } catch (error) {
        return !(error instanceof Error && error.message.includes(`${name}(`))
      }
    })
  })
}

/** What `/control` answers. */
export interface ControlAnswer {
  readonly now: EpochMilliseconds
  /** The store calls that requests cost since the last answer. */
  readonly calls: readonly string[]
  /** How many errors the adapter has reported since the last answer. */
  readonly reported: number
  /** How often the handler of `/any` has run since the last answer. */
  readonly visits: number
  /** Which of {@link adapterCalls} the adapter has. */
  readonly offered: readonly string[]
  /** Which of its calls take a request as if they were the middleware that they make. */
  readonly uncalled: readonly string[]
  /** What became of the command. */
  readonly outcome: string
}

/** Makes the parts of one application under test, over a memory store and a clock that the contract moves. */
export function createAppFixture(variant: AppVariant): AppFixture {
  checkValue('variant', oneOf('plain', 'token', 'mounted', 'proxied', 'no-cors'), variant)
  const clock = createFakeClock()
  const cut = cuttable(createMemoryStore())
  const { prefix, cors, options } = variants[variant]
  const gate = createGate()
  let late: Session<AppClaims, AppInfo> | null = null
  let reported = 0
  let visits = 0

  async function obey(sessions: ControlledSessions, command: JsonObject): Promise<void> {
    const { advance, storeDown, revoke, change, release, afterwards } = command
    if (typeof advance === 'number') clock.advance(advance)
    if (typeof storeDown === 'boolean') cut.down = storeDown
    if (typeof revoke === 'string') await sessions.revokeSession(revoke)
    if (typeof change === 'string') await sessions.updateJwtPayload(change, { role: 'editor' })
    if (release === true) gate.release()
    if (afterwards === 'change') await late?.updateJwtPayload({ role: 'late' })
    if (afterwards === 'revoke') await late?.revokeSession()
  }

  return {
    options: {
      origin: APP_ORIGIN,
      trustedOrigins: [FRONT_END_ORIGIN],
      maxStaleness: 3600,
      ...options,
      store: cut.store,
      clock,
      schedule: () => () => undefined,
    },
    prefix,
    cors,
    adminOnly: {
      claimValidators: [
        {
          id: 'role',
          validate: ({ role }) => role === 'admin'
            ? { isValid: true }
            : { isValid: false, reason: { message: 'wrong value' } },
        },
      ],
    },
    failure: new Error('the application failed'),
    report: () => {
      reported += 1
    },
    gate: gate.pass,
    visit: () => {
      visits += 1
    },
    keep: session => {
      late = session
    },
    async control(sessions, command) {
      const before = cut.calls.splice(0)
      let outcome = 'done'
      try {
        await obey(sessions, isJsonObject(command) ? command : {})
      } catch (error) {
        outcome = error instanceof Error ? error.name : 'failed'
      }
      cut.calls.length = 0
      const answer: ControlAnswer = {
        now: clock(), calls: before, reported, visits, outcome,
        offered: offeredCalls(sessions), uncalled: findUncalled(sessions),
      }
      reported = 0
      visits = 0
      return JSON.stringify(answer)
    },
  }
}

/** Lets one pass for each release, whichever comes first. */
function createGate(): { pass(): Promise<void>; release(): void } {
  let released = 0
  return {
    async pass() {
      // Workers may not wait for what another request does, only for time.
      while (released === 0) await new Promise(resolve => setTimeout(resolve, 2))
      released -= 1
    },
    release() {
      released += 1
    },
  }
}

/** The calls for keys, the feed and housekeeping are no request's. */
const inBackground: ReadonlySet<string> = new Set([
  'listKeys', 'addKeyIfNewest', 'follow', 'changesSince', 'acquireLease', 'removeExpired',
])

/** A store that can be cut off, and that counts the calls of requests. */
function cuttable(inner: SessionStore): { readonly store: SessionStore; down: boolean; readonly calls: string[] } {
  const state = { down: false, calls: new Array<string>() }
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...parameters: unknown[]): Promise<unknown> => {
        if (!inBackground.has(String(name))) state.calls.push(String(name))
        if (state.down) throw new GeneralError('STORE_UNAVAILABLE', 'the contract cut the store off')
        return Reflect.apply(value, target, parameters)
      }
    },
  })
  return Object.assign(state, { store })
}
