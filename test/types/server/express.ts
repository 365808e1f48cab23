import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import type { RequireSessionOptions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import type { ExpressGuard, ExpressOptions, ExpressSessions, SessionHandler } from 'keyturn/frameworks/express'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls } from './calls.ts'

const adapter = expressSessions(sessions, { clientIp: request => request.ip ?? null })
const app = express()

app.use(adapter.cors(), adapter.sessionRoutes())
app.get('/me', adapter.requireSession(), (request, response) => {
  typeOf(adapter.sessionOf(request)).is<Found>()
  response.json(adapter.sessionOf(request).getJwtPayload())
})
app.get('/typed', adapter.requireSession((request, response, session) => {
  typeOf(request).is<Request>()
  typeOf(session).is<Found>()
  response.json(session.getJwtPayload().role)
}, { maxAuthenticationAge: 60 }))
// The types of a route stay behind the guard.
app.get('/orders/:id', adapter.requireSession(), (request, response) => {
  typeOf(request.params.id).is<string>()
  response.json(adapter.sessionOf(request).getUserId())
})
app.post<{ id: string }, { done: boolean }, { amount: number }, { page: string }>(
  '/orders/:id', adapter.requireSession(), (request, response) => {
    typeOf(request.body.amount).is<number>()
    typeOf(request.query.page).is<string>()
    void adapter.getSession(request, response)
    response.json({ done: true })
  })
app.get('/orders/:id', adapter.requireSession((request: Request<{ id: string }>, response, session) => {
  typeOf(request.params).is<{ id: string }>()
  response.json(session.getUserId())
}))
app.post('/orders/:id', adapter.requireSession<{ id: string }, { done: boolean }, { amount: number }>(
  (request, response, session) => {
    typeOf(request.params.id).is<string>()
    typeOf(request.body.amount).is<number>()
    typeOf(session).is<Found>()
    response.json({ done: true })
  }))
app.use(adapter.errorHandler())
// @ts-expect-error: Express' own types are not changed for everybody
app.get('/untyped', (request, response) => response.json(request.session))

export async function calls(request: Request, response: Response): Promise<void> {
  const own: ExpressSessions<Claims, Info> = adapter
  typeOf(own.createNewSession(request, response, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(adapter.getSession(request, response, true)).is<Promise<Found>>()
  typeOf(adapter.getSession(request, response, { required: false })).is<Promise<Found | null>>()
  typeOf(adapter.refreshSession(request, response)).is<Promise<Found>>()
  typeOf(adapter.getSessionInfo('handle')).is<Promise<Info>>()
  typeOf(adapter.requireSession()).is<ExpressGuard>()
  const guard: RequestHandler = adapter.requireSession()
  void guard
  typeOf(adapter.errorHandler()).is<ErrorRequestHandler>()
  const reading = await adapter.readSession(request)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await adapter.createNewSession(request, response, 'ada', { role: 'owner' })
  // @ts-expect-error: a guard demands a session
  adapter.requireSession({ required: false })
}
export type Shape = [
  Expect<Equal<Pick<ExpressSessions<Claims, Info>, CallName>, Calls<[request: Request, response: Response]>>>,
  Expect<Equal<ExpressSessions<Claims, Info>['requireSession'], {
    (handler: SessionHandler<Claims, Info>, options?: RequireSessionOptions<Claims>): RequestHandler
    <Params, ResponseBody = unknown, RequestBody = unknown, Query = Request['query']>(
      handler: SessionHandler<
        Claims, Info, Request<Params, ResponseBody, RequestBody, Query>, Response<ResponseBody>
      >,
      options?: RequireSessionOptions<Claims>,
    ): RequestHandler<Params, ResponseBody, RequestBody, Query>
    (options?: RequireSessionOptions<Claims>): ExpressGuard
  }>>,
  Expect<Equal<ExpressGuard, (request: IncomingMessage, response: ServerResponse, next: NextFunction) => void>>,
  Expect<Equal<
    SessionHandler<Claims, Info>, (request: Request, response: Response, session: Found, next: NextFunction) => unknown
  >>,
]
export type Options = Expect<Equal<ExpressOptions, {
  readonly clientIp?: (request: Request) => string | null
  readonly onError?: (error: unknown, request: Request) => void
}>>
