import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'
import { startProgram } from './start-program.ts'
import type { RunningProgram } from './start-program.ts'

const root = join(import.meta.dirname, '../../..')

/** The text bindings of a worker. */
export type Environment = Readonly<Record<string, string>>

/**
 * Serves a worker in workerd, once for each name, with the environment of that name. It is bundled with the sources of
 * the package, unless `conditions` lacks the condition that selects them. `flags`: none, so that no Node API is
 * available, or the compatibility flag that provides some. `runtime`: the conditions of the runtime. `date`: the
 * compatibility date.
 */
export async function serveWorker(
  workerd: string,
  entry: string,
  environments: Readonly<Record<string, Environment>>,
  conditions: readonly string[] = ['keyturn-source'],
  flags: readonly 'nodejs_compat'[] = [],
  runtime: readonly string[] = ['workerd', 'worker'],
  date = '2026-06-01',
): Promise<RunningProgram> {
  const names = Object.keys(environments)
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-workerd-'))
  await bundleWorker(entry, join(folder, 'worker.js'), conditions, flags, runtime)
  writeFileSync(join(folder, 'config.capnp'), configuration(environments, flags, date))
  const program = await startProgram(
    workerd, ['serve', join(folder, 'config.capnp'), '--control-fd=1'], names, folder,
  )
  return {
    ports: program.ports,
    async close() {
      await program.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/**
 * Bundles a worker, as {@link serveWorker} does. With `runtime`, as for another runtime: `[]` is one that no condition
 * names. `packages`: a folder of further packages that it may import.
 */
export async function bundleWorker(
  entry: string,
  outfile: string,
  conditions: readonly string[] = ['keyturn-source'],
  flags: readonly 'nodejs_compat'[] = [],
  runtime: readonly string[] = ['workerd', 'worker'],
  packages: readonly string[] = [],
): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['browser', 'module', 'main'],
    conditions: [...conditions, ...runtime],
    absWorkingDir: root,
    nodePaths: [...packages],
    external: ['cloudflare:*'],
    plugins: flags.length === 0 ? [] : [modulesOfNode],
    logLevel: 'silent',
  })
}

/**
 * Leaves the modules of Node to workerd, as `wrangler` does. A module of workerd has no `require`: what CommonJS
 * requires of Node is imported.
 */
const modulesOfNode: Plugin = {
  name: 'modules-of-node',
  setup(bundle) {
    const names = new Set(builtinModules)
    bundle.onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) => {
      if (!path.startsWith('node:') && !names.has(path)) return null
      const name = `node:${path.replace(/^node:/, '')}`
      return kind === 'require-call' ? { path: name, namespace: 'required' } : { path: name, external: true }
    })
    bundle.onLoad({ filter: /^/, namespace: 'required' }, ({ path }) => ({
      contents: `import required from '${path}'; module.exports = required`,
    }))
  },
}

/** Workers can reach this machine only. */
function configuration(
  environments: Readonly<Record<string, Environment>>, flags: readonly string[], date: string,
): string {
  const services = Object.entries(environments).map(([name, environment]) => `(name = "${name}", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")],
    compatibilityDate = "${date}",
    compatibilityFlags = [${flags.map(flag => `"${flag}"`).join(', ')}],
    bindings = [${Object.entries(environment).map(([key, text]) => `(name = "${key}", text = "${text}")`).join(', ')}],
  ))`)
  const sockets = Object.keys(environments).map(name => (
    `(name = "${name}", address = "127.0.0.1:0", http = (), service = "${name}")`
  ))
  services.push('(name = "internet", network = (allow = ["private"]))')
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}], sockets = [${sockets.join(', ')}]);
`
}
