import { expectTypeOf, test } from 'vitest'
import type { NextSessions } from '../../src/frameworks/next.ts'
import type { SvelteKitEvent, SvelteKitSessions } from '../../src/frameworks/sveltekit.ts'
import type { TrpcContext } from '../../src/frameworks/trpc.ts'
import type { WsSessions } from '../../src/frameworks/ws.ts'
import type { Claims, Info } from '../support/session-server.ts'

// The compiler checks that the marked lines do not compile. Nothing here runs.

declare const next: NextSessions<Claims, Info>
declare const kit: SvelteKitSessions<Claims, Info>
declare const sockets: WsSessions<Claims>
declare const trpc: TrpcContext<Claims, Info>

test('a server component cannot write', () => {
  async () => {
    const reading = await next.readSession()
    // @ts-expect-error there may be no session
    reading.session
    if (reading.kind !== 'active') return
    const { session } = reading
    expectTypeOf(session.getJwtPayload()).toEqualTypeOf<Readonly<Claims>>()
    // @ts-expect-error no cookie can be cleared without a response
    await session.revokeSession()
    // @ts-expect-error no token can be issued without a response
    await session.updateJwtPayload({ role: 'admin' })
    // @ts-expect-error
    await session.updateSessionInfo({ note: '' })
  }
})

test('a server action can write, with the types of the application', () => {
  async () => {
    const session = await next.actions.getSession()
    await session.updateJwtPayload({ role: 'admin' })
    // @ts-expect-error a role is text
    await session.updateJwtPayload({ role: 1 })
    // @ts-expect-error there may be no session
    ;(await next.actions.getSession({ required: false })).getUserId()
    const action = next.action((session, form: FormData) => [session.getUserId(), form.get('name')] as const)
    expectTypeOf(action).parameters.toEqualTypeOf<[form: FormData]>()
  }
})

test('the session in the locals of SvelteKit cannot write; the one from getSession can', () => {
  async (event: SvelteKitEvent<Claims>) => {
    const { session } = event.locals
    // @ts-expect-error
    if (session.kind === 'active') await session.session.revokeSession()
    await (await kit.getSession(event)).revokeSession()
    // @ts-expect-error App.Locals must declare `session`
    await kit.getSession({ request: event.request, locals: {} })
  }
})

test('a socket has no response to write to', () => {
  (request: Parameters<typeof sockets.sessionOf>[0]) => {
    const session = sockets.sessionOf(request)
    expectTypeOf(session.getUserId()).toEqualTypeOf<string>()
    // @ts-expect-error
    session.revokeSession()
  }
})

test('the context of tRPC has typed sessions', () => {
  async () => {
    expectTypeOf((await trpc.getSession()).getJwtPayload()).toEqualTypeOf<Readonly<Claims>>()
    // @ts-expect-error a role is text
    await trpc.createNewSession('alice', { role: 1 })
  }
})
