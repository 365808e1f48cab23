import { rule } from '../../base/options.ts'
import type { Rule } from '../../base/options.ts'

/** A client of ioredis or of `redis` (node-redis), as far as importers use it. */
export type ForeignRedis =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(args: string[]): Promise<unknown> }

/** The rule of a Redis client. */
export const redisRule: Rule<ForeignRedis, undefined> = rule(
  'a client of ioredis or of redis (node-redis)',
  (value): value is ForeignRedis => typeof value === 'object' && value !== null
    && ('call' in value || 'sendCommand' in value),
)

/** Values of the old system in Redis. */
export interface ForeignValues {
  read(key: string): Promise<string | null>
  write(key: string, value: string): Promise<void>
  remove(key: string): Promise<void>
  /** Some keys with this prefix, and the position after them; null at the end. Keys may come twice. */
  scan(
    prefix: string,
    after: string | null,
    limit: number,
  ): Promise<{ readonly keys: readonly string[]; readonly next: string | null }>
}

/** Reads and writes over any client. `write` keeps the expiry of the key. */
export function foreignValues(client: ForeignRedis): ForeignValues {
  const send = (...command: [string, ...string[]]): Promise<unknown> => (
    'call' in client ? client.call(...command) : client.sendCommand(command)
  )
  return {
    read: async key => textOf(await send('GET', key)),
    write: async (key, value) => void await send('SET', key, value, 'KEEPTTL', 'XX'),
    remove: async key => void await send('DEL', key),
    async scan(prefix, after, limit) {
      const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`
      const reply = await send('SCAN', after ?? '0', 'MATCH', pattern, 'COUNT', `${limit}`)
      const [cursor, keys] = Array.isArray(reply) ? reply : ['0', []]
      const next = textOf(cursor) ?? '0'
      return {
        keys: Array.isArray(keys) ? keys.map(textOf).filter(key => key !== null) : [],
        next: next === '0' ? null : next,
      }
    },
  }
}

function textOf(reply: unknown): string | null {
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply)
  return typeof reply === 'string' ? reply : null
}
