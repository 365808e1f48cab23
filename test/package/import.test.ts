import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../support/package/pack.ts'

// Which modules importing the package loads, and which are loaded later: docs/decisions/0011-bundled.md.

const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')

/** Runs a program with the package and returns its output. The program can ask which modules of Node are loaded. */
function runCounted(code: string): unknown {
  const counting = "const has = name => process.moduleLoadList.includes(`NativeModule ${name}`)\n"
  const { succeeded, output } = run(node24, ['--input-type=module', '--eval', counting + code])
  expect(succeeded, output).toBe(true)
  return JSON.parse(output)
}

test('importing the core and setting up an application load neither cryptography nor a store', () => {
  expect(runCounted(`
    const { createSessions } = await import('keyturn')
    const { webSessions } = await import('keyturn/frameworks/web')
    const sessions = webSessions(createSessions({ origin: 'http://localhost' }))
    const before = [has('crypto'), has('internal/crypto/cipher'), has('sqlite')]
    process.chdir((await import('node:fs')).mkdtempSync('once-'))
    await sessions.getJwks()
    console.log(JSON.stringify({ before, after: [has('crypto'), has('internal/crypto/cipher'), has('sqlite')] }))
  `)).toEqual({ before: [false, false, false], after: [true, true, true] })
})
