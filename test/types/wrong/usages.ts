// Wrong usages of the public API. Each line that must not compile has a comment that says what is wrong.
import express from 'express'
import { createSessions } from 'keyturn'
import type { ClaimValidator, SessionEvents } from 'keyturn'
import { createClient } from 'keyturn/client'
import { expressSessions } from 'keyturn/frameworks/express'
import { webSessions } from 'keyturn/frameworks/web'
import { openSqliteStore } from 'keyturn/stores/sqlite'
import { inMemory, signIn } from 'keyturn/testing'
import { createVerifier } from 'keyturn/verify'
import { sessions } from '../application.ts'
import type { Claims } from '../application.ts'
import type { Schema } from '../schemas/schema.ts'

const origin = 'https://app.example.com'
const app = expressSessions(sessions)
const web = webSessions(sessions)
const any = webSessions(createSessions({ origin }))
declare const numeric: Schema<{ role: string }, { role: number }>

export async function login(request: Request, headers: Headers): Promise<void> {
  // @ts-expect-error: the schema demands a role and a cart
  await web.createNewSession(request, headers, 'ada')
  // @ts-expect-error: the schema of the session info demands a cart
  await web.createNewSession(request, headers, 'ada', { role: 'reader' })
  // @ts-expect-error: the object form demands the payload, too
  await web.createNewSession(request, headers, { userId: 'ada', sessionInfo: { cart: [] } })
  // @ts-expect-error: there is no such role
  await web.createNewSession(request, headers, 'ada', { role: 'owner' }, { cart: [] })
  // @ts-expect-error: the claims have no such member
  await web.createNewSession(request, headers, 'ada', { role: 'reader', name: 'Ada' }, { cart: [] })
  // @ts-expect-error: a user id is a string
  await web.createNewSession(request, headers, 1, { role: 'reader' }, { cart: [] })
  // @ts-expect-error: sub is a reserved claim
  await any.createNewSession(request, headers, 'ada', { sub: 'eve' })
  // @ts-expect-error: exp is a reserved claim, in the object form as well
  await any.createNewSession(request, headers, { userId: 'ada', jwtPayload: { exp: 1 } })
  // @ts-expect-error: a date is not JSON
  await any.createNewSession(request, headers, 'ada', { at: new Date() })
  // @ts-expect-error: the headers of the response are missing
  await any.createNewSession(request, 'ada')
}

export async function updates(): Promise<void> {
  // @ts-expect-error: the new payload lacks the role
  await sessions.updateJwtPayload('handle', () => ({}))
  // @ts-expect-error: keyturn is a reserved claim
  await any.updateJwtPayload('handle', { keyturn: {} })
  // @ts-expect-error: iat is a reserved claim, also if a function returns it
  await any.updateJwtPayload('handle', () => ({ iat: 1 }))
  // @ts-expect-error: for all sessions of a user, a function computes the payload
  await sessions.updateJwtPayloadForUser('ada', { role: 'admin' })
  // @ts-expect-error: the session may have expired, so the call is a promise
  sessions.getSessionByHandle('handle').jwtPayload
  // @ts-expect-error: the option is called tenantId
  await sessions.listSessions('ada', { tenant: 'acme' })
}

export async function tests(): Promise<void> {
  // @ts-expect-error: the schema demands a payload
  await signIn(sessions, 'ada')
  // @ts-expect-error: the literal does not decide the type of the payload
  await signIn(sessions, 'ada', { payload: { role: 'owner' }, info: { cart: [] } })
  // @ts-expect-error: inMemory returns options of createSessions, not sessions
  await signIn(inMemory(), 'ada')
}

export function creation(): void {
  // @ts-expect-error: sub is a reserved claim
  createSessions<{ sub: string }>({ origin })
  // @ts-expect-error: the type arguments and the schema differ
  createSessions<Claims>({ origin, payload: numeric })
  // @ts-expect-error: a function that opens a store is none
  createSessions({ origin, store: openSqliteStore })
  // @ts-expect-error: the event is called onTokenTheft
  const events: SessionEvents = { onTheft: () => undefined }
  void events
}

export function handlers(): void {
  const server = express()
  server.get('/orders/:id', app.requireSession(), request => {
    // @ts-expect-error: the route has no such parameter
    request.params.name
  })
  server.get('/orders/:id', app.requireSession((request: express.Request<{ id: string }>, _response, session) => {
    // @ts-expect-error: the parameter is a string
    const id: number = request.params.id
    // @ts-expect-error: the claims have no such member
    return [id, session.getJwtPayload().name]
  }))
  // @ts-expect-error: a guard demands a session; getSession has the option
  app.requireSession({ required: false })
  // @ts-expect-error: the validator is for other claims
  const validator: ClaimValidator<Claims> = { id: 'x', validate: (claims: { rank: number }) => ({ isValid: claims.rank > 1 }) }
  // @ts-expect-error: a list of validators
  app.requireSession({ claimValidators: validator })
}

export async function others(token: string): Promise<void> {
  const verifier = createVerifier<Claims>({ issuer: `${origin}/auth` })
  const reading = await verifier.verify(token)
  // @ts-expect-error: the token may be invalid
  reading.session.getUserId()
  // @ts-expect-error: a verifier reads sessions and cannot revoke them
  if (reading.kind === 'active') await reading.session.revokeSession()
  const client = createClient<typeof sessions>()
  const session = await client.getSession()
  // @ts-expect-error: the visitor may not be logged in
  session.userId
  // @ts-expect-error: the payload in a page is that of the server
  session?.payload.rank
}
