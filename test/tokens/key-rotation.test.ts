import { expect, test } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'

const HOUR = 3_600_000

test('TOK-20: a new signing key is used every keyRotationInterval, and published an hour before', async () => {
  const options = inMemory()
  const sessions = createSessions({ origin: 'http://localhost', keyRotationInterval: 86_400, ...options })
  const kids = async (): Promise<string[]> => {
    // The first call starts a reload, which adds the key that is due; the second returns it.
    await sessions.getJwks()
    return (await sessions.getJwks()).keys.map(({ kid }) => kid)
  }
  expect(await kids()).toHaveLength(1)
  options.clock.advance(22 * HOUR)
  expect(await kids()).toHaveLength(1)
  options.clock.advance(HOUR)
  expect(await kids()).toHaveLength(2)
  await sessions.close()
})

test('keyRotationInterval must not be shorter than the publication lead', () => {
  expect(() => createSessions({ origin: 'http://localhost', keyRotationInterval: 3599, ...inMemory() }))
    .toThrow('keyRotationInterval must be a duration from 1 hour to 365 days')
})
