import type { EpochMilliseconds, Milliseconds } from '../../base/time.ts'
import { OFFSET_LIMIT, OFFSET_THRESHOLD } from '../../session/decide-offset.ts'
import type { SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import type { ContractCase } from './contract-case.ts'

/** By how much the store's clock and this machine's may drift, and be rounded, while a case runs. */
const SLACK: Milliseconds = 20

/** The store's clock. A store without a clock returns null in every case. */
export const timeCases: readonly ContractCase[] = [
  {
    name: 'time: whole milliseconds since 1970, whatever the time zone; or null',
    async run({ open }) {
      const store = await open()
      const time = await store.time()
      if (time === null) return
      ensure(Number.isSafeInteger(time), `a whole number: ${time}`)
      ensure(Math.abs(time - Date.now()) < OFFSET_LIMIT, 'within half an hour of this machine\'s clock')
    },
  },
  {
    name: 'time: advances as fast as this machine\'s clock, and never back; or is always null',
    async run({ open }) {
      const store = await open()
      const first = await read(store)
      let last = first
      for (let count = 0; count < 10; count++) {
        await new Promise(resolve => setTimeout(resolve, 10))
        const next = await read(store)
        if (last.time === null || next.time === null || first.time === null) {
          ensureEqual([first.time, next.time], [null, null], 'null once, always null')
          continue
        }
        ensure(next.time >= last.time, 'later is not earlier')
        const passed = next.time - first.time
        ensure(passed >= next.asked - first.answered - SLACK, 'it is not slower')
        ensure(passed <= next.answered - first.asked + SLACK, 'it is not faster')
        last = next
      }
    },
  },
  {
    name: 'time: one clock, on every connection',
    async run({ open }) {
      const first = await read(await open())
      const second = await read(await open())
      ensureEqual(first.time === null, second.time === null, 'all connections have a clock, or none')
      if (first.time === null || second.time === null) return
      const apart = Math.abs(second.time - first.time)
      ensure(apart <= second.answered - first.asked + OFFSET_THRESHOLD, 'the same clock over another connection')
    },
  },
]

interface Reading {
  readonly asked: EpochMilliseconds
  readonly time: EpochMilliseconds | null
  readonly answered: EpochMilliseconds
}

async function read(store: SessionStore): Promise<Reading> {
  const asked = Date.now()
  const time = await store.time()
  return { asked, time, answered: Date.now() }
}
