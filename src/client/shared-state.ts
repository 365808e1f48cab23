import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { ageOf, momentOf } from './age.ts'
import type { ClientStorage, ClientEnvironment } from './environment.ts'
import { lifetimeOf } from './front-token.ts'
import { reduce } from './reduce.ts'
import type { SessionEvent } from './reduce.ts'
import { isTemporary, parseState, tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'
import { orLate } from './wait.ts'

/** Synchronizes the record of one tab with the storage and with the other tabs. */
export interface SharedState {
  /** Resolves when the storage was read for the first time, or has not answered in time. */
  readonly ready: Promise<void>
  /** The status without a record: `signed-out` once the storage was read, `unavailable` if it does not answer. */
  phase(): 'loading' | 'signed-out' | 'unavailable'
  /** The record; null if nothing is known. */
  current(): SessionState | null
  /** How long the access token can still be used, in milliseconds; null if there is none. */
  timeLeft(): number | null
  /** Whether there is an access token that has expired. */
  isExpired(): boolean
  /** Reads the storage again. */
  reload(): Promise<void>
  /** Sets the listener of changes. */
  onChange(listener: (record: SessionState) => void): void
  /** Applies what this tab has learned or done, stores the record and sends it to the other tabs. */
  dispatch(event: SessionEvent): Promise<void>
}

/** How long the storage may take to answer, in milliseconds. */
const STORAGE_TIMEOUT = 3000

/** Creates the state of one tab. */
export function createSharedState(
  env: ClientEnvironment,
  storage: ClientStorage | null,
  name: string,
  mode: TransferMode,
  closing: AbortSignal,
): SharedState {
  let current: SessionState | null = null
  let phase: ReturnType<SharedState['phase']> = 'loading'
  let lifetime: number | null = null
  let changed: ((record: SessionState) => void) | null = null
  let received = momentOf(0, env.now())

  /** Returns whether the event changes the record. */
  function apply(event: SessionEvent): boolean {
    const next = reduce(mode, current, event)
    if (next === null || next === current) return false
    current = next
    const token = tokenOf(next)
    lifetime = token && lifetimeOf(token, next.received)
    received = momentOf(next.received, env.now())
    changed?.(next)
    return true
  }

  // Runs synchronously with a synchronous storage, so that a page knows its session from the start.
  async function reload(): Promise<void> {
    try {
      const reading = storage?.getItem(name)
      const isAsync = typeof reading === 'object' && reading !== null
      const text = isAsync ? await orLate(env, STORAGE_TIMEOUT, reading) : reading ?? null
      phase = text === undefined ? 'unavailable' : 'signed-out'
      const record = parseState(text)
      // Its cookies were deleted when the browser was closed.
      if (!isTemporary(record) || env.runMark?.has(name)) apply({ type: 'record', record })
    } catch {
      // The storage is blocked: this tab only knows its own responses and the messages of other tabs.
      phase = 'signed-out'
    }
  }

  const timeLeft = (): number | null => lifetime && lifetime - ageOf(received, env.now())
  const post = env.openSignal(name, message => apply({ type: 'record', record: parseState(message) }), closing)
  return {
    ready: reload(),
    phase: () => phase,
    current: () => current,
    timeLeft,
    isExpired: () => (timeLeft() ?? 1) <= 0,
    reload,
    onChange(listener) {
      changed = listener
    },
    async dispatch(event) {
      if (event.type === 'response' && !event.refresh && !event.headers.get(wire.frontToken)) return
      // The response may have waited for hours in a frozen tab, while other tabs have refreshed.
      const reading = reload()
      if (event.type !== 'sign-out') await reading
      if (!apply(event) || current === null) return
      const record = current
      const isKept = !isTemporary(record) || env.runMark?.set(name)
      const text = JSON.stringify(record)
      const write = async (): Promise<void> => {
        post(text)
        await storage?.setItem(name, isKept ? text : '')
      }
      // If the storage is blocked or full, this tab and the tabs that got the message know the record. Nobody waits for
      // a storage that does not answer.
      write().catch((error: unknown) => {
        if (mode === 'header') console.error('keyturn: storage failed', error)
      })
    },
  }
}
