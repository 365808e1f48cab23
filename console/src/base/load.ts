import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ApiFailure, recoveries } from './api.ts'

/** What a page reads, and how far it is. */
export interface Loaded<Value> {
  /** What was read last; null if nothing was. It stays while the next reading runs or fails. */
  readonly value: Value | null
  /** Why the last reading failed; null if it succeeded or runs. */
  readonly failure: ApiFailure | null
  /** When `value` was read. */
  readonly readAt: number | null
  /** Whether the first reading takes so long that something should be shown. */
  readonly isSlow: boolean
  readonly reload: () => void
}

interface State<Value> extends Omit<Loaded<Value>, 'reload'> {
  readonly key: string
}

const SLOW = 200

/**
 * Reads when the page is shown, when `key` changes, when `reload` is called, and after the connection was lost and came
 * back. With `every`, again after so many milliseconds, while somebody looks and moves.
 */
export function useLoad<Value>(
  key: string,
  load: (abort: AbortSignal) => Promise<Value>,
  every: number | null = null,
): Loaded<Value> {
  const empty: State<Value> = { key, value: null, failure: null, readAt: null, isSlow: false }
  const [stored, setState] = useState(empty)
  const state = stored.key === key ? stored : empty
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound(number => number + 1), [])
  const latest = useRef(load)
  latest.current = load
  const recovered = recoveries.value
  useEffect(() => {
    const abort = new AbortController()
    const update = (change: Partial<State<Value>>): void => {
      if (!abort.signal.aborted) setState(old => ({ ...old.key === key ? old : empty, ...change }))
    }
    const slow = setTimeout(() => update({ isSlow: true }), SLOW)
    latest.current(abort.signal).then(
      value => update({ value, failure: null, readAt: Date.now(), isSlow: false }),
      (error: unknown) => update({ failure: failureFrom(error), isSlow: false }),
    ).finally(() => clearTimeout(slow))
    return () => abort.abort()
  }, [key, round, recovered])
  useEffect(() => {
    if (every === null) return
    const timer = setInterval(() => {
      if (isWatched()) reload()
    }, every)
    return () => clearInterval(timer)
  }, [every, reload])
  return { ...state, reload }
}

/** What was thrown, as a failure that can be shown. */
export function failureFrom(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error
  return new ApiFailure('server_error', error instanceof Error ? error.message : String(error))
}

let movedAt = Date.now()
for (const type of ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart']) {
  addEventListener(type, () => movedAt = Date.now(), { capture: true, passive: true })
}

/** How long a page that nobody touches goes on reading. It must not keep the console session from its idle timeout. */
export const UNWATCHED = 300_000

/** Whether somebody looks at the page, as far as it can tell. */
export function isWatched(): boolean {
  return document.visibilityState === 'visible' && Date.now() - movedAt < UNWATCHED
}
