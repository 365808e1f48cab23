import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { loadConfigFile } from 'rollup/loadConfigFile'
import { build as vite, createLogger } from 'vite'
import webpack from 'webpack'

/**
 * Bundles `server.mjs` of an application for Node, including dependencies, into the folder `out`, as the bundler's
 * guide says.
 */
export interface Bundler {
  readonly name: string
  /** The program that `build` writes. */
  readonly program: string
  /** Rejects if the bundler fails; otherwise resolves to its warnings. */
  build(application: string): Promise<readonly string[]>
}

const entry = 'server.mjs'
// The types of Rollup's plugins are wrong for imports by ES modules.
const rollupConfig = join(import.meta.dirname, '../../package/applications/rollup.config.mjs')

export const bundlers: readonly Bundler[] = [
  {
    name: 'esbuild',
    program: 'out/server.cjs',
    async build(application) {
      const { warnings } = await esbuild({
        entryPoints: [join(application, entry)], outfile: join(application, 'out/server.cjs'),
        absWorkingDir: application,
        bundle: true, platform: 'node', logLevel: 'silent',
      })
      return warnings.map(({ text, location }) => `${location?.file}: ${text}`)
    },
  },
  {
    name: 'webpack',
    program: 'out/server.cjs',
    async build(application) {
      const compiler = webpack({
        context: application, entry: `./${entry}`, target: 'node', mode: 'production',
        output: { path: join(application, 'out'), filename: 'server.cjs' },
        // Saves time, and does not change what the bundle contains.
        optimization: { minimize: false },
      })
      const stats = await new Promise<webpack.Stats>((resolve, reject) => {
        compiler.run((error, result) => result === undefined ? reject(error) : resolve(result))
      })
      const { errors = [], warnings = [] } = stats.toJson({ all: false, errors: true, warnings: true })
      if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
      return warnings.map(({ moduleName, message }) => `${moduleName}: ${message}`)
    },
  },
  {
    name: 'Rollup',
    program: 'out/server.js',
    async build(application) {
      const warnings: string[] = []
      const { options: [options] } = await loadConfigFile(rollupConfig, {})
      const bundle = await rollup({
        ...options,
        input: join(application, entry),
        onLog: (level, { message }) => level === 'warn' && warnings.push(message),
      })
      await bundle.write({ dir: join(application, 'out'), format: 'es' })
      await bundle.close()
      return warnings
    },
  },
  {
    name: 'Vite',
    program: 'out/server.js',
    async build(application) {
      const warnings: string[] = []
      const warn = (message: string): void => void warnings.push(message)
      await vite({
        root: application, configFile: false, logLevel: 'silent', ssr: { noExternal: true },
        customLogger: { ...createLogger('silent'), warn, warnOnce: warn, error: warn },
        build: { ssr: entry, outDir: 'out' },
      })
      return warnings
    },
  },
]
