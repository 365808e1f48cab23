// For authors of a store (docs/writing-a-store.md) or of an adapter for a framework (docs/framework-contract.md).
export { ContractViolation } from './assert.ts'
export {
  createAppFixture, describePage, describeReading, describeSession, frameworkContract,
} from './framework-contract.ts'
export type {
  AppClaims, AppFixture, AppInfo, AppVariant, FrameworkCase, FrameworkHarness, Send, SessionDescription,
  SteppedCalls, WireReply, WireRequest,
} from './framework-contract.ts'
export {
  sampleEvent, sampleHandle, sampleKey, sampleNow, sampleReauthentication, sampleRecord, sampleRotation, sampleState,
  sampleUserRemoval,
} from './samples.ts'
export { storeContract } from './store-contract.ts'
export type { ContractCase, StoreHarness } from './store-contract.ts'
