import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { expect, test } from 'vitest'
import { installed, readManifest, run, tarball } from '../support/package/pack.ts'

interface SourceMap {
  readonly sources: readonly string[]
  readonly sourcesContent?: readonly (string | null)[]
}

test('publint reports no problem with the tarball', async () => {
  const packed = readFileSync(tarball)
  const buffer = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
  expect(messages.map(message => formatMessage(message, pkg))).toEqual([])
})

test('types are found by every module resolution that can load ESM', () => {
  const { succeeded, output } = run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'])
  expect(succeeded, output).toBe(true)
})

test('every export is a file, not a pattern, so deep imports are impossible', () => {
  for (const [path, file] of Object.entries(readManifest().exports)) {
    expect(path).not.toContain('*')
    expect(file).toMatch(/^\.\/(?:dist\/[a-z0-9/-]+\.js|package\.json)$/)
  }
})

test('the tarball contains source maps with sources, and no tests or development files', () => {
  const { output } = run('tar', ['-tzf', tarball])
  const files = output.trim().split('\n')
  const published = /^package\/dist\/|^package\/(?:package\.json|[A-Z]+(?:\.md)?)$/
  expect(files.filter(file => !published.test(file))).toEqual([])
  expect(files, 'V-07: the schema of the configuration file').toContain('package/dist/config.schema.json')
  expect(files, 'CON-31: the pages of the console').toContain('package/dist/console/index.html')
  expect(files, 'the licenses of what they contain').toContain('package/dist/console/licenses.md')
  expect(files.filter(file => /console\/assets\/[\w-]+\.(?:js|css|svg)$/.test(file)).length).toBeGreaterThan(4)
  expect(files.filter(file => /\.test\.|tsbuildinfo|tsconfig|node_modules/.test(file))).toEqual([])
  for (const file of files.filter(name => name.endsWith('.js.map'))) {
    const { sources, sourcesContent }: SourceMap = JSON.parse(
      readFileSync(join(installed, file.slice('package/'.length)), 'utf8'))
    expect(sourcesContent?.filter(text => text !== null), file).toHaveLength(sources.length)
  }
})
