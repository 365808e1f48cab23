import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile, compilers } from '../support/package/compile.ts'
import { consumer, specifiers } from '../support/package/pack.ts'

const kinds = [
  ['at the edge, by a bundler', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'], types: [] }],
  ['on Node', { module: 'nodenext', lib: ['es2023'], types: ['node'] }],
] as const

describe.for(compilers)('TypeScript %s', ([, found]) => {
  const compiler = found ?? ''

  test.skipIf(found === null).each(kinds)('checks all that a neutral application reaches, %s', (_kind, options) => {
    copyFileSync(join(import.meta.dirname, 'consumer/neutral.ts'), join(consumer, 'neutral.ts'))
    expect(compile(compiler, ['neutral.ts'], { ...options, skipLibCheck: false })).toBe('')
  })

  test.skipIf(found === null)('finds the types of every export', () => {
    const names = specifiers().filter(specifier => !specifier.endsWith('.json'))
    const uses = names.map((name, index) => (
      `import * as entry${index} from '${name}'\nexport const use${index}: object = entry${index}`
    ))
    writeFileSync(join(consumer, 'every.ts'), `${uses.join('\n')}\n`)
    const options = { module: 'nodenext', lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'], skipLibCheck: true }
    expect(compile(compiler, ['every.ts'], options)).toBe('')
  })

  test.skipIf(found === null)('finds them from CommonJS', () => {
    const code = "import { createSessions } from 'keyturn'\nexport const create: Function = createSessions\n"
    writeFileSync(join(consumer, 'required.cts'), code)
    const options = { module: 'nodenext', lib: ['es2023', 'dom'], types: ['node'], skipLibCheck: true }
    expect(compile(compiler, ['required.cts'], options)).toBe('')
  })
})
