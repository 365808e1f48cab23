import { GeneralError } from '../base/errors.ts'
import { detectedHost } from '../base/host.ts'
import type { Platform } from './platform.ts'
import { schedule } from './schedule.ts'
import { webCrypto } from './web-crypto.ts'

/** Any runtime with web-standard APIs. */
export const platform: Platform = {
  crypto: webCrypto,
  clock: Date.now,
  variable(name) {
    const host: { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } } = globalThis
    return host.process?.env?.[name]
  },
  schedule,
  host: detectedHost,
  openDefaultStore() {
    throw new GeneralError('MISUSE', 'this runtime has no default store: set the option `store`')
  },
  async loadConsole() {
    throw new GeneralError('MISUSE', 'this runtime has no files, and the console has its pages there: open the console '
      + 'in a program of Node.js, Bun or Deno with the same store, or with `keyturn serve --console`')
  },
}
