import type { Awaitable } from '../base/awaitable.ts'
import { parseAddress } from './address.ts'
import type { ParseAddress } from './address.ts'
import type { ClockReading } from './age.ts'

/** A function with the signature of the platform's `fetch`. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** A storage for the session's record: `localStorage`, React Native's `AsyncStorage`, or that of a native shell. */
export interface ClientStorage {
  /** Returns the value of a key; null if there is none. */
  getItem(key: string): Awaitable<string | null>
  /** Stores a value. */
  setItem(key: string, value: string): Awaitable<unknown>
}

/** The part of the page's storage that the client uses; all tabs share it. */
export type SharedStorage = Pick<Storage, 'getItem' | 'setItem'>

/** The part of Web Locks that the client uses. */
export interface Locks {
  request<Result>(
    name: string,
    options: { ifAvailable?: boolean; steal?: boolean; signal?: AbortSignal | undefined },
    task: (lock: unknown) => Promise<Result>,
  ): Promise<Result>
}

/** A mark that all tabs of this run of the browser see. */
export interface RunMark {
  has(name: string): boolean
  /** Sets the mark. Returns whether it is set: the browser may refuse it. */
  set(name: string): boolean
}

/** What a client needs of its platform: a browser's tab, a worker, a native shell or a test. */
export interface ClientEnvironment {
  /** Sends all requests; an observer may replace it. */
  fetch: Fetch
  readonly parseAddress: ParseAddress
  /** The origin of the page, or its address if it has no origin; undefined without a page. */
  readonly pageUrl: string | undefined
  /** Null if there is none or it is blocked. */
  readonly storage: SharedStorage | null
  readonly locks: Locks | undefined
  /** A mark that lasts until the browser is closed, as cookies without an expiry do; undefined if there is none. */
  readonly runMark: RunMark | undefined
  now(): ClockReading
  /** From 0 to 1. */
  random(): number
  /** Runs a task after `delay` milliseconds. Returns a function that cancels it. */
  after(delay: number, task: () => void): () => void
  /**
   * Calls `hear` with the messages of the other tabs of this origin, until `closing`. Returns a
   * function that sends a message to them.
   */
  openSignal(name: string, hear: (message: unknown) => void, closing: AbortSignal): (message: string) => void
  /** Whether the page is visible. */
  isVisible(): boolean
  /** Calls back when the network may be back or the page may be visible again, until `closing`. */
  onWake(listener: () => void, closing: AbortSignal): void
}

/** The environment of this page, worker or native shell. */
export function currentEnvironment(fetch: Fetch | undefined): ClientEnvironment {
  const { location, navigator, document, origin } = globalThis as Partial<typeof globalThis>
  return {
    fetch: fetch ?? globalThis.fetch.bind(globalThis),
    parseAddress,
    // The address of a `srcdoc` or `blob:` frame cannot be a base; its origin can.
    pageUrl: origin && origin !== 'null' ? origin : location?.href,
    storage: localStorageOrNull(),
    locks: (navigator as Partial<Navigator> | undefined)?.locks,
    runMark: document && createRunMark(document),
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

/** The page's storage. If it is blocked, reading the property throws. */
function localStorageOrNull(): Storage | null {
  try {
    return globalThis.localStorage ?? null
  } catch {
    return null
  }
}

function createRunMark(document: Document): RunMark {
  const has = (name: string): boolean => document.cookie.split('; ').includes(`${name}=1`)
  return {
    has,
    set(name) {
      document.cookie = `${name}=1;path=/;samesite=lax`
      return has(name)
    },
  }
}

function openSignal(name: string, hear: (message: unknown) => void, closing: AbortSignal): (message: string) => void {
  let channel: BroadcastChannel | null = null
  const open = (): void => {
    // Without a location there are no tabs, and on a server an open channel would keep the process alive.
    if (!globalThis.location) return
    try {
      channel ??= new BroadcastChannel(name)
      channel.onmessage = ({ data }) => hear(data)
    } catch {
      // Missing or blocked.
    }
  }
  // Browsers do not keep a page with an open channel in the back/forward cache.
  const close = (): void => {
    channel?.close()
    channel = null
  }
  open()
  listen('pageshow', open, closing)
  listen('pagehide', close, closing)
  closing.addEventListener('abort', close)
  return message => channel?.postMessage(message)
}

function listen(type: string, listener: () => void, signal: AbortSignal): void {
  globalThis.addEventListener?.(type, listener, { signal })
}
