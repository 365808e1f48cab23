import { longLivedHost } from '../base/host.ts'
import { deferStore } from '../stores/deferred-store.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { Platform } from './platform.ts'
import { schedule } from './schedule.ts'

/** Node.js, and runtimes with Node's modules: synchronous cryptography, SQLite in the working directory. */
export const platform: Platform = {
  crypto: nodeCrypto,
  clock: Date.now,
  variable: name => process.env[name],
  schedule,
  host: longLivedHost,
  openDefaultStore: () => deferStore(async () => {
    const { openSqliteStore } = await import('../stores/sqlite.ts')
    return openSqliteStore('keyturn.db')
  }),
  async readPackageFile(path) {
    try {
      // This module is in `src/platform`, `dist/platform` or `dist/chunks`. Bundlers take `new URL(path, import.meta.url)`
      // for a file to copy. In a bundle of an application there is no such file.
      const here = import.meta.url
      const { readFile } = await import('node:fs/promises')
      return await readFile(new URL(`../../${path}`, here), 'utf8')
    } catch {
      return null
    }
  },
}
