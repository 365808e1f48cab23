import { ensureEqual } from '../assert.ts'
import { minute, sampleNow } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** Leases on periodic tasks. */
export const leaseCases: readonly ContractCase[] = [
  {
    name: 'acquireLease: one holder at a time, which may renew it, until it ends',
    async run({ open }) {
      const [first, second] = [await open(), await open()]
      const end = sampleNow + minute
      ensureEqual(await first.acquireLease('sweep', 'a', sampleNow, end), true, 'free')
      ensureEqual(await second.acquireLease('sweep', 'b', sampleNow, end), false, 'a has it')
      ensureEqual(await second.acquireLease('sweep', 'b', end - 1, end + minute), false,
        'a has it to the last millisecond')
      ensureEqual(await first.acquireLease('sweep', 'a', end - 1, end + minute), true, 'a renews it')
      ensureEqual(await second.acquireLease('sweep', 'b', end, end + minute), false, 'a has renewed it')
      ensureEqual(await second.acquireLease('sweep', 'b', end + minute, end + 2 * minute), true, 'a\'s lease has ended')
      ensureEqual(await first.acquireLease('sweep', 'a', end + minute, end + 2 * minute), false, 'b has it')
    },
  },
  {
    name: 'acquireLease: tasks are independent; a holder may end its lease',
    async run({ open }) {
      const store = await open()
      const end = sampleNow + minute
      ensureEqual(await store.acquireLease('sweep', 'a', sampleNow, end), true, 'one task')
      ensureEqual(await store.acquireLease('rotate', 'b', sampleNow, end), true, 'another task')
      ensureEqual(await store.acquireLease('Sweep', 'b', sampleNow, end), true, 'names are exact')
      ensureEqual(await store.acquireLease('sweep', 'A', sampleNow, end), false, 'holders are exact')
      ensureEqual(await store.acquireLease('sweep', 'a', sampleNow, sampleNow), true, 'a ends it')
      ensureEqual(await store.acquireLease('sweep', 'b', sampleNow, end), true, 'b may have it')
    },
  },
  {
    name: 'acquireLease: of 20 concurrent calls exactly one gets it, free or ended',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      for (const now of [sampleNow, sampleNow + minute]) {
        const results = await Promise.all(Array.from({ length: 20 }, async (_, index) =>
          stores[index % stores.length]?.acquireLease('sweep', `${now}-${index}`, now, now + minute)))
        ensureEqual(results.filter(taken => taken).length, 1, 'one has the lease')
      }
    },
  },
]
