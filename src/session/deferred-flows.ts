import { andThen } from '../base/awaitable.ts'
import { lazy } from '../base/lazy.ts'
import type * as Flows from './flows.ts'

// The same functions as in flows.ts. The first call of any of them loads them all; later calls are calls of the
// originals. It is what `#session-flows` is on runtimes that load modules one by one.

const load = lazy(() => import('./flows.ts'))

export const createAntiCsrfToken: typeof Flows.createAntiCsrfToken = (...input) => (
  andThen(load(), flows => flows.createAntiCsrfToken(...input))
)

export const isAntiCsrfToken: typeof Flows.isAntiCsrfToken = (...input) => (
  andThen(load(), flows => flows.isAntiCsrfToken(...input))
)

export const createKeyVault: typeof Flows.createKeyVault = (...input) => (
  andThen(load(), flows => flows.createKeyVault(...input))
)

export const create: typeof Flows.create = (...input) => (
  andThen(load(), flows => flows.create(...input))
)

export const identifyAccessToken: typeof Flows.identifyAccessToken = (...input) => (
  andThen(load(), flows => flows.identifyAccessToken(...input))
)

export const ownerOfRefreshToken: typeof Flows.ownerOfRefreshToken = (...input) => (
  andThen(load(), flows => flows.ownerOfRefreshToken(...input))
)

export const reissueAccessToken: typeof Flows.reissueAccessToken = (...input) => (
  andThen(load(), flows => flows.reissueAccessToken(...input))
)

export const renewAccessToken: typeof Flows.renewAccessToken = (...input) => (
  andThen(load(), flows => flows.renewAccessToken(...input))
)

export const end: typeof Flows.end = (...input) => (
  andThen(load(), flows => flows.end(...input))
)

export const endAllOfUser: typeof Flows.endAllOfUser = (...input) => (
  andThen(load(), flows => flows.endAllOfUser(...input))
)

export const findLive: typeof Flows.findLive = (...input) => (
  andThen(load(), flows => flows.findLive(...input))
)

export const list: typeof Flows.list = (...input) => (
  andThen(load(), flows => flows.list(...input))
)

export const listHandles: typeof Flows.listHandles = (...input) => (
  andThen(load(), flows => flows.listHandles(...input))
)

export const removeEverySession: typeof Flows.removeEverySession = (...input) => (
  andThen(load(), flows => flows.removeEverySession(...input))
)

export const updateInfo: typeof Flows.updateInfo = (...input) => (
  andThen(load(), flows => flows.updateInfo(...input))
)

export const updatePayload: typeof Flows.updatePayload = (...input) => (
  andThen(load(), flows => flows.updatePayload(...input))
)

export const refresh: typeof Flows.refresh = (...input) => (
  andThen(load(), flows => flows.refresh(...input))
)
