import type { IncomingMessage, ServerResponse } from 'node:http'
import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { createHTTPServer } from '@trpc/server/adapters/standalone'
import type { CreateNewSession, GetSession, SignOut } from 'keyturn/adapters'
import { trpcSessions } from 'keyturn/frameworks/trpc'
import type {
  TrpcContext, TrpcErrorCode, TrpcOptions, TrpcSessions, TrpcSocket, TrpcTarget,
} from 'keyturn/frameworks/trpc'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

const adapter = trpcSessions(sessions, { TRPCError, webClientIp: request => request.headers.get('x-real-ip') })
export const own: TrpcSessions<Claims, Info> = adapter

const t = initTRPC.context<ReturnType<typeof adapter.context>>().create()
const router = t.router({
  me: t.procedure.query(async ({ ctx }) => {
    typeOf(ctx.getSession()).is<Promise<Found>>()
    typeOf(ctx.getSession({ required: false })).is<Promise<Found | null>>()
    return (await ctx.getSession()).getJwtPayload()
  }),
  login: t.procedure.mutation(async ({ ctx }) => {
    typeOf(ctx.createNewSession('ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
    // @ts-expect-error: no such role
    await ctx.createNewSession('ada', { role: 'owner' })
  }),
})

export function serve(req: Request): void {
  createHTTPServer({ router, createContext: options => adapter.context(options) })
  void fetchRequestHandler({ req, router, endpoint: '/trpc', createContext: options => adapter.context(options) })
}
typeOf(adapter.toTrpcError(new Error())).is<unknown>()
export type Shape = [
  Expect<Equal<TrpcSessions<Claims, Info>, {
    context(target: TrpcTarget): TrpcContext<Claims, Info>
    toTrpcError(error: unknown): unknown
  }>>,
  Expect<Equal<TrpcContext<Claims, Info>, {
    readonly createNewSession: CreateNewSession<[], Claims, Info>
    readonly getSession: GetSession<[], Claims, Info>
    readonly signOut: SignOut<[]>
  }>>,
  Expect<Equal<
    TrpcTarget,
    | { readonly req: Request; readonly resHeaders: Headers }
    | { readonly req: IncomingMessage; readonly res: ServerResponse | TrpcSocket }
  >>,
  Expect<Equal<TrpcOptions, {
    readonly TRPCError: new (options: { code: TrpcErrorCode; message: string; cause: unknown }) => Error
    readonly clientIp?: (request: IncomingMessage) => string | null
    readonly webClientIp?: (request: Request) => string | null
  }>>,
]
export type Given = Expect<Equal<RequiredKeys<TrpcOptions>, 'TRPCError'>>
export type Codes = Expect<Equal<
  TrpcErrorCode,
  'UNAUTHORIZED' | 'FORBIDDEN' | 'NOT_FOUND' | 'BAD_REQUEST' | 'SERVICE_UNAVAILABLE' | 'INTERNAL_SERVER_ERROR'
>>
export type Sockets = Expect<Equal<TrpcSocket, {
  close(code?: number): void
  once(event: 'close', listener: () => void): unknown
}>>
// @ts-expect-error: a response, or the headers of one, belongs to the request
export const target: TrpcTarget = { req: new Request('http://localhost') }
// @ts-expect-error: the error class is missing
trpcSessions(sessions)
