import { flag, number, rule, text, withDefault } from '../../base/options.ts'
import type { Rule, RulesFor } from '../../base/options.ts'
import { describeClient, mayBe } from '../known-clients.ts'
import { requestTimeoutRule } from '../options.ts'
import type { RedisStoreOptions } from '../redis.ts'

/**
 * Accepts a server that evicts keys when its memory is full. Evicted sessions log users out at random; an evicted
 * signing key logs all users out.
 */
export const allowEviction: unique symbol = Symbol('keyturn.allowEviction')

/** The schemes of its URLs. */
export const redisSchemes: readonly string[] = ['redis', 'rediss']

/** The prefix of key names: only characters that make a plain name (ST-03). */
export const keyPrefixRule: Rule<string, string> = withDefault('keyturn:', text(
  '1 to 63 letters, digits and any of _ . : -, with a letter or _ first', /^[A-Za-z_][A-Za-z0-9_.:-]{0,62}$/))

/** What the first argument of `createRedisStore` accepts. */
export const redisSourceRule: Rule<object | string> = {
  ...rule(
    'a client or cluster of ioredis or redis, or a URL that begins with redis:// or rediss://',
    (value): value is object | string => typeof value === 'string'
      ? /^rediss?:\/\//.test(value) && URL.canParse(value)
      // A pool or a sentinel of node-redis has `sendCommand`, too, but does not use a single connection.
      : typeof value === 'object' && value !== null && mayBe(value, 'a client of ioredis', 'a client of redis')
        && ('call' in value || ('sendCommand' in value && 'subscribe' in value && !('acquire' in value))),
  ),
  describe: describeClient,
  isSecret: true,
}

/** What the options of `createRedisStore` accept. */
export const redisRules: RulesFor<RedisStoreOptions> = {
  prefix: keyPrefixRule,
  replicas: withDefault(0, number(null, 0, 1000)),
  requestTimeout: requestTimeoutRule,
  [allowEviction]: withDefault(false, flag),
}
