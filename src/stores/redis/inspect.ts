import { checkOptions, checkValue } from '../../base/options.ts'
import type { StoreNaming, StoreState } from '../kind.ts'
import { requestTimeoutOf } from '../options.ts'
import { createConnection } from './connection.ts'
import { keyNames } from './key-names.ts'
import { openUrl } from './open-url.ts'
import { keyPrefixRule, redisRules, redisSourceRule } from './options.ts'
import { toInteger } from './reply.ts'

/** Looks for the signing keys: a process that uses the store creates them before anything else. */
export async function inspectServer(url: string, naming: StoreNaming): Promise<StoreState> {
  checkValue('url', redisSourceRule, url)
  checkOptions('inspect', redisRules, naming)
  const names = keyNames(naming.prefix ?? keyPrefixRule.defaultValue)
  const { keys } = names
  const connection = createConnection(async () => ({ driver: await openUrl(url), own: true }), {
    replicas: 0, requestTimeout: requestTimeoutOf(), allowEviction: false, names,
  })
  try {
    const isThere = await connection.use(async ({ send }) => toInteger(await send(keys, ['EXISTS', keys])) === 1)
    return { condition: isThere ? 'ready' : 'missing', target: `key ${keys} in this Redis database` }
  } finally {
    await connection.close()
  }
}
