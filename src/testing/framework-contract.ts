import { cachingCases } from './framework-contract/caching.ts'
import { crossSiteCases } from './framework-contract/cross-site.ts'
import type { FrameworkCase } from './framework-contract/framework-case.ts'
import { guardCases } from './framework-contract/guards.ts'
import { handlingCases } from './framework-contract/handling.ts'
import { lateCases } from './framework-contract/late.ts'
import { loginCases } from './framework-contract/login.ts'
import { oneRequestCases } from './framework-contract/one-request.ts'
import { pageCases } from './framework-contract/pages.ts'
import { routeCases } from './framework-contract/routes.ts'
import { verifyCases } from './framework-contract/verify.ts'

export { createAppFixture, describePage, describeReading, describeSession } from './framework-contract/fixture.ts'
export type { AppFixture, AppVariant, SessionDescription } from './framework-contract/fixture.ts'
export type { FrameworkCase, FrameworkHarness } from './framework-contract/framework-case.ts'
export type { AppClaims, AppInfo, SteppedCalls } from './framework-contract/steps.ts'
export type { Send, WireReply, WireRequest } from './framework-contract/wire.ts'

/**
 * What Keyturn guarantees over HTTP in every framework and on every runtime, as data: run each case under any test
 * runner. The application under test serves the routes of `docs/framework-contract.md`.
 */
export const frameworkContract: readonly FrameworkCase[] = [
  ...loginCases,
  ...verifyCases,
  ...routeCases,
  ...crossSiteCases,
  ...guardCases,
  ...cachingCases,
  ...pageCases,
  ...handlingCases,
  ...oneRequestCases,
  ...lateCases,
]
