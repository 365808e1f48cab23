import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../test/server')

/** A test of the server. */
export interface TestPlace {
  readonly file: string
  /** The titles of the groups that it is in, and its own. */
  readonly fullTitle: string
}

/** The tests of the server by title. A title that occurs more than once names no test. */
export function readTitles(): ReadonlyMap<string, TestPlace> {
  const files = readdirSync(folder).filter(name => name.endsWith('.test.ts')).toSorted()
  const found = files.flatMap(file => (
    titlesIn(readFileSync(join(folder, file), 'utf8'))
      .map(([title, fullTitle]): [string, TestPlace] => [title, { file, fullTitle }])
  ))
  const repeated = new Set(found.map(([title]) => title).filter((title, index, all) => all.indexOf(title) !== index))
  return new Map(found.filter(([title]) => !repeated.has(title)))
}

/**
 * The titles of `test('title', ...)` and `test.each(...)('title', ...)`, each with those of its groups before it.
 * Skipped tests do not count.
 */
export function titlesIn(source: string): [title: string, fullTitle: string][] {
  const titles = /^( *)(describe|test|\]\))(?:\.(each|skipIf)\(.*\))?\(\s*'((?:[^'\\\n]|\\.)+)',/gm
  let groups: { readonly depth: number; readonly title: string }[] = []
  const found: [title: string, fullTitle: string][] = []
  for (const [, { length: depth } = '', kind, , text = ''] of source.matchAll(titles)) {
    const title = text.replaceAll('\\\'', '\'')
    groups = groups.filter(group => group.depth < depth)
    if (kind === 'describe') groups.push({ depth, title })
    else found.push([title, [...groups.map(group => group.title), title].join(' › ')])
  }
  return found
}
