import { GeneralError } from '../../base/errors.ts'
import type { RedisDriver } from './driver.ts'
import { toText } from './reply.ts'

/**
 * Refuses a server that evicts keys when its memory is full: sessions would end without notice, and signing keys would
 * be lost.
 * @throws GeneralError (`MISUSE`)
 */
export async function checkEviction(driver: RedisDriver): Promise<void> {
  for (const reply of await driver.sendToAll(['INFO', 'memory'])) {
    const policy = /^maxmemory_policy:(.+?)\r?$/m.exec(toText(reply))?.[1] ?? 'unknown'
    if (policy === 'noeviction') continue
    throw new GeneralError('MISUSE', `Redis may evict sessions and keys (maxmemory-policy is ${policy}): `
      + 'set it to noeviction, or pass [allowEviction]: true to accept that users are logged out at random')
  }
}
