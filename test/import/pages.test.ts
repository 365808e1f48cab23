// What the pages about the move from each system must say.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const docs = join(import.meta.dirname, '../../docs')
const read = (page: string): string => readFileSync(join(docs, page), 'utf8')
const systems = readdirSync(join(docs, 'import'))

test('there are six systems', () => {
  expect(systems).toHaveLength(6)
})

test.each(systems)('docs/import/%s says how to plan, try, switch, roll back and end', page => {
  const text = read(`import/${page}`)
  expect(text.match(/(?<=^- \*\*)[A-Z][a-z ]+(?=\.\*\*)/gm)).toEqual(['Plan', 'Trial', 'Switch', 'Roll back', 'End'])
  // The trial is one with some users.
  expect(/^- \*\*Trial\.\*\*.*?(?=^- \*\*)/ms.exec(text)?.[0]).toContain('`select`')
})

test.each(systems)('docs/migrate/%s links to its import, and the chapter to both', page => {
  expect(read(`migrate/${page}`)).toContain(`(../import/${page})`)
  expect(read('migrate/README.md')).toContain(`(../import/${page})`)
  expect(read(`import/${page}`)).toContain(`(../migrate/${page})`)
  expect(read('import.md')).toContain(`(import/${page})`)
})
