import { startBackend } from '../backends.ts'
import { startChild } from '../child-process.ts'
import type { Revoked } from '../children/revoker.ts'
import { activeBatch } from '../rows.ts'
import { atLeast, shown } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

const PROCESSES = 4
const SESSIONS = 200_000

/** Revokes single sessions on PostgreSQL from several processes at once (P-10). */
export async function measureSingleRevocations(): Promise<readonly Promised[]> {
  const backend = await startBackend('postgres')
  const store = await backend.open('single')
  await store.close()
  await backend.load('single', activeBatch(SESSIONS))
  await backend.settle()
  const share = SESSIONS / PROCESSES
  const children = Array.from({ length: PROCESSES }, (_, index) => (
    startChild<object, Revoked>('revoker', [backend.place, 'single', `${index * share}`, `${share}`])
  ))
  try {
    await Promise.all(children.map(child => child.next()))
    for (const child of children) child.send({})
    const results = await Promise.all(children.map(child => child.next()))
    const total = results.reduce((sum, { count }) => sum + count, 0)
    const seconds = Math.max(...results.map(result => result.seconds))
    return [
      atLeast('revokeSession per second from 4 processes, 64 in flight each', 5000, total / seconds, ''),
      shown('sessions revoked', total, ''),
    ]
  } finally {
    for (const child of children) child.stop()
    await backend.stop()
  }
}
