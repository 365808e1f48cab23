import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = join(import.meta.dirname, '../support/zone-child.ts')
const run = promisify(execFile)

test.each(['zone.js', 'zone.js/node'])('S-16: with %s loaded, every asynchronous check is awaited', async zone => {
  // It is resolved from the working directory, and loaded before the script.
  const { stdout } = await run(process.execPath, ['--conditions=keyturn-source', '--import', zone, script], {
    cwd: import.meta.dirname,
  })
  expect(JSON.parse(stdout)).toEqual({
    isReplaced: true,
    requests: {
      login: 200, me: 200, seenBefore: 200, rightToken: 200, wrongToken: 401, noToken: 401,
      refreshWithWrongToken: 401, refresh: 200, failures: [],
    },
    strict: { live: 200, revoked: 401 },
    verifier: { kinds: ['active', 'needs-refresh'] },
    stored: 'ada',
  })
})
