import * as fc from 'fast-check'
import { test } from 'vitest'
import { createCore } from '../../support/create-core.ts'
import { follow, life } from './life.ts'

// A process whose pushes are lost, whose store fails, whose clock steps and that is restarted, with tokens that are in
// its cache all the time: once it has read of an end, the end is final; what it has not read, it does not trust long.
test.each([
  { onStoreFailure: 'failOpen', storeTells: false },
  { onStoreFailure: 'failOpen', storeTells: true },
  { onStoreFailure: 'failClosed', storeTells: false },
] as const)(
  'REV-02: no expired, revoked or keyless token is accepted once that was to be known ($onStoreFailure, the store tells '
    + 'the time: $storeTells)',
  async options => {
    await fc.assert(fc.asyncProperty(life, async steps => {
      const wrong = await follow(createCore, steps, options)
      if (wrong !== null) throw new Error(wrong)
    }), { numRuns: process.env['CI'] === 'true' ? 500 : 150 })
  },
  120_000,
)
