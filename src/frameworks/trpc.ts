import type { IncomingMessage, ServerResponse } from 'node:http'
import { GeneralError, isSessionError } from '../base/errors.ts'
import type { AnySessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { PRIVATE } from '../transport/caching.ts'
import { AdapterExchange, NoResponse } from '../transport/exchange.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import { withGetSessionTypes } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, SignOut } from '../transport/http-sessions.ts'
import { nodeExchange, nodeRequest } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { trpcRules } from './options.ts'
import { WebResponseWriter, WebRequest } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'

/** The tRPC error codes that Keyturn uses. */
export type TrpcErrorCode =
  | 'UNAUTHORIZED' | 'FORBIDDEN' | 'NOT_FOUND' | 'BAD_REQUEST' | 'SERVICE_UNAVAILABLE' | 'INTERNAL_SERVER_ERROR'

/** Options of `trpcSessions`, and the error class of tRPC that it needs. */
export interface TrpcOptions {
  /** `TRPCError` of `@trpc/server`. */
  readonly TRPCError: new (options: { code: TrpcErrorCode; message: string; cause: unknown }) => Error
  /** Returns the client's IP address of a request to a node:http server. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /** Returns the client's IP address of a request to a fetch handler. Default: unknown. */
  readonly webClientIp?: WebClientIp
}

/** The part of a `WebSocket` of ws that Keyturn uses. */
export interface TrpcSocket {
  close(code?: number): void
  once(event: 'close', listener: () => void): unknown
}

/**
 * The argument of `createContext`: from the fetch adapter, from adapters on node:http (standalone, Express), or from
 * the WebSocket adapter.
 */
export type TrpcTarget =
  | { readonly req: Request; readonly resHeaders: Headers }
  | { readonly req: IncomingMessage; readonly res: ServerResponse | TrpcSocket }

/** The calls in the context of procedures. They throw `TRPCError`, with Keyturn's error as its `cause`. */
export interface TrpcContext<Payload extends object, Info extends object> {
  /**
   * Creates a session for a user who has just authenticated. Over WebSockets it throws, since no cookie reaches the
   * client.
   */
  readonly createNewSession: CreateNewSession<[], Payload, Info>
  /** Verifies the session of the call. 0 store calls, 1 with `strict`. @throws TRPCError */
  readonly getSession: GetSession<[], Payload, Info>
  /** Revokes the session and clears its tokens. Resolves to false if there is none. 1 store call. */
  readonly signOut: SignOut<[]>
}

/** Sessions for tRPC. */
export interface TrpcSessions<Payload extends object, Info extends object> {
  /**
   * Creates the context of one HTTP request or one WebSocket: `createContext: options => sessions.context(options)`.
   * 0 store calls. On a WebSocket, each `getSession` checks the handshake and its origin, whether the procedure is a
   * query or a mutation; `createNewSession` throws, because no cookie and no header can reach the client.
   */
  context(target: TrpcTarget): TrpcContext<Payload, Info>
  /** Turns an error of Keyturn that was caught elsewhere into a `TRPCError`. Returns any other value unchanged. */
  toTrpcError(error: unknown): unknown
}

/**
 * Adds the calls for tRPC to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = trpcSessions(createSessions({ origin, store }), { TRPCError })
 */
export function trpcSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: TrpcOptions,
): Rest & TrpcSessions<Payload, Info> {
  checkOptions('trpcSessions', trpcRules, options)
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
    if ('resHeaders' in target) {
      return new AdapterExchange(new WebRequest(target.req, webClientIp), new FetchReply(target.resHeaders, target.req))
    }
    const { req, res } = target
    if ('setHeader' in res) return nodeExchange(req, res, clientIp)
    const reply = new NoResponse(listener => void res.once('close', listener))
    return new AdapterExchange(nodeRequest(req, clientIp), reply)
  }

  const adapter: TrpcSessions<Payload, Info> = {
    context(target) {
      const exchange = exchangeOf(target)
      return {
        createNewSession: (...call) => translated(async () => {
          if (!(exchange.reply instanceof NoResponse)) return http.createNewSession(exchange, ...call)
          throw new GeneralError('MISUSE', 'createNewSession cannot send tokens over a WebSocket. Call the procedure '
            + 'that logs in over HTTP, with httpLink')
        }),
        getSession: withGetSessionTypes(argument => translated(() => http.getSession(exchange, argument))),
        signOut: () => translated(() => http.signOut(exchange)),
      }
    },
    toTrpcError,
  }
  return { ...sessions, ...adapter }
}

/** tRPC appends the headers of `responseMeta`. Here a `Cache-Control` among them replaces Keyturn's mere `private`. */
class FetchReply extends WebResponseWriter {
  override set(name: string, value: string): void {
    super.set(name, value)
    if (value !== PRIVATE) return
    const { headers } = this
    const append = headers.append.bind(headers)
    headers.append = (other, given) => other === 'cache-control' ? headers.set(other, given) : append(other, given)
  }
}

/** The message of the HTTP response to an error, and the tRPC code that is closest in meaning. */
function describe(error: AnySessionError): readonly [code: TrpcErrorCode, message: string] {
  switch (error.code) {
    case 'UNAUTHORIZED': return ['UNAUTHORIZED', 'unauthorised']
    case 'TRY_REFRESH_TOKEN': return ['UNAUTHORIZED', 'try refresh token']
    case 'TOKEN_THEFT_DETECTED': return ['UNAUTHORIZED', 'token theft detected']
    case 'INVALID_CLAIMS': return ['FORBIDDEN', 'invalid claim']
    case 'CROSS_SITE_REQUEST': return ['FORBIDDEN', 'cross-site request refused']
    case 'SESSION_NOT_FOUND': return ['NOT_FOUND', 'session not found']
    case 'INVALID_DATA': return ['BAD_REQUEST', 'invalid data']
    case 'MISUSE': return ['INTERNAL_SERVER_ERROR', 'internal error']
    case 'STORE_UNAVAILABLE':
    case 'REFRESH_BUSY': return ['SERVICE_UNAVAILABLE', 'session service unavailable']
  }
}
