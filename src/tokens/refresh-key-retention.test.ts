import { expect, test } from 'vitest'
import { sampleInstant } from '../../test/support/access-token.ts'
import { sampleKeyPolicy, SharedKeys } from '../../test/support/shared-keys.ts'
import type { KeyRing } from './key-ring.ts'
import type { KeyRingProviderDependencies } from './key-ring-provider-dependencies.ts'
import { createKeyPolicy } from './plan-rotation.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const idleTimeout = 10 * DAY
const idle = { keyPolicy: createKeyPolicy({ ...sampleKeyPolicy, idleTimeout }) }
const ringOf = async (shared: SharedKeys, overrides: Partial<KeyRingProviderDependencies> = idle): Promise<KeyRing> => (
  shared.process(overrides).current()
)

/** A store whose first refresh key has just been replaced by an active successor. */
async function succeeded(): Promise<{ readonly shared: SharedKeys; readonly old: string }> {
  const shared = new SharedKeys()
  const provider = shared.process(idle)
  const old = (await provider.current()).refreshKeyAt(shared.now).kid
  await provider.rotateNow()
  shared.now += HOUR
  return { shared, old }
}

test('S-02: a refresh key is accepted no longer than its last session can be active without a refresh', async () => {
  const { shared, old } = await succeeded()
  // The last session that was refreshed with the old key expires after the idle timeout.
  shared.now += idleTimeout
  expect((await ringOf(shared)).refreshKey(old)).not.toBeNull()
  shared.now += 10 * MINUTE
  expect((await ringOf(shared)).refreshKey(old)).toBeNull()
})

test('S-02: a refresh key is accepted no longer than the absolute timeout, if that is shorter', async () => {
  const { shared, old } = await succeeded()
  const keyPolicy = createKeyPolicy({ ...sampleKeyPolicy, idleTimeout, absoluteTimeout: DAY })
  shared.now += DAY
  expect((await ringOf(shared, { keyPolicy })).refreshKey(old)).not.toBeNull()
  shared.now += 10 * MINUTE
  expect((await ringOf(shared, { keyPolicy })).refreshKey(old)).toBeNull()
})

test('S-02: a running process also drops the key, without any change in the store', async () => {
  const { shared, old } = await succeeded()
  const provider = shared.process(idle)
  shared.now += idleTimeout
  expect((await provider.current()).refreshKey(old)).not.toBeNull()
  shared.now += 10 * MINUTE
  expect((await provider.reload()).refreshKey(old)).toBeNull()
})

test('S-02: while a lower idle timeout is rolled out, each process uses its own; a roll-back works', async () => {
  const { shared, old } = await succeeded()
  const lowered = { keyPolicy: createKeyPolicy({ ...sampleKeyPolicy, idleTimeout: DAY }) }
  shared.now += 2 * DAY
  expect((await ringOf(shared, lowered)).refreshKey(old)).toBeNull()
  // The process with the lower timeout has not removed the key from the store.
  expect((await ringOf(shared)).refreshKey(old)).not.toBeNull()
  shared.now = sampleInstant + HOUR + 400 * DAY
  await ringOf(shared, lowered)
  expect((await shared.keys()).map(({ kid }) => kid)).toContain(old)
  shared.now += 10 * MINUTE
  await ringOf(shared)
  expect((await shared.keys()).map(({ kid }) => kid)).not.toContain(old)
})

test('S-02: no session is lost if the clocks of processes differ by minutes', async () => {
  const { shared, old } = await succeeded()
  const after = shared.now
  const slow = { ...idle, clock: () => shared.now - 4 * MINUTE }
  const fast = { ...idle, clock: () => shared.now + 4 * MINUTE }
  // By the slow clock, the old key is still active, and the idle timeout of a session that it refreshes starts there.
  shared.now = after + 4 * MINUTE - 1
  const refreshedAt = slow.clock()
  expect((await ringOf(shared, slow)).refreshKeyAt(refreshedAt).kid).toBe(old)
  shared.now = refreshedAt + idleTimeout + 4 * MINUTE
  expect((await ringOf(shared, fast)).refreshKey(old)).not.toBeNull()
})

test('S-02: when a key is dropped because of its age, listeners for the end of sessions are not called', async () => {
  const { shared } = await succeeded()
  let ended = 0
  const provider = shared.process({ ...idle, onSessionsEnded: () => void ended++ })
  await provider.current()
  shared.now += 200 * DAY
  await provider.reload()
  expect(ended).toBe(0)
})
