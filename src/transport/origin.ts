import { rule } from '../base/options.ts'
import type { Rule } from '../base/options.ts'

/** The rule of an origin, `http(s)://host[:port]`, in any form that browsers would normalize to one (CSRF-03). */
export const originRule: Rule<string, undefined> = rule(
  'an origin such as "https://app.example.com", without a path or wildcard', (value): value is string => {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
    return url !== null
      && (url.protocol === 'https:' || url.protocol === 'http:')
      && url.href === `${url.origin}/`
      && !url.hostname.includes('*')
  })
