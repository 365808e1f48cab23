import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const script = join(import.meta.dirname, '../../support/sqlite-child.ts')

/** What the process with limited space reports. */
interface Report {
  /** The errors of an insert, a rotation and a removal. */
  readonly refused: readonly string[]
  readonly sessions: number
  /** How many acknowledged sessions were missing: with the disk full, with free space again, after a new start. */
  readonly lost: readonly number[]
  readonly removed: number
}

/** Runs a task in a shell that first limits the space in a separate folder: `$1`. */
function runBounded(wrapper: readonly string[], bound: string, task: string): Report {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-full-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [program, ...args] = [...wrapper, 'sh', '-c', `${bound} && exec "$2" "$3" "$4" "$5" "$6"`, 'sh', folder,
    process.execPath, '--conditions=keyturn-source', script, task, join(folder, 'sessions.db')]
  const options = { encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } } as const
  const { stdout, stderr, status } = spawnSync(program, args, options)
  expect([status, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

/** How this user can mount a file system for one process; null if that is not possible. */
function findMounter(): readonly string[] | null {
  const ways = [['unshare', '-Urm'], ['unshare', '-m']]
  const found = ways.find(([program = '', ...args]) =>
    spawnSync(program, [...args, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0)
  if (found === undefined && process.env['CI'] === 'true') throw new Error('no file system can be mounted')
  return found ?? null
}

const mounter = findMounter()

test.skipIf(mounter === null)('REV-11: a full disk throws an error that says so; nothing acknowledged is lost', () => {
  const { refused, sessions, lost, removed } =
    runBounded(mounter ?? [], 'mount -t tmpfs -o size=4m tmpfs "$1"', 'fill disk')
  for (const message of refused) {
    expect(message)
      .toBe('STORE_UNAVAILABLE: the call to the SQLite database failed: the disk is full, nothing was written')
  }
  expect(sessions).toBeGreaterThan(20)
  expect(lost).toEqual([0, 0, 0])
  expect(removed).toBeGreaterThan(0)
})

const isLinux = process.platform === 'linux'

test.skipIf(!isLinux)('REV-11: a file that may not grow throws STORE_UNAVAILABLE; nothing acknowledged is lost', () => {
  const { refused, sessions, lost, removed } = runBounded([], 'ulimit -S -f 2000', 'fill quota')
  for (const message of refused) expect(message).toBe('STORE_UNAVAILABLE: the call to the SQLite database failed')
  expect(sessions).toBeGreaterThan(20)
  expect(lost).toEqual([0, 0, 0])
  expect(removed).toBeGreaterThan(0)
})
