import { readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

// One bundle for all entries: a file that is imported costs 0.3 ms, whatever is in it. Declarations are the compiler's,
// file by file.

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, { readonly node: string; readonly default: string }>>
  readonly bin: Readonly<Record<string, string>>
}

const { exports, imports, bin }: Manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const files = [
  ...Object.values(exports), ...Object.values(bin),
  ...Object.values(imports).flatMap(({ node, default: others }) => [node, others]),
].filter(file => file.startsWith('./dist/'))

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
      groups: [
        // What the browser client shares with servers is little, and should be all that it gets.
        { name: 'wire', test: /src\/base\/(?:wire|awaitable|json)\.ts$/, priority: 1 },
        { name: 'core', test: /src\/(?:session|transport|tokens|base)\//, minShareCount: 2 },
      ],
    },
  },
})
