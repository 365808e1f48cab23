import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { each, readMatching } from './setting-texts.ts'
import type { SettingReader } from './setting-texts.ts'

/** Reads the API keys of a setting. @throws InvalidSettingError */
export const readApiKeys: SettingReader<readonly string[]> = each(
  readMatching(/^[A-Za-z0-9=-]{20,256}$/, 'keys of at least 20 characters A-Z, a-z, 0-9, = and -'),
)

/**
 * Creates the check of API keys. A request carries its key in the header `api-key`, or else in `Authorization`, with or
 * without `Bearer`. The digests of all keys are compared, in constant time. Without configured keys every request
 * passes.
 */
export function createApiKeyCheck(keys: readonly string[]): (request: IncomingMessage) => boolean {
  const digests = keys.map(digestOf)
  if (digests.length === 0) return () => true
  return ({ headers }) => {
    const header = headers['api-key'] ?? headers.authorization?.replace(/^Bearer /i, '')
    if (typeof header !== 'string') return false
    const given = digestOf(header)
    let found = false
    for (const digest of digests) found = timingSafeEqual(digest, given) || found
    return found
  }
}

function digestOf(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}
