import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vite'

// The pages of the console, as static files: `index.html`, and files whose names have a digest of their content. All
// addresses are relative, because an application mounts them anywhere.

const outDir = join(import.meta.dirname, '../dist/console')

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  cacheDir: join(import.meta.dirname, '../.cache/vite'),
  // The build is the same wherever it runs, also in a test.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [{
    name: 'without-older-assets',
    apply: 'build',
    // The folder also has declarations of the library, which stay.
    buildStart: () => rmSync(join(outDir, 'assets'), { recursive: true, force: true }),
  }],
  build: {
    outDir,
    emptyOutDir: false,
    assetsDir: 'assets',
    // Every file is requested from the server: the Content-Security-Policy needs no exception.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The licenses of Preact and uPlot ask for their text beside the code.
    license: { fileName: 'licenses.md' },
  },
})
