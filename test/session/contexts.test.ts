import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { observeContexts } from '../support/request-context.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function openFile(): ReturnType<typeof openSqliteStore> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-contexts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return openSqliteStore(join(folder, 'sessions.db'))
}

test.each([
  ['memory', createMemoryStore], ['sqlite', openFile],
])('L-31: with %s, what outlives the first requests runs outside of them, and does not keep them', async (_, open) => {
  const observed = await observeContexts(open(), collect)
  expect(observed).toMatchObject({ polls: [], wakes: [], logins: ['first login'], isCollected: true })
  expect(observed.pollCount).toBeGreaterThan(20)
})
