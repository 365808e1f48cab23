import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../../src/testing/contracts.ts'
import { eventMutants } from '../support/store-mutants/events.ts'
import { logAndKeyMutants } from '../support/store-mutants/log-and-keys.ts'
import type { Mutant } from '../support/store-mutants/mutant.ts'
import { importMutants } from '../support/store-mutants/imports.ts'
import { sessionMutants } from '../support/store-mutants/sessions.ts'
import { userMutants } from '../support/store-mutants/users.ts'

/** The first case that a mutant fails. */
async function caughtBy(mutate: Mutant): Promise<string | null> {
  for (const { name, run } of storeContract) {
    const sound = createMemoryStore()
    const store = { ...sound, ...mutate(sound) }
    try {
      await run({ open: async () => store })
    } catch {
      return name
    }
  }
  return null
}

test('a correct store passes', async () => {
  expect(await caughtBy(() => ({}))).toBeNull()
})

const mutants = { ...sessionMutants, ...userMutants, ...importMutants, ...logAndKeyMutants, ...eventMutants }

test.for(Object.entries(mutants))(
  'the contract catches: %s', async ([, mutate]) => {
    expect(await caughtBy(mutate)).not.toBeNull()
  })
