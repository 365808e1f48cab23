import type { ClientOptions } from './client.ts'
import { isObject } from './front-token.ts'

/** Rules of options. They are smaller than those of the server, because a browser has to load them. */
type ClientRules = Readonly<Record<keyof ClientOptions, {
  readonly accepts: string
  readonly fits: (value: unknown) => boolean
}>>

const isText = (value: unknown): boolean => typeof value === 'string'

/** What the options of `createClient` accept. */
export const clientRules: ClientRules = {
  baseUrl: { accepts: 'a URL', fits: isText },
  basePath: { accepts: 'a path', fits: isText },
  mode: { accepts: '"cookie" or "header"', fits: value => value === 'cookie' || value === 'header' },
  storage: { accepts: 'an object with getItem and setItem', fits: value => isObject(value) && 'setItem' in value },
  refreshAhead: { accepts: 'true or false', fits: value => typeof value === 'boolean' },
  sessionExpiredStatusCode: {
    accepts: 'a whole number from 400 to 499',
    fits: value => Number.isInteger(value) && Number(value) > 399 && Number(value) < 500,
  },
  fetch: { accepts: 'a function', fits: value => typeof value === 'function' },
}

/** Checks names and values of options. @throws TypeError with the name, the value and what is accepted. */
export function checkClientOptions(options: ClientOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.entries(clientRules).find(([known]) => known === name)?.[1]
    if (!rule) throw new TypeError(`createClient has no option ${name}; its options are ${Object.keys(clientRules)}`)
    if (value !== undefined && !rule.fits(value)) {
      throw new TypeError(`${name} must be ${rule.accepts}; received ${JSON.stringify(value)}`)
    }
  }
}
