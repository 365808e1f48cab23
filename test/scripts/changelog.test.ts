import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
const [unreleased, ...releases] = [...changelog.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading)

test('the changelog begins with what is not released, then has versions with dates, the newest first', () => {
  expect(unreleased).toBe('Unreleased')
  expect(releases.filter(heading => !/^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/.test(heading))).toEqual([])
  const dates = releases.map(heading => heading.slice(-10))
  expect(dates).toEqual(dates.toSorted().reverse())
})

test('the changelog sorts changes by the kinds of Keep a Changelog', () => {
  const kinds = [...changelog.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind)
  const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']
  expect(kinds.filter(kind => !known.includes(kind ?? ''))).toEqual([])
})

test('the newest release is the version of the package', () => {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [newest] = releases
  if (newest !== undefined) expect(newest.startsWith(`${version} - `), newest).toBe(true)
})
