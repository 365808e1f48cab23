// Compares docs/requirements.md, the tests that prove its requirements, and SECURITY.md, which refers to them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** `ROT-01`, `LAW-1`, the `FP-10` of `FP-10.2#7`; not UTF-16. */
const idsIn = (text: string): string[] => text.match(/\b(?:(?:LAW|FP)-\d{1,2}|(?!UTF)[A-Z]{1,5}-\d{2})\b/g) ?? []

/** The TypeScript files of a folder, except for installed packages and built files. */
function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return /^(?:\..*|node_modules|dist)$/.test(entry.name) ? [] : sourceFiles(path)
    return /\.[cm]?tsx?$/.test(entry.name) && entry.isFile() ? [path] : []
  })
}

const files = ['src', 'test'].flatMap(sourceFiles).map(path => ({ path, text: read(path) }))
/** Titles are in test files and, as names of cases, in the contracts that `keyturn/testing/contracts` publishes. */
const tests = files.filter(({ path }) => /^test\/|^src\/testing\/|\.test\.ts$/.test(path))

const catalogue = read('docs/requirements.md')
const entries = catalogue.split(/^### /m).slice(1).map(entry => {
  const [id = '', ...text] = entry.split('\n')
  return { id, text: text.join('\n').split(/^## /m)[0] ?? '' }
})
const known = new Set(entries.map(({ id }) => id))

test('each requirement is stated once, with its source', () => {
  expect(entries.map(({ id }) => id)).toEqual([...known])
  expect(entries.filter(({ id }) => idsIn(id).join() !== id)).toEqual([])
  expect(entries.filter(({ text }) => !/\bSource:\s/.test(text)).map(({ id }) => id)).toEqual([])
})

test('each id in a test or a comment is a requirement', () => {
  const unknown = files.flatMap(({ path, text }) => (
    idsIn(text).filter(id => !known.has(id)).map(id => `${path}: ${id}`)
  ))
  expect(unknown).toEqual([])
})

test('each requirement is named by a test', () => {
  const withoutComments = tests.map(({ text }) => text.replace(/^ *(?:\/\/|\/?\*).*$/gm, '')).join('\n')
  const laws = [...withoutComments.matchAll(/\blaw (\d)\b/gi)].map(([, number]) => `LAW-${number}`)
  const named = new Set([...idsIn(withoutComments), ...laws])
  expect([...known].filter(id => !named.has(id))).toEqual([])
})

test('S-20: each promise in SECURITY.md names the requirements that its tests prove', () => {
  const security = read('SECURITY.md')
  expect(idsIn(security).filter(id => !known.has(id))).toEqual([])
  const promises = (/^## What Keyturn promises$(.*?)^## /ms.exec(security)?.[1] ?? '').split(/^- /m).slice(1)
  expect(promises.length).toBeGreaterThan(0)
  expect(promises.filter(promise => idsIn(promise).length === 0)).toEqual([])
})

test('links to requirements lead to the requirement that they name', () => {
  for (const page of ['SECURITY.md', 'docs/requirements.md']) {
    const links = [...read(page).matchAll(/\[([A-Z]+-\d+)\]\((?:docs\/requirements\.md)?#([a-z0-9-]+)\)/g)]
    expect(links.length, page).toBeGreaterThan(0)
    for (const [link, id = '', anchor] of links) expect([known.has(id), anchor], link).toEqual([true, id.toLowerCase()])
  }
})
