// For the tests of an application: docs/testing.md
export { createFakeClock } from './fake-clock.ts'
export type { FakeClock } from './fake-clock.ts'
export { inMemory } from './in-memory.ts'
export type { InMemoryOptions } from './in-memory.ts'
export { assertSessionUntouched, assertSignedIn, assertSignedOut, sessionChangeOf } from './session-change.ts'
export type { SessionChange, TestedResponse } from './session-change.ts'
export { clientOf, refreshAs, signIn } from './sign-in.ts'
export type { SignedIn, SignInOptions } from './sign-in.ts'
