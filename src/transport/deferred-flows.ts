import { andThen } from '../base/awaitable.ts'
import { lazy } from '../base/lazy.ts'
import type * as Flows from './flows.ts'

// The same functions as in flows.ts. The first call of any of them loads them all; later calls are calls of the
// originals. It is what `#transport-flows` is on runtimes that load modules one by one.

const load = lazy(() => import('./flows.ts'))

export const authenticateHandshake: typeof Flows.authenticateHandshake = (...input) => (
  andThen(load(), flows => flows.authenticateHandshake(...input))
)

export const refreshSession: typeof Flows.refreshSession = (...input) => (
  andThen(load(), flows => flows.refreshSession(...input))
)

export const renewSession: typeof Flows.renewSession = (...input) => (
  andThen(load(), flows => flows.renewSession(...input))
)

export const handleSessionRoute: typeof Flows.handleSessionRoute = (...input) => (
  andThen(load(), flows => flows.handleSessionRoute(...input))
)

export const startSession: typeof Flows.startSession = (...input) => (
  andThen(load(), flows => flows.startSession(...input))
)
