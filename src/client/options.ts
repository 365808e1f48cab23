import type { ClientOptions } from './client.ts'

/** What `typeof` says of an option's value, or the pattern of its text. A browser has to load these rules. */
type ClientRule = string | RegExp

/** What the options of `createClient` accept. */
export const clientRules: Readonly<Record<keyof ClientOptions, ClientRule>> = {
  baseUrl: 'string',
  basePath: 'string',
  mode: /^(cookie|header)$/,
  storage: 'object',
  sessionExpiredStatusCode: /^4\d\d$/,
  refreshOn: 'function',
  fetch: 'function',
}

/** Checks names and values of options. @throws TypeError with the name, the value and what is accepted. */
export function checkClientOptions(options: ClientOptions): void {
  const rules = new Map<string, ClientRule>(Object.entries(clientRules))
  for (const [name, value] of Object.entries(options)) {
    const rule = rules.get(name)
    if (!rule) throw new TypeError(`no option ${name}; its options are ${[...rules.keys()].join()}`)
    const isValid = typeof rule === 'string' ? typeof value === rule : rule.test(String(value))
    if (value !== undefined && !isValid) {
      throw new TypeError(`${name} must be ${rule}; received ${JSON.stringify(value)}`)
    }
  }
}
