import { readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'
import type { ChunkingContext } from 'rolldown'

// One bundle for all entries: a file that is imported costs 0.3 ms, whatever is in it. Declarations are the compiler's,
// file by file.

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly bin: Readonly<Record<string, string>>
}

const { exports, imports, bin }: Manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const files = [
  ...Object.values(exports), ...Object.values(bin),
  ...Object.values(imports).flatMap(conditions => Object.values(conditions)),
].filter(file => typeof file === 'string').filter(file => file.startsWith('./dist/'))

const monitoring = /src\/session\/(?:create-vitals|readiness|health|gauges|metric-table|open-telemetry)\.ts$/

export default defineConfig({
  input: Object.fromEntries(files.map(file => {
    const name = file.slice('./dist/'.length, -'.js'.length)
    return [name, `src/${name}.ts`]
  })),
  platform: 'neutral',
  logLevel: 'warn',
  tsconfig: 'src/tsconfig.json',
  // What is no file of ours stays an import: other packages, Node's modules, and `#platform`, which package.json resolves.
  external: /^[^./]/,
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      // What an application bundles of an entry should be little more than that entry needs: what the browser client and
      // `keyturn/verify` share with the rest is in files of its own.
      groups: [
        { name: (id, modules) => isReached(id, /src\/client\//, modules) ? 'wire' : null, debugName: 'wire', minShareCount: 2 },
        {
          name: (id, modules) => isReached(id, /src\/(?:verify|platform\/\w+-crypto)\.ts$/, modules) ? 'verification' : null,
          debugName: 'verification',
          minShareCount: 2,
        },
        {
          name: 'core',
          test: id => /src\/(?:session|transport|tokens|base)\//.test(id) && !monitoring.test(id),
          minShareCount: 2,
        },
        // Loaded when a program first asks for health or metrics.
        { name: 'monitoring', test: monitoring },
        { name: 'adapter', test: /src\/frameworks\//, minShareCount: 2 },
      ],
    },
  },
})

/** Whether a module is imported, over whatever others, by one whose path is like this. */
function isReached(id: string, path: RegExp, modules: ChunkingContext, seen: Set<string> = new Set()): boolean {
  seen.add(id)
  const importers = modules.getModuleInfo(id)?.importers ?? []
  return importers.some(importer => (
    path.test(importer) || (!seen.has(importer) && isReached(importer, path, modules, seen))
  ))
}
