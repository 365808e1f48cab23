// What an adapter of your own is made of: docs/frameworks.md#a-framework-of-your-own
export { isSessionError } from '../base/errors.ts'
export type { AnySessionError } from '../base/errors.ts'
export type { Awaitable } from '../base/awaitable.ts'

export { defineAdapter, defineCalls } from './define-adapter.ts'
export type {
  Adapter, AdapterCalls, AdapterParts, AdapterStep, AdapterTarget, CallParts, SessionCalls,
} from './define-adapter.ts'
export { checkGuardArguments, mustBeCalled } from './must-be-called.ts'

// How a request is shown, and what takes the headers of its response.
export { createClientInfo } from '../session/client-info.ts'
export type { ClientInfo } from '../session/record.ts'
export type { HttpExchange, HttpRequest, ResponseWriter, CompleteResponse } from '../transport/exchange.ts'
export type { Cookie, CookieAttributes, SameSite } from '../transport/set-cookie.ts'
export { withCookies } from './response-cookies.ts'

// Those that exist: for frameworks on node:http, and for those on web requests.
export { NodeResponseWriter, nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
export type { ClientIp } from './node-exchange.ts'
export { addHeaders, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
export type { WebClientIp } from './web-exchange.ts'

// What the calls take and give.
export type {
  GetSessionArgument, GetOptionalSessionOptions, GetSessionOptions, SessionReading,
} from '../transport/get-session.ts'
export type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
export type { ReadonlySession, Session } from '../transport/session.ts'
export type { CreateNewSessionOptions } from '../transport/start-session.ts'
