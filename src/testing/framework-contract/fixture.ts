import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { checkValue, oneOf } from '../../base/options.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { PolicyOptions } from '../../session/policy.ts'
import type { SessionStore } from '../../session/store.ts'
import { createMemoryStore } from '../../stores/memory.ts'
import type { GetSessionOptions, RequireSessionOptions } from '../../transport/get-session-options.ts'
import type { SessionReading } from '../../transport/get-session.ts'
import type { HttpOptions } from '../../transport/http-policy.ts'
import type { ReadonlySession } from '../../transport/session.ts'
import type { FakeClock } from '../fake-clock.ts'
import { createFakeClock } from '../fake-clock.ts'
import { createGate, cuttable } from './cut-store.ts'
import { createSteps, outcomeOf, stepsIn } from './steps.ts'
import type { AppClaims, Step, SteppedCalls } from './steps.ts'

/** The configurations in which the application under test must be able to run. */
export type AppVariant = 'plain' | 'token' | 'mounted' | 'proxied' | 'pages' | 'no-cors'

/** The public origin of the application. */
export const APP_ORIGIN = 'https://app.example.com'
/** The login page of the variant `pages`, as browsers request it. */
export const LOGIN_PATH = '/gateway/login'
/** Another origin, which is trusted. */
export const FRONT_END_ORIGIN = 'https://www.example.com'

interface VariantSettings {
  /** The path under which the application mounts all of its routes. */
  readonly prefix: string
  /** The path that a proxy strips before the application sees the request. */
  readonly stripped: string
  /** Whether the application answers preflights before its guards. */
  readonly cors: boolean
  readonly options: Partial<HttpOptions>
}

/** The settings of each variant. */
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
  pages: {
    prefix: '',
    stripped: '/gateway',
    cors: true,
    options: { gatewayPath: '/gateway', cookie: { refreshTokenPath: '/' } },
  },
  'no-cors': { prefix: '', stripped: '', cors: false, options: {} },
}

/** The methods of the sessions under test that {@link AppFixture.control} needs. */
interface ControlledSessions {
  revokeSession(handle: string): Promise<boolean>
  updateJwtPayload(handle: string, payload: AppClaims): Promise<void>
  getAllSessionHandlesForUser(userId: string): Promise<readonly string[]>
}

/**
 * What an application needs to be tested with the framework contract. It creates its sessions with
 * `createSessions(fixture.options)`, passes them to the adapter with `onError: fixture.report`, and serves the routes
 * that `docs/framework-contract.md` lists under `fixture.prefix`.
 */
export interface AppFixture {
  /** For `createSessions`. */
  readonly options: PolicyOptions & HttpOptions & {
    readonly store: SessionStore
    readonly clock: FakeClock
    readonly schedule: () => () => void
  }
  /** The path of the router under which every route is mounted. May be empty. */
  readonly prefix: string
  /** Whether to mount `cors()` before everything else. */
  readonly cors: boolean
  /** Options for the route that requires the role admin. */
  readonly adminOnly: GetSessionOptions<AppClaims>
  /** Options for the route `/page`. */
  readonly pages: RequireSessionOptions<AppClaims>
  /** The error that `/fail` throws. */
  readonly failure: Error
  /** Pass it as `onError`: it counts the errors that the adapter reports. */
  readonly report: (error: unknown) => void
  /** `/stream` awaits it between its two pieces. */
  gate(): Promise<void>
  /** Counts a run of the handler of `/any`. */
  visit(): void
  /**
   * The handler of `/steps`: takes what the calls of the adapter take, and the parsed body; resolves to the JSON of the
   * response.
   */
  follow<Target extends readonly [request: object, ...others: unknown[]]>(
    sessions: SteppedCalls<Target>,
    target: Target,
    command: unknown,
  ): Promise<string>
  /** The handler of `/control`: takes the parsed body, resolves to the JSON of the response. */
  control(sessions: ControlledSessions, command: unknown): Promise<string>
}

/** The JSON that a route returns about the session that it found. */
export interface SessionDescription {
  /** The id of the user. */
  readonly userId: string
  /** The handle of the session. */
  readonly handle: string
  /** The id of the tenant. */
  readonly tenantId: string
  /** The JWT payload. */
  readonly payload: AppClaims
}

/** Describes a session as the routes of the application under test return it. */
export function describeSession(session: ReadonlySession<AppClaims>): SessionDescription {
  return {
    userId: session.getUserId(),
    handle: session.getHandle(),
    tenantId: session.getTenantId(),
    payload: session.getJwtPayload(),
  }
}

/** The text that the route `/page` of the application under test returns: for the session, and the body of a form. */
export function describePage(session: ReadonlySession<AppClaims>, body: string = ''): string {
  return `${session.getUserId()}: ${body}`
}

/** Describes a reading as the route `/reading` of the application under test returns it. */
export function describeReading(reading: SessionReading<AppClaims>): { kind: string; userId: string | null } {
  return { kind: reading.kind, userId: reading.kind === 'active' ? reading.session.getUserId() : null }
}

/** The calls of an adapter, under the names that all adapters share. A framework may lack some of them. */
export const adapterCalls = [
  'createNewSession', 'getSession', 'refreshSession', 'signOut', 'readSession', 'requireSession', 'sessionOf',
  'sessionRoutes',
  'errorHandler', 'cors',
] as const

/** The calls among {@link adapterCalls} that an adapter has. */
export function offeredCalls(sessions: object): readonly string[] {
  return adapterCalls.filter(name => name in sessions)
}

/** The calls that return something for the framework to call. */
const makers = ['requireSession', 'sessionRoutes', 'errorHandler', 'cors', 'handler', 'handle', 'proxy']

/** The calls that do not throw when they get the arguments that a framework passes to a middleware, handler or hook. */
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

/** The response of `/control`. */
export interface ControlAnswer {
  readonly now: EpochMilliseconds
  /** The store calls that requests have made since the last response. */
  readonly calls: readonly string[]
  /** How many errors the adapter has reported since the last response. */
  readonly reported: number
  /** How often the handler of `/any` has run since the last response. */
  readonly visits: number
  /** How many requests still wait for the end of their session because their handlers have read `session.signal`. */
  readonly watched: number
  /** The calls among {@link adapterCalls} that the adapter has. */
  readonly offered: readonly string[]
  /** The calls that accept a request, as if they were the middleware that they create. */
  readonly uncalled: readonly string[]
  /** The result of the command. */
  readonly outcome: string
}

/** Creates the parts of one application under test, with a memory store and a clock that the contract moves. */
export function createAppFixture(variant: AppVariant): AppFixture {
  checkValue('variant', oneOf('plain', 'token', 'mounted', 'proxied', 'pages', 'no-cors'), variant)
  const clock = createFakeClock()
  const cut = cuttable(createMemoryStore())
  const { prefix, cors, options } = variants[variant]
  const gate = createGate()
  /** The calls for the last request to `/steps`, and the one that its handler did not await. */
  let late: Step | null = null
  let abandoned: Promise<string> | null = null
  let reported = 0
  let visits = 0
  const watched = { open: 0 }

  async function execute(sessions: ControlledSessions, command: JsonObject): Promise<string> {
    const { advance, storeDown, revoke, change, release, afterwards, settle, sessionsOf } = command
    // The client has received the response before it sends a command.
    cut.held = false
    if (typeof advance === 'number') clock.advance(advance)
    if (typeof storeDown === 'boolean') cut.down = storeDown
    if (typeof revoke === 'string') await sessions.revokeSession(revoke)
    if (typeof change === 'string') await sessions.updateJwtPayload(change, { role: 'editor' })
    if (release === true) gate.release()
    if (typeof afterwards === 'string' && late !== null) return outcomeOf(late, afterwards)
    if (typeof sessionsOf === 'string') return String((await sessions.getAllSessionHandlesForUser(sessionsOf)).length)
    if (settle === true) return await abandoned ?? 'nothing was abandoned'
    return 'done'
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
    pages: variant === 'pages' ? { refresh: true, loginPath: LOGIN_PATH } : {},
    failure: new Error('the application failed'),
    report: () => {
      reported += 1
    },
    gate: gate.pass,
    visit: () => {
      visits += 1
    },
    async follow(sessions, target, command) {
      const step = late = createSteps(sessions, target, watched)
      const outcomes: string[] = []
      for (const text of stepsIn(command, 'steps')) outcomes.push(await outcomeOf(step, text))
      const [unawaited] = stepsIn(command, 'unawaited')
      if (unawaited !== undefined) {
        cut.held = true
        abandoned = outcomeOf(step, unawaited)
      }
      return JSON.stringify({ outcomes })
    },
    async control(sessions, command) {
      const before = cut.calls.splice(0)
      let outcome = 'done'
      try {
        outcome = await execute(sessions, isJsonObject(command) ? command : {})
      } catch (error) {
        outcome = error instanceof Error ? error.name : 'failed'
      }
      cut.calls.length = 0
      const answer: ControlAnswer = {
        now: clock(), calls: before, reported, visits, outcome, watched: watched.open,
        offered: offeredCalls(sessions), uncalled: findUncalled(sessions),
      }
      reported = 0
      visits = 0
      return JSON.stringify(answer)
    },
  }
}
