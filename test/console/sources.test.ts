import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const sources = globSync('console/src/**/*.{ts,tsx}', { cwd: root }).toSorted()
  .map(path => ({ path, lines: read(path).split('\n') }))
const styles = globSync('console/src/**/*.css', { cwd: root }).map(path => ({ path, lines: read(path).split('\n') }))

/** The lines that match, as `path:line text`. */
function find(pattern: RegExp, files: typeof sources = sources): string[] {
  return files.flatMap(({ path, lines }) => lines.flatMap((line, index) => (
    pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : []
  )))
}

test('the console has sources', () => {
  expect(sources.length).toBeGreaterThan(30)
})

test('CON-30: no text can become markup or code: nothing in the console parses HTML or evaluates', () => {
  const ways = [
    'innerHTML', 'outerHTML', 'insertAdjacentHTML', 'dangerouslySetInnerHTML', 'createContextualFragment', 'DOMParser',
    'setHTML', 'srcdoc', String.raw`document\.write`, String.raw`\beval\b`, String.raw`new Function\b`, 'javascript:',
  ]
  expect(find(new RegExp(ways.join('|')))).toEqual([])
})

test('CON-30: an address that a stranger may have written is never a link', () => {
  // Every link goes to a page of the console, to the API, to a file of the build, or is written out.
  expect(find(/href=\{(?!hrefOf\(|userHref\(|sessionHref\(|exportUrl\(|dashboard\}|firstHref\}|nextHref\})/)).toEqual([])
})

test('CON-31: the console names no other origin and sends nothing elsewhere', () => {
  expect(find(/https?:\/\/|sendBeacon|WebSocket|EventSource|XMLHttpRequest|serviceWorker/, [...sources, ...styles]))
    .toEqual([])
  expect(read('console/index.html')).not.toMatch(/https?:\/\/|<style|\sstyle=|\son\w+=|<script(?![^>]* src=)/)
})

test('CON-31: what an operator sees or types is not kept in the browser, but for the choice about shortcuts', () => {
  expect(find(/localStorage|sessionStorage|indexedDB|document\.cookie|caches\b/).map(place => place.split(':')[0]))
    .toEqual(Array.from({ length: 2 }, () => 'console/src/base/shortcuts.ts'))
})

test('the console imports its own files, Preact and uPlot; of the library, types of its API alone', () => {
  const imports = sources.flatMap(({ path, lines }) => [...lines.join('\n')
    .matchAll(/(import type )?[^;'"]*?(?:from |import\(|import )'([^']+)'/g)]
    .map(([whole, , target = '']) => ({ path, target, isType: whole.trimStart().startsWith('import type') })))
  const packages = /^(?:preact(?:\/hooks)?|@preact\/signals|uplot(?:\/dist\/uPlot\.min\.css)?)$/
  const strange = imports.filter(({ target, isType }) => !packages.test(target)
    && !(isType && target.endsWith('/src/console/api-types.ts'))
    && !(/^\.\.?\//.test(target) && !target.includes('/src/')))
  expect(strange).toEqual([])
})

test('nothing of the library imports the console’s pages', () => {
  const library = globSync('src/**/*.ts', { cwd: root }).map(path => ({ path, lines: read(path).split('\n') }))
  expect(find(/from '[^']*\/console\/src|from '(?:preact|uplot)/, library)
    .filter(place => !place.startsWith('src/client/'))).toEqual([])
})

test('files have at most 300 lines of at most 120 columns', () => {
  expect(sources.filter(({ lines }) => lines.length > 301).map(({ path }) => path)).toEqual([])
  expect(find(/^.{121,}$/).filter(place => !place.includes('<path'))).toEqual([])
})

test('CON-35: each region and field of a state is announced in one live region alone', () => {
  expect(find(/aria-live="(?!off)|role="(?:status|alert|log)"/)).toEqual([])
  expect(read('console/index.html').match(/aria-live/g)).toHaveLength(1)
})
