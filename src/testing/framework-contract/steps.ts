import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import type { SessionReading } from '../../transport/get-session.ts'
import type { CreateNewSession, GetSession, RefreshSession, SignOut } from '../../transport/http-sessions.ts'
import type { Session } from '../../transport/session.ts'

/** The claims of the application under test. */
export type AppClaims = { role?: string }
/** The session data of the application under test. */
export type AppInfo = { note?: string }

/** The calls of an adapter that `/steps` makes. */
export interface SteppedCalls<Target extends readonly [request: object, ...others: unknown[]]> {
  /** Calls the adapter's `createNewSession`. */
  readonly createNewSession: CreateNewSession<Target, AppClaims, AppInfo>
  /** Calls the adapter's `getSession`. */
  readonly getSession: GetSession<Target, AppClaims, AppInfo>
  /** Calls the adapter's `refreshSession`. */
  readonly refreshSession: RefreshSession<Target, AppClaims, AppInfo>
  /** Calls the adapter's `signOut`. */
  readonly signOut: SignOut<Target>
  /** Calls the adapter's `readSession`. */
  readSession(request: Target[0]): Promise<SessionReading<AppClaims>>
}

/** Makes one call for a request. Resolves to a description of its result. */
export type Step = (name: string, value: string) => Promise<string>

/** How many listeners for the end of a session the step `signal` has registered that were not removed. */
export interface WatchCount {
  open: number
}

/** Reads the signal of a session, and counts the listener that this registers. */
function readSignal(session: Session<AppClaims, AppInfo>, watched: WatchCount): string {
  const register = session.onRevoked.bind(session)
  session.onRevoked = listener => {
    watched.open += 1
    const remove = register(listener)
    let isOpen = true
    return () => {
      remove()
      if (isOpen) watched.open -= 1
      isOpen = false
    }
  }
  return session.signal.aborted ? 'aborted' : 'not aborted'
}

/** The steps of one request: `create bob`, `get`, `update editor`, and so on, by the names below. */
export function createSteps<Target extends readonly [request: object, ...others: unknown[]]>(
  sessions: SteppedCalls<Target>,
  target: Target,
  watched: WatchCount,
): Step {
  const found: Session<AppClaims, AppInfo>[] = []
  const keep = (session: Session<AppClaims, AppInfo>): string => {
    found.push(session)
    return describe(session)
  }
  const at = (index: number): Session<AppClaims, AppInfo> => {
    const session = found.at(index)
    if (session === undefined) throw new Error('no earlier step has found a session')
    return session
  }
  return async (name, value) => {
    switch (name) {
      case 'create': return keep(await sessions.createNewSession(...target, value, { role: 'new' }))
      case 'get': return keep(await sessions.getSession(...target))
      case 'refresh': return keep(await sessions.refreshSession(...target))
      case 'read': {
        const reading = await sessions.readSession(target[0])
        return reading.kind === 'active' ? `active ${describe(reading.session)}` : reading.kind
      }
      case 'sign-out': return String(await sessions.signOut(...target))
      case 'update':
      case 'update-first':
        await at(name === 'update' ? -1 : 0).updateJwtPayload({ role: value })
        return 'done'
      case 'reauthenticate':
      case 'reauthenticate-first':
        await at(name === 'reauthenticate' ? -1 : 0).reauthenticate(...target)
        return 'done'
      case 'revoke':
      case 'revoke-first':
        await at(name === 'revoke' ? -1 : 0).revokeSession()
        return 'done'
      case 'signal': return readSignal(at(-1), watched)
      default: throw new Error(`"${name}" is not a step`)
    }
  }
}

/** Makes a call as {@link Step} does. If it fails, resolves to the words of a misuse, or else to the HTTP status. */
export async function outcomeOf(step: Step, text: string): Promise<string> {
  const [name = '', value = ''] = text.split(' ')
  try {
    return await step(name, value)
  } catch (error) {
    const { status, code }: { status?: unknown; code?: unknown } = Object(error)
    if (typeof status === 'number' && code !== 'MISUSE') return String(status)
    return error instanceof Error ? error.message : 'failed'
  }
}

/** The steps in the body of a request. */
export function stepsIn(command: unknown, name: string): readonly string[] {
  const body: JsonObject = isJsonObject(command) ? command : {}
  const steps = body[name]
  return Array.isArray(steps) ? steps.map(String) : []
}

function describe(session: { getUserId(): string; getJwtPayload(): AppClaims }): string {
  return `${session.getUserId()}, ${session.getJwtPayload().role}`
}
