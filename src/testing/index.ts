export { ContractViolation } from './assert.ts'
export { createFakeClock } from './fake-clock.ts'
export type { FakeClock } from './fake-clock.ts'
export { createAppFixture, describeReading, describeSession, frameworkContract } from './framework-contract.ts'
export type {
  AppClaims, AppFixture, AppInfo, AppVariant, FrameworkCase, FrameworkHarness, Send, SessionDescription, WireReply,
  WireRequest,
} from './framework-contract.ts'
export { inMemory } from './in-memory.ts'
export type { InMemoryOptions } from './in-memory.ts'
export {
  sampleHandle, sampleKey, sampleNext, sampleNow, samplePresented, sampleRecord, sampleRotation, sampleState,
  sampleUserRemoval,
} from './samples.ts'
export { assertSessionUntouched, assertSignedIn, assertSignedOut, sessionChangeOf } from './session-change.ts'
export type { SessionChange, TestedResponse } from './session-change.ts'
export { signIn } from './sign-in.ts'
export type { SignedIn, SignInOptions } from './sign-in.ts'
export { storeContract } from './store-contract.ts'
export type { ContractCase, StoreHarness } from './store-contract.ts'
