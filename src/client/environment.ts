import type { Awaitable } from '../base/awaitable.ts'
import type { Reading } from './age.ts'

/** A function with the shape of the platform's `fetch`. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** Where records are kept: `localStorage`, React Native's `AsyncStorage`, or whatever a native shell has. */
export interface ClientStorage {
  getItem(key: string): Awaitable<string | null>
  setItem(key: string, value: string): Awaitable<unknown>
}

/** What the client uses of the page's storage, which all tabs see at once. */
export type SharedStorage = Pick<Storage, 'getItem' | 'setItem'>

/** What the client uses of Web Locks. */
export interface Locks {
  request<Result>(
    name: string,
    options: { ifAvailable?: boolean; steal?: boolean; signal?: AbortSignal | undefined },
    task: (lock: unknown) => Promise<Result>,
  ): Promise<Result>
}

/** Everything around a client that is not a rule: one tab of a browser, a worker, a native shell, a test. */
export interface ClientEnvironment {
  readonly fetch: Fetch
  /** Where the page came from: its origin, or its address if it has none; undefined where there is no page. */
  readonly pageUrl: string | undefined
  /** Null where there is none, or it is blocked. */
  readonly storage: SharedStorage | null
  readonly locks: Locks | undefined
  now(): Reading
  /** From 0 to 1. */
  random(): number
  /** Runs a task later. Returns how to call it off. */
  after(delay: number, task: () => void): () => void
  /** Opens what the tabs of one origin share until `closing`: their messages, and their writings to the storage. */
  openSignal(name: string, hear: (message: unknown) => void, closing: AbortSignal): (message: object) => void
  /** Whether somebody may be looking at the page. */
  isVisible(): boolean
  /** Calls back whenever the network or the user's attention may have returned, until `closing`. */
  onWake(listener: () => void, closing: AbortSignal): void
}

/** The environment of this page, worker or native shell. */
export function currentEnvironment(fetch: Fetch | undefined): ClientEnvironment {
  const { location, navigator, document, origin } = globalThis as Partial<typeof globalThis>
  return {
    fetch: fetch ?? globalThis.fetch.bind(globalThis),
    // The address of a `srcdoc` or `blob:` frame is no base for others; its origin is.
    pageUrl: origin && origin !== 'null' ? origin : location?.href,
    storage: localStorageOrNull(),
    locks: (navigator as Partial<Navigator> | undefined)?.locks,
    now: () => ({ wall: Date.now(), steady: performance.now() }),
    random: Math.random,
    after(delay, task) {
      const timer = setTimeout(task, delay)
      return () => clearTimeout(timer)
    },
    openSignal,
    isVisible: () => document?.visibilityState !== 'hidden',
    onWake(listener, closing) {
      for (const type of ['online', 'pageshow', 'visibilitychange']) listen(type, listener, closing)
    },
  }
}

/** The page's storage. Where it is blocked, even looking at it throws. */
function localStorageOrNull(): Storage | null {
  try {
    return globalThis.localStorage ?? null
  } catch {
    return null
  }
}

function openSignal(name: string, hear: (message: unknown) => void, closing: AbortSignal): (message: object) => void {
  let channel: BroadcastChannel | null = null
  const open = (): void => {
    // Without an address there are no tabs, and on a server a channel would keep the process alive.
    if (!globalThis.location) return
    try {
      channel ??= new BroadcastChannel(name)
      channel.onmessage = ({ data }) => hear(data)
    } catch {
      // Missing or blocked.
    }
  }
  // A page that holds a channel would not be kept for "back".
  const close = (): void => {
    channel?.close()
    channel = null
  }
  open()
  listen('pageshow', open, closing)
  listen('pagehide', close, closing)
  globalThis.addEventListener?.('storage', ({ key, newValue }) => {
    if (key === name) hear(newValue)
  }, { signal: closing })
  closing.addEventListener('abort', close)
  return message => channel?.postMessage(message)
}

function listen(type: string, listener: () => void, signal: AbortSignal): void {
  globalThis.addEventListener?.(type, listener, { signal })
}
