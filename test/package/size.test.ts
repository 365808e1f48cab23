import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'
import { expect, test } from 'vitest'
import { consumer, neutralSpecifiers, readManifest, specifiers } from '../support/package/pack.ts'

interface Bundle {
  readonly bytes: number
  readonly text: string
  readonly imports: readonly string[]
}

/** Leaves out modules that are loaded when they are first needed. */
const withoutLazy: Plugin = {
  name: 'without-lazy',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => kind === 'dynamic-import' ? { path, external: true } : undefined)
  },
}

/** Bundles and minifies an application that uses all of some entries. Returns the bytes after gzip. */
async function bundle(
  names: readonly string[],
  conditions: readonly string[],
  plugins: readonly Plugin[] = [],
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: names.map(name => `export * from ${JSON.stringify(name)}`).join('\n'), resolveDir: consumer },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    conditions: [...conditions],
    plugins: [...plugins],
    packages: 'bundle',
    external: ['node:*', ...Object.keys(readManifest().peerDependencies).flatMap(name => [name, `${name}/*`])],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const [file] = outputFiles
  return {
    bytes: gzipSync(file?.contents ?? '').length,
    text: file?.text ?? '',
    imports: Object.values(metafile.outputs).flatMap(output => output.imports)
      .filter(({ kind }) => plugins.length === 0 || kind !== 'dynamic-import').map(({ path }) => path),
  }
}

test('the core and the web adapter, as they are loaded at first, are smaller than 48.6 kB, verification alone than 9.4 kB', async () => {
  const sizes = {
    'keyturn + frameworks/web': (await bundle(['keyturn', 'keyturn/frameworks/web'], ['worker'], [withoutLazy])).bytes,
    'keyturn/verify': (await bundle(['keyturn/verify'], ['worker'])).bytes,
  }
  console.log(sizes)
  expect(sizes['keyturn + frameworks/web']).toBeLessThan(48_600)
  expect(sizes['keyturn/verify']).toBeLessThan(9400)
})

test('CON-21: nothing of the console is loaded before it is used', async () => {
  const { text, imports } = await bundle(
    ['keyturn', 'keyturn/frameworks/web', 'keyturn/frameworks/express'],
    ['node'],
    [withoutLazy],
  )
  expect(text).toContain('authorize')
  // Texts of its API, its headers and its pages.
  for (const part of ['invalid_change_token', 'frame-ancestors', 'dist/console']) expect(text).not.toContain(part)
  expect(imports.filter(path => path.includes('console'))).toEqual([])
})

test('CON-21: nothing of the console is in the bundle of a runtime without files', async () => {
  const { text } = await bundle(['keyturn', 'keyturn/frameworks/web'], ['worker'])
  expect(text).toContain('authorize')
  for (const part of ['invalid_change_token', 'frame-ancestors']) expect(text).not.toContain(part)
})

test.each(neutralSpecifiers)('%s needs no particular runtime', async name => {
  expect((await bundle([name], ['worker'])).imports).toEqual([])
})

test('keyturn/stores contains no drivers and nothing of Node: they are loaded when a store is opened', async () => {
  const { bytes, imports } = await bundle(['keyturn/stores'], ['worker'], [withoutLazy])
  console.log({ 'keyturn/stores': bytes })
  expect(imports).toEqual([])
  expect(bytes).toBeLessThan(10_000)
})

test('the size of every export, in bytes after gzip', async () => {
  const rows: Record<string, number> = {}
  for (const name of specifiers().filter(specifier => !specifier.endsWith('.json'))) {
    rows[name] = (await bundle([name], [neutralSpecifiers.includes(name) ? 'worker' : 'node'])).bytes
  }
  console.log(rows)
  // Two entries contain every store, `keyturn` what is loaded later (monitoring, and the console), and the contracts
  // all of their cases. No other entry may become that large.
  const limits: Readonly<Record<string, number>> = {
    'keyturn': 56_000, 'keyturn/server': 160_000, 'keyturn/stores': 60_000, 'keyturn/testing/contracts': 45_000,
  }
  for (const [name, bytes] of Object.entries(rows)) expect(bytes, name).toBeLessThan(limits[name] ?? 40_000)
})
