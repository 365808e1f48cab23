// What an application's own tests use.
import { createSessions } from 'keyturn'
import type { CreateNewSessionOptions, SessionStore } from 'keyturn'
import {
  assertSessionUntouched, assertSignedIn, assertSignedOut, clientOf, createFakeClock, inMemory, refreshAs,
  sessionChangeOf, signIn,
} from 'keyturn/testing'
import type {
  FakeClock, InMemoryOptions, SessionChange, SignedIn, SignInOptions, TestedResponse,
} from 'keyturn/testing'
import { sessions } from '../application.ts'
import type { Claims, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export async function application(response: Response): Promise<void> {
  createSessions<Claims, Info>({ origin: 'http://localhost', ...inMemory() })
  typeOf(inMemory()).is<InMemoryOptions>()
  typeOf(inMemory().clock).is<FakeClock>()
  typeOf(createFakeClock).is<(start?: number) => FakeClock>()
  typeOf(createFakeClock()()).is<number>()
  typeOf(createFakeClock().advance).is<(by: number) => void>()
  typeOf(signIn(sessions, 'ada', { payload: { role: 'reader' }, info: { cart: [] }, mode: 'header' }))
    .is<Promise<SignedIn>>()
  typeOf(refreshAs(sessions, await signIn(sessions, 'ada', { payload: { role: 'reader' }, info: { cart: [] } })))
    .is<Promise<SignedIn>>()
  typeOf(clientOf(sessions, response)).is<SignedIn>()
  // @ts-expect-error: a response
  clientOf(sessions, 'ada')
  // @ts-expect-error: the refresh token alone is no client
  await refreshAs(sessions, 'token')
  // @ts-expect-error: no such role
  await signIn(sessions, 'ada', { payload: { role: 'owner' } })
  // @ts-expect-error: no such mode
  await signIn(sessions, 'ada', { mode: 'bearer' })
  // @ts-expect-error: who signs in
  await signIn(sessions, {})

  typeOf(assertSignedIn).is<(response: TestedResponse, userId: string) => void>()
  typeOf(assertSignedOut).is<(response: TestedResponse) => void>()
  typeOf(assertSessionUntouched).is<(response: TestedResponse) => void>()
  typeOf(sessionChangeOf).is<(response: TestedResponse) => SessionChange>()
  const change = sessionChangeOf(response)
  // @ts-expect-error: a session may not have been issued
  change.userId
  if (change.kind !== 'issued') return
  typeOf(change.userId).is<string>()
  typeOf(change.hasRefreshToken).is<boolean>()
  typeOf(change.claims['role']).is<Json | undefined>()
  // @ts-expect-error: a response has headers
  assertSignedOut({ status: 401 })
}
type Json = string | number | boolean | null | Json[] | { [member: string]: Json }
export type Login = Expect<Equal<SignInOptions<Claims, Info>, {
  readonly payload?: Claims
  readonly info?: Info
  readonly mode?: 'cookie' | 'header'
  readonly options?: CreateNewSessionOptions
}>>
export type Parts = Expect<Equal<Pick<InMemoryOptions, 'store' | 'schedule' | 'maxStaleness'>, {
  readonly store: SessionStore
  readonly schedule: () => () => void
  readonly maxStaleness: number
}>>
export type Pair = Expect<Equal<SignedIn, {
  readonly handle: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly headers: Readonly<Record<string, string>>
  readonly refreshHeaders: Readonly<Record<string, string>>
}>>
export type Tested = Expect<Equal<
  TestedResponse['headers'], Headers | Readonly<Record<string, string | number | readonly string[] | undefined>>
>>
