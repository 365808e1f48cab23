import { GeneralError } from '../../base/errors.ts'
import type { SessionStore } from '../../session/store.ts'

/** A worker may not await a promise of another request, only a timer. */
const aMoment = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 2))

/** Lets one `pass` resolve for each `release`, in whatever order they are called. */
export function createGate(): { pass(): Promise<void>; release(): void } {
  let released = 0
  return {
    async pass() {
      while (released === 0) await aMoment()
      released -= 1
    },
    release() {
      released += 1
    },
  }
}

/** Calls for keys, the feed, cleanup and the event log, which belong to no request. */
const inBackground: ReadonlySet<string> = new Set([
  'listKeys', 'addKeyIfNewest', 'follow', 'changesSince', 'acquireLease', 'removeExpired', 'appendEvent',
])

/** The store of an application under test, and what the contract does to it. */
export interface CuttableStore {
  readonly store: SessionStore
  /** Whether every call fails. */
  down: boolean
  /** Whether the calls of requests wait. */
  held: boolean
  /** The names of the calls of requests. */
  readonly calls: string[]
}

/** A store that can be made unavailable or slow, and that counts the calls of requests. */
export function cuttable(inner: SessionStore): CuttableStore {
  const state = { down: false, held: false, calls: new Array<string>() }
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...parameters: unknown[]): Promise<unknown> => {
        if (!inBackground.has(String(name))) {
          state.calls.push(String(name))
          while (state.held) await aMoment()
        }
        if (state.down) throw new GeneralError('STORE_UNAVAILABLE', 'the contract made the store unavailable')
        return Reflect.apply(value, target, parameters)
      }
    },
  })
  return Object.assign(state, { store })
}
