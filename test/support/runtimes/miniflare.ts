import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMiniflare } from '../edge-packages.ts'
import type { MiniflareWorker } from '../edge-packages.ts'
import { bundleWorker } from './workerd.ts'

/** Workers in Miniflare, each an isolate of its own. */
export interface RunningWorkers {
  /** The address of each worker, by its name. */
  readonly urls: ReadonlyMap<string, string>
  close(): Promise<void>
}

/** What the workers are bound to; all of them to the same databases. */
export type Bindings = Pick<
  MiniflareWorker, 'bindings' | 'd1Databases' | 'durableObjects' | 'hyperdrives' | 'compatibilityFlags'
>

/**
 * Bundles an entry with the sources of the package, and serves it in an isolate for each name. `packages`: a folder of
 * further packages that it imports.
 */
export async function serveWorkers(
  entry: string,
  names: readonly string[],
  bindings: Bindings,
  packages: readonly string[] = [],
): Promise<RunningWorkers> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-miniflare-'))
  const scriptPath = join(folder, 'worker.js')
  await bundleWorker(entry, scriptPath, ['keyturn-source'],
    bindings.compatibilityFlags === undefined ? [] : ['nodejs_compat'], ['workerd', 'worker', 'browser'], packages)
  const miniflare = await createMiniflare(names.map(name => ({
    name, modules: [{ type: 'ESModule', path: scriptPath }], modulesRoot: folder, compatibilityDate: '2026-07-01',
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...bindings,
  })))
  const urls = new Map<string, string>()
  for (const name of names) urls.set(name, (await miniflare.unsafeGetDirectURL(name)).origin)
  return {
    urls,
    async close() {
      await miniflare.dispose()
      rmSync(folder, { recursive: true })
    },
  }
}
