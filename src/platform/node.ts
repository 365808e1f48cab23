import { detectedHost } from '../base/host.ts'
import { deferStore } from '../stores/deferred-store.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { Platform } from './platform.ts'
import { readPackageFile } from './read-package-file.ts'
import { schedule } from './schedule.ts'

/** Node.js, and runtimes with Node's modules: synchronous cryptography, SQLite in the working directory. */
export const platform: Platform = {
  crypto: nodeCrypto,
  clock: Date.now,
  variable: name => process.env[name],
  schedule,
  // Bundlers for Workers may choose this file, too.
  host: detectedHost,
  openDefaultStore: () => deferStore(async () => {
    const { openSqliteStore } = await import('../stores/sqlite.ts')
    return openSqliteStore('keyturn.db')
  }),
  async loadConsole() {
    const { createEmbeddedConsole } = await import('../console/embedded-console.ts')
    return parts => createEmbeddedConsole(parts, readPackageFile)
  },
}
