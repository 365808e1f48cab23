// The types of a schema's input and output.
import { createSessions } from 'keyturn'
import type { InputOf, OutputOf, SchemaTypes, ReadonlySession, Session, SessionDetails, Sessions } from 'keyturn'
import { createClient } from 'keyturn/client'
import type { Client } from 'keyturn/client'
import { webSessions } from 'keyturn/frameworks/web'
import { signIn } from 'keyturn/testing'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { Schema } from './schema.ts'

const origin = 'https://app.example.com'

/** A default: the member may be left out at login and is there when it is read. */
interface ClaimsIn { role?: 'reader' | 'admin' | undefined }
interface Claims { role: 'reader' | 'admin' }
/** A transform: a text enters, and a number is stored and read. */
interface InfoIn { seats: string }
interface Info { seats: number }
declare const payload: Schema<ClaimsIn, Claims>
declare const info: Schema<InfoIn, Info>

const sessions = webSessions(createSessions({ origin, payload, info }))
typeOf(createSessions({ origin, payload, info }))
  .is<Sessions<SchemaTypes<ClaimsIn, Claims>, SchemaTypes<InfoIn, Info>>>()
export type Both = [
  Expect<Equal<InputOf<SchemaTypes<ClaimsIn, Claims>>, ClaimsIn>>,
  Expect<Equal<OutputOf<SchemaTypes<ClaimsIn, Claims>>, Claims>>,
  Expect<Equal<InputOf<Claims>, Claims>>,
  Expect<Equal<OutputOf<Claims>, Claims>>,
]

export async function calls(request: Request, headers: Headers): Promise<void> {
  const session = await sessions.createNewSession(request, headers, 'ada', undefined, { seats: '4' })
  await sessions.createNewSession(request, headers, { userId: 'ada', sessionInfo: { seats: '4' } })
  await sessions.createNewSession(request, headers, 'ada', { role: 'admin' }, { seats: '4' })
  // @ts-expect-error: the output is not the input
  await sessions.createNewSession(request, headers, 'ada', {}, { seats: 4 })
  typeOf(session.getJwtPayload()).is<Readonly<Claims>>()
  typeOf(await session.getSessionInfo()).is<Info>()
  await session.updateSessionInfo({ seats: '5' })
  await session.updateSessionInfo(current => {
    typeOf(current).is<Info>()
    return { seats: String(current.seats + 1) }
  })
  // @ts-expect-error: the schema does not accept what it returns
  await session.updateSessionInfo(current => current)
  await session.updateJwtPayload({})
  await session.updateJwtPayload(current => {
    typeOf(current).is<Claims>()
    return current
  })
  await sessions.updateJwtPayload('handle', current => ({ ...current, role: 'admin' }))
  typeOf(await sessions.updateJwtPayloadForUser('ada', current => current,
    { tenantId: 'acme' })).is<readonly string[]>()
  typeOf(await sessions.getSessionInfo('handle')).is<Info>()
  const found = await sessions.getSessionByHandle('handle')
  typeOf(found.jwtPayload).is<Claims>()
  typeOf(found.sessionInfo).is<Info>()
  await sessions.getSession(request, headers, {
    claimValidators: [{
      id: 'admin',
      validate: claims => ({ isValid: typeOf(claims).is<Readonly<Claims>>() === undefined }),
    }],
  })
  await signIn(sessions, 'ada', { info: { seats: '4' } })
  // @ts-expect-error: seats are missing
  await signIn(sessions, 'ada')
  typeOf(createClient<typeof sessions>()).is<Client<Claims>>()
}
export type Details = Expect<Equal<
  Pick<
    SessionDetails<SchemaTypes<ClaimsIn, Claims>, SchemaTypes<InfoIn, Info>>,
    'jwtPayload' | 'sessionInfo' | 'userId'
  >,
  { readonly jwtPayload: Claims; readonly sessionInfo: Info; readonly userId: string }
>>

/** To read a session, a function need not know what the schema accepts. To update it, it must. */
export declare function show(session: ReadonlySession<Claims>): void
export declare function edit(session: Session<Claims, Info>): void
export function passed(session: Session<SchemaTypes<ClaimsIn, Claims>, SchemaTypes<InfoIn, Info>>): void {
  show(session)
  // @ts-expect-error: the schema accepts a text, and the function may write a number
  edit(session)
}

/** What a schema returns is stored, so it is JSON: nothing is typed as what does not arrive. */
interface Tree { name: string; children: Tree[]; notes?: { readonly [name: string]: readonly (string | null)[] } }
interface Loose { anything: unknown; brand: string & { readonly brand: 'id' }; pair: readonly [number, boolean] }
declare const coerced: Schema<{ at: unknown }, { at: string }>
declare const fromSet: Schema<{ tags: ReadonlySet<string> }, { tags: string[] }>
typeOf(createSessions<Tree, Loose>({ origin })).is<Sessions<Tree, Loose>>()
createSessions<{ kind: 'person'; name: string } | { kind: 'robot'; model: number }>({ origin })
createSessions({ origin, payload: coerced, info: fromSet })

export function refused(
  date: Schema<{ at: Date }>, map: Schema<{ deep: { list: Map<string, string>[] } }>, set: Schema<Set<string>>,
  big: Schema<{ id: bigint }>, method: Schema<{ run: () => void }>, toDate: Schema<{ at: string }, { at: Date }>,
): void {
  // @ts-expect-error: JSON has no dates
  createSessions({ origin, payload: date })
  // @ts-expect-error: a date is what the transform makes
  createSessions({ origin, info: toDate })
  // @ts-expect-error: JSON has no maps, at any depth
  createSessions({ origin, info: map })
  // @ts-expect-error: JSON has no sets
  createSessions({ origin, info: set })
  // @ts-expect-error: JSON has no bigint
  createSessions({ origin, payload: big })
  // @ts-expect-error: JSON has no functions
  createSessions({ origin, info: method })
  // @ts-expect-error: the same without a schema
  createSessions<{ at: Date }>({ origin })
}
