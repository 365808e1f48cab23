import { parseJsonObject } from '../../base/json.ts'
import { keyPurposes } from '../../tokens/key-store.ts'
import type { KeyStore, StoredKey } from '../../tokens/key-store.ts'
import { keyOf } from '../sql/key-row.ts'
import type { ChangeLog } from './change-log.ts'
import { removeKeyScript } from './change-scripts.ts'
import type { RedisConnection } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger, toTexts, unreadable } from './reply.ts'
import { defineScript } from './script.ts'

/** KEYS: keys, the order of the purpose. ARGV: 1 if there must be a newest key, its kid, kid, key, activeFrom. */
const addScript = defineScript(`
local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
if ARGV[1] == '1' and newest ~= ARGV[2] or ARGV[1] == '0' and newest then return 0 end
if redis.call('HSETNX', KEYS[1], ARGV[3], ARGV[4]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[3])
return 1`)

/** KEYS: keys. ARGV: kid, then the current and the next material as the end of the key's JSON. */
const replaceScript = defineScript(`
local key = redis.call('HGET', KEYS[1], ARGV[1])
local from = key and string.find(key, ARGV[2], 1, true)
if not from then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(key, 1, from - 1) .. ARGV[3])
return 1`)

/** The signing keys in Redis, in the slot of the change log. Every write is durable before it is acknowledged. */
export function createKeyTable(connection: RedisConnection, log: ChangeLog, names: KeyNames): KeyStore {
  const durably = (work: Parameters<typeof connection.use<unknown>>[0]): Promise<boolean> =>
    connection.useDurably(() => [names.keys], async commands => toInteger(await work(commands)) === 1)
  return {
    listKeys: () => connection.use(async ({ send }) =>
      toTexts(await send(names.keys, ['HVALS', names.keys])).map(parse).sort(oldestActiveFirst)),

    addKeyIfNewest: (key, newest) => durably(({ run }) => run(addScript, [names.keys, names.keyOrder(key.purpose)],
      [newest === null ? '0' : '1', newest ?? '', key.kid, keyJson(key), key.activeFrom])),

    replaceKeyMaterial: (kid, current, next) => durably(({ run }) =>
      run(replaceScript, [names.keys], [kid, materialJson(current), materialJson(next)])),

    removeKey: (kid, until) => durably(({ run }) => run(removeKeyScript,
      [...log.keys, names.keys, ...keyPurposes.map(names.keyOrder)], [...log.args, until, kid])),
  }
}

function keyJson({ material, ...rest }: StoredKey): string {
  return JSON.stringify(rest).slice(0, -1) + ',' + materialJson(material)
}

function materialJson(material: string): string {
  return `"material":${JSON.stringify(material)}}`
}

function parse(text: string): StoredKey {
  const stored = parseJsonObject(text)
  if (stored === null) throw unreadable('a key')
  const { kid, purpose, algorithm, createdAt, activeFrom, material } = stored
  return keyOf({ kid, purpose, algorithm, created_at: createdAt, active_from: activeFrom, material })
}

function oldestActiveFirst(left: StoredKey, right: StoredKey): number {
  if (left.activeFrom !== right.activeFrom) return left.activeFrom - right.activeFrom
  return left.kid < right.kid ? -1 : 1
}
