import { error } from '@sveltejs/kit'
import { createSessions } from 'keyturn'
import { svelteKitSessions } from 'keyturn/frameworks/sveltekit'
import { createAppFixture } from 'keyturn/testing/contracts'
import type { AppClaims, AppInfo, AppVariant } from 'keyturn/testing/contracts'

// The build also evaluates this file, without a variant.
export const fixture = createAppFixture((process.env.VARIANT ?? 'plain') as AppVariant)
export const sessions = svelteKitSessions(createSessions<AppClaims, AppInfo>(fixture.options), {
  error, onError: fixture.report,
})
