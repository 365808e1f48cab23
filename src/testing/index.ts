export { ContractViolation } from './assert.ts'
export { sampleHandle, sampleKey, sampleNext, sampleNow, sampleRecord, sampleRotation } from './samples.ts'
export { storeContract } from './store-contract.ts'
export type { ContractCase, StoreHarness } from './store-contract.ts'
