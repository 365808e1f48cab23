import * as fc from 'fast-check'
import { test } from 'vitest'
import { createCore } from '../../support/create-core.ts'
import { follow, life } from './life.ts'

// A process that loses notifications, whose store fails, whose clock changes and that is restarted. All tokens are
// always in its cache. Once it has read a revocation, the revocation is final. If it cannot read the log, it does not
// trust the feed for long.
test.each([
  { onStoreFailure: 'failOpen', storeHasClock: false },
  { onStoreFailure: 'failOpen', storeHasClock: true },
  { onStoreFailure: 'failClosed', storeHasClock: false },
  { onStoreFailure: 'failOpen', storeHasClock: true, isIsolate: true },
  { onStoreFailure: 'failClosed', storeHasClock: false, isIsolate: true },
] as const)(
  'REV-02: no token that is expired, revoked or of a removed key is accepted once the process must know it '
    + '($onStoreFailure, the store has a clock: $storeHasClock, in an isolate: $isIsolate)',
  async options => {
    await fc.assert(fc.asyncProperty(life, async steps => {
      const wrong = await follow(createCore, steps, options)
      if (wrong !== null) throw new Error(wrong)
    }), { numRuns: process.env['CI'] === 'true' ? 500 : 150 })
  },
  120_000,
)
