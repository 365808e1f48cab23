import { io } from 'next/cache'
import { cookies, headers } from 'next/headers'
import { createSessions } from 'keyturn'
import { nextSessions } from 'keyturn/frameworks/next'
import { createAppFixture } from 'keyturn/testing/contracts'
import type { AppClaims, AppInfo, AppVariant } from 'keyturn/testing/contracts'

declare global {
  var contract: ReturnType<typeof createContract> | undefined
}

function createContract() {
  // The build also evaluates this file, without a variant.
  const fixture = createAppFixture((process.env.VARIANT ?? 'plain') as AppVariant)
  const made = createSessions<AppClaims, AppInfo>(fixture.options)
  return { fixture, sessions: nextSessions(made, { cookies, headers, io, onError: fixture.report }) }
}

// Next bundles the proxy and the routes separately, but runs them in one process: they share the fixture's store and
// clock.
export const { fixture, sessions } = globalThis.contract ??= createContract()
