import { changeCases } from './store-contract/changes.ts'
import { checkCases } from './store-contract/check.ts'
import type { ContractCase } from './store-contract/contract-case.ts'
import { conditionCases } from './store-contract/conditions.ts'
import { eventCases } from './store-contract/events.ts'
import { expiryCases } from './store-contract/expiry.ts'
import { importCases } from './store-contract/imports.ts'
import { hostileCases } from './store-contract/hostile.ts'
import { identifierCases } from './store-contract/identifiers.ts'
import { keyCases } from './store-contract/keys.ts'
import { newestCases } from './store-contract/newest.ts'
import { notBeforeCases } from './store-contract/not-before.ts'
import { rotationCases } from './store-contract/rotation.ts'
import { sessionCases } from './store-contract/sessions.ts'
import { timeCases } from './store-contract/time.ts'
import { leaseCases } from './store-contract/leases.ts'
import { updateCases } from './store-contract/updates.ts'
import { userCases } from './store-contract/users.ts'

export type { ContractCase, StoreHarness } from './store-contract/contract-case.ts'

/**
 * What every session store must guarantee, as data: run each case under any test runner, each with a harness of its own
 * over fresh data. A store is ready for use when it passes all of them.
 */
export const storeContract: readonly ContractCase[] = [
  ...sessionCases,
  ...rotationCases,
  ...conditionCases,
  ...updateCases,
  ...userCases,
  ...newestCases,
  ...notBeforeCases,
  ...importCases,
  ...expiryCases,
  ...changeCases,
  ...eventCases,
  ...keyCases,
  ...leaseCases,
  ...timeCases,
  ...checkCases,
  ...hostileCases,
  ...identifierCases,
]
