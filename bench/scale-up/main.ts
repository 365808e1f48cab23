import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Measures what depends on the number of sessions, in a process of its own that runs the sources: the measures call
 * parts that the package does not export. `names` are those of stores, measures and sizes (see run.ts).
 */
export async function measureScaleUp(names: readonly string[]): Promise<void> {
  const run = fileURLToPath(new URL('run.ts', import.meta.url))
  const { status } = spawnSync(process.execPath, [
    '--conditions=keyturn-source', '--expose-gc', '--max-old-space-size=8192', run, ...names,
  ], { stdio: 'inherit', env: { ...process.env, NODE_ENV: 'production' } })
  if (status !== 0) throw new Error('a measurement of the part scale-up has failed')
}
