import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { ageOf, see } from './age.ts'
import { stateAfter } from './server-reply.ts'
import type { ClientStorage, ClientEnvironment } from './environment.ts'
import { lifetimeOf } from './front-token.ts'
import { newer, parseState, tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

/** Synchronizes the record of one tab with the storage and with the other tabs. */
export interface SharedState {
  /** Resolves when the storage was read for the first time. */
  readonly ready: Promise<void>
  /** The record; null if nothing is known. */
  current(): SessionState | null
  /** How long the access token can still be used, in milliseconds; null if there is none. */
  timeLeft(): number | null
  /** Whether there is an access token that has expired. */
  isExpired(): boolean
  /** Reads the storage again. */
  reload(): Promise<void>
  /** Sets the listener of changes. If there is a record already, calls it at once. */
  onChange(listener: (record: SessionState) => void): void
  /** Updates the record from the headers of a response to this tab, stores it and sends it to the other tabs. */
  take(headers: Headers, sent: SessionState | null): Promise<void>
}

/** Creates the state of one tab. */
export function createSharedState(
  env: ClientEnvironment,
  storage: ClientStorage | null,
  name: string,
  mode: TransferMode,
  closing: AbortSignal,
): SharedState {
  let current: SessionState | null = null
  let lifetime: number | null = null
  let changed: ((record: SessionState) => void) | null = null
  let seen = see(0, env.now())

  function adopt(record: SessionState | null): void {
    const next = newer(current, record)
    if (next === null || next === current) return
    current = next
    const token = tokenOf(next)
    lifetime = token && lifetimeOf(token, next.received)
    seen = see(next.received, env.now())
    changed?.(next)
  }

  // Runs synchronously with a synchronous storage, so that a page knows its session from the start.
  async function reload(): Promise<void> {
    try {
      const text = storage?.getItem(name)
      adopt(parseState(typeof text === 'object' && text !== null ? await text : text))
    } catch {
      // The storage is blocked: this tab only knows its own responses and the messages of other tabs.
    }
  }

  const timeLeft = (): number | null => lifetime && lifetime - ageOf(seen, env.now())
  const post = env.openSignal(name, message => adopt(parseState(message)), closing)
  return {
    ready: reload(),
    current: () => current,
    timeLeft,
    isExpired: () => (timeLeft() ?? 1) <= 0,
    reload,
    onChange(listener) {
      changed = listener
      if (current !== null) listener(current)
    },
    async take(headers, sent) {
      // The response may have waited for hours in a frozen tab, while other tabs have refreshed.
      if (headers.has(wire.frontToken)) await reload()
      const record = stateAfter(current, sent, mode, headers, env.now().wall)
      if (!record) return
      adopt(record)
      try {
        post(record)
        await storage?.setItem(name, JSON.stringify(record))
      } catch {
        // The storage is blocked or full: this tab and the tabs that got the message know the record.
      }
    },
  }
}
