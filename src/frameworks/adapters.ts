// The parts of an adapter. docs/frameworks.md#a-framework-of-your-own says how to write one.
export { isSessionError } from '../base/errors.ts'
export type { AnySessionError } from '../base/errors.ts'
export type { Awaitable } from '../base/awaitable.ts'

export { defineAdapter, defineCalls } from './define-adapter.ts'
export type {
  Adapter, AdapterCalls, AdapterParts, AdapterStep, AdapterTarget, CallParts, SessionCalls,
} from './define-adapter.ts'
export { checkGuardArguments, mustBeCalled, mustBeCalledForCors } from './must-be-called.ts'

// The request as Keyturn reads it, and the response as Keyturn writes it.
export { createClientInfo } from '../session/client-info.ts'
export type { ClientInfo } from '../session/record.ts'
export type {
  HttpExchange, HttpRequest, ResponseWriter, CompleteResponse, StreamedResponse,
} from '../transport/exchange.ts'
export type { Cookie, CookieAttributes, SameSite } from '../transport/set-cookie.ts'
export { withCookies } from './response-cookies.ts'

// Ready-made exchanges: for frameworks on node:http, and for frameworks on web requests.
export { NodeResponseWriter, nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
export type { ClientIp } from './node-exchange.ts'
export { addHeaders, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
export type { WebClientIp } from './web-exchange.ts'

// Parameters and results of the calls.
export type { BodySource, ConsoleOperator, ConsoleOptions, MessageBody, WebBody } from '../transport/console-port.ts'
export type { CorsOptions } from '../transport/cors.ts'
export type {
  GetSessionArgument, GetOptionalSessionOptions, GetSessionOptions, RequireSessionOptions,
} from '../transport/get-session-options.ts'
export type { SessionReading } from '../transport/get-session.ts'
export type { CreateNewSession, GetSession, HttpSessions, RefreshSession, SignOut } from '../transport/http-sessions.ts'
export type { ReadonlySession, Session } from '../transport/session.ts'
export type { CreateNewSessionOptions } from '../transport/start-session.ts'
