import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSessionError } from '../base/errors.ts'
import type { AnySessionError } from '../base/errors.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions } from '../transport/http-sessions.ts'
import { nodeExchange } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { WebReply, WebRequest } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'

/** The codes of tRPC that errors of Keyturn become. */
export type TrpcErrorCode = 'UNAUTHORIZED' | 'FORBIDDEN' | 'SERVICE_UNAVAILABLE' | 'INTERNAL_SERVER_ERROR'

/** What the adapter for tRPC is given: its error class, and options. */
export interface TrpcOptions {
  /** `TRPCError` of `@trpc/server`. */
  readonly TRPCError: new (options: { code: TrpcErrorCode; message: string; cause: unknown }) => Error
  /** Who sent a request to a server on node:http. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /** Who sent a request to a fetch handler. Default: unknown. */
  readonly webClientIp?: WebClientIp
}

/** What `createContext` is called with: by the fetch adapter, or by those on node:http (standalone, Express). */
export type TrpcTarget =
  | { readonly req: Request; readonly resHeaders: Headers }
  | { readonly req: IncomingMessage; readonly res: ServerResponse }

/** The calls that procedures find in their context. Their errors are `TRPCError`s, with Keyturn's as the cause. */
export interface TrpcContext<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<[], Payload, Info>
  readonly getSession: GetSession<[], Payload, Info>
}

/** Sessions for tRPC. */
export interface TrpcSessions<Payload extends object, Info extends object> {
  /** Makes the context of one HTTP request: `createContext: options => sessions.context(options)`. 0 store calls. */
  context(target: TrpcTarget): TrpcContext<Payload, Info>
  /** The `TRPCError` for an error of Keyturn's, for what is caught elsewhere; any other value comes back as it is. */
  toTrpcError(error: unknown): unknown
}

/** Gives sessions the shape of tRPC. */
export function trpcSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: TrpcOptions,
): Rest & TrpcSessions<Payload, Info> {
  const { http } = sessions
  const { TRPCError, clientIp, webClientIp = (): null => null } = options

  function toTrpcError(error: unknown): unknown {
    if (!isSessionError(error)) return error
    const [code, message] = describe(error)
    return new TRPCError({ code, message, cause: error })
  }

  async function translated<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call()
    } catch (error) {
      throw toTrpcError(error)
    }
  }

  function exchangeOf(target: TrpcTarget): HttpExchange {
    if ('res' in target) return nodeExchange(target.req, target.res, clientIp)
    return { request: new WebRequest(target.req, webClientIp), reply: new WebReply(target.resHeaders) }
  }

  const adapter: TrpcSessions<Payload, Info> = {
    context(target) {
      const exchange = exchangeOf(target)
      return {
        createNewSession: (...call) => translated(() => http.createNewSession(exchange, ...call)),
        getSession: typedByOptions(argument => translated(() => http.getSession(exchange, argument))),
      }
    },
    toTrpcError,
  }
  return { ...sessions, ...adapter }
}

/** What clients of tRPC are told: the texts of the HTTP answers, and the codes of nearest meaning. */
function describe(error: AnySessionError): readonly [code: TrpcErrorCode, message: string] {
  switch (error.code) {
    case 'UNAUTHORIZED': return ['UNAUTHORIZED', 'unauthorised']
    case 'TRY_REFRESH_TOKEN': return ['UNAUTHORIZED', 'try refresh token']
    case 'TOKEN_THEFT_DETECTED': return ['UNAUTHORIZED', 'token theft detected']
    case 'INVALID_CLAIMS': return ['FORBIDDEN', 'invalid claim']
    case 'CROSS_SITE_REQUEST': return ['FORBIDDEN', 'cross-site request refused']
    case 'MISUSE': return ['INTERNAL_SERVER_ERROR', 'internal error']
    case 'STORE_UNAVAILABLE':
    case 'REFRESH_BUSY': return ['SERVICE_UNAVAILABLE', 'session service unavailable']
  }
}
