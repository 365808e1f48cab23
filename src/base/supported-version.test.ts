import { expect, test } from 'vitest'
import { explainOldVersion } from './supported-version.ts'
import type { CheckedPeer } from './supported-version.ts'

test.each<[peer: CheckedPeer, old: string, supported: string]>([
  ['axios', '0.27.2', '1.5.0'], ['fastify', '4.29.1', '5.0.0'], ['ioredis', '4.28.5', '5.0.0'],
  ['vue', '2.7.16', '3.3.0'], ['mysql2', '3.9.7', '3.11.0'], ['pg', '8.10.0', '8.11.0'], ['redis', '4.7.1', '5.0.0'],
])('L-23: %s %s is refused with words, and %s is not', (peer, old, supported) => {
  const words = new RegExp(`^${peer} ${old} is not supported: install ${peer} [0-9.]+ or newer$`)
  expect(explainOldVersion(peer, old)).toMatch(words)
  for (const fine of [supported, '99.0.0', '99.0.0-beta.1', undefined, '', 'workspace:*']) {
    expect(explainOldVersion(peer, fine), fine).toBeNull()
  }
})
