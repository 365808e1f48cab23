import { expectTypeOf, test } from 'vitest'
import type { StandardSchema } from '../../src/base/standard-schema.ts'
import { expressSessions } from '../../src/frameworks/express.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'

interface Claims { readonly role: 'reader' | 'admin' }
interface Info { readonly cart: string[] }

declare const claims: StandardSchema<Claims>
declare const info: StandardSchema<Info>

const options = { origin: 'https://app.example.com', store: createMemoryStore() }
const request = new Request('https://app.example.com/')

/** Compiled, never run. */
async function fromSchemas(): Promise<void> {
  const sessions = webSessions(createSessions({ ...options, payload: claims, info }))
  const session = await sessions.getSession(request, new Headers())
  expectTypeOf(session.getJwtPayload()).toEqualTypeOf<Readonly<Claims>>()
  expectTypeOf(await session.getSessionInfo()).toEqualTypeOf<Info>()
  expectTypeOf(await sessions.getSessionInfo('handle')).toEqualTypeOf<Info>()
  await session.updateSessionInfo(current => ({ cart: [...current.cart, 'book'] }))
  // @ts-expect-error: no such role
  await session.updateJwtPayload({ role: 'owner' })
  // @ts-expect-error: a cart is missing
  await sessions.updateSessionInfo('handle', {})
  // @ts-expect-error: no such role
  await sessions.createNewSession(request, new Headers(), 'ada', { role: 'owner' })
  // @ts-expect-error: the payload is read only
  session.getJwtPayload().role = 'admin'
  expectTypeOf(await sessions.getSession(request, new Headers(), { required: false })).toEqualTypeOf<typeof session | null>()
}

async function fromTypeParameters(): Promise<void> {
  const sessions = expressSessions(createSessions<Claims, Info>(options))
  expectTypeOf(await sessions.getSessionInfo('handle')).toEqualTypeOf<Info>()
  const reading = await sessions.http.readSession({ method: 'GET', path: '/', client: { ip: null, userAgent: null }, header: () => null })
  if (reading.kind === 'active') {
    expectTypeOf(reading.session.getJwtPayload().role).toEqualTypeOf<'reader' | 'admin'>()
    // @ts-expect-error: where no response can be written, a session has no writing method
    await reading.session.revokeSession()
  }
}

test('one schema, or one type parameter, types every call', () => {
  expectTypeOf(fromSchemas).toBeFunction()
  expectTypeOf(fromTypeParameters).toBeFunction()
})
