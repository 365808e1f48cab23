import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'

const program = join(import.meta.dirname, '../support/ending-child.ts')

const kinds: readonly (readonly [kind: string, place: string | null])[] = [
  ['memory', ''], ['sqlite', 'sessions.db'], ['postgres', inject('postgresUrl')], ['postgres', inject('pgbouncerUrl')],
  ['mysql', inject('mariadbUrl')], ['mysql', inject('mysqlUrl')], ['ioredis', inject('redisUrl')],
  ['redis', inject('redisUrl')],
]

describe.each(kinds)('%s', (kind, place) => {
  test.skipIf(place === null).for(['unclosed', 'closed'])(
    'L-33: a process whose sessions are %s ends when it has nothing left to do',
    ending => {
      const cwd = mkdtempSync(join(tmpdir(), 'keyturn-ending-'))
      onTestFinished(() => rmSync(cwd, { recursive: true }))
      const flags = ['--conditions=keyturn-source', '--disable-warning=ExperimentalWarning']
      // The limit is that of the test: a process that something keeps alive would never end.
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        [...flags, program, kind, place ?? '', ending],
        { cwd, encoding: 'utf8', timeout: 60_000 },
      )
      expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: 'alice\n', stderr: '' })
    },
  )
})
