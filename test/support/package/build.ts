import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** Bundles the package into `dist`, for the examples, unless `dist` is newer than the sources. For `globalSetup`. */
export default function build(): void {
  const sources = ['src', 'console'].flatMap(folder => (
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
  ))
  const newest = Math.max(...[...sources, 'package.json', 'rolldown.config.ts'].map(writtenAt))
  if (newest < writtenAt('dist/index.js')) return
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the package cannot be built:\n${stdout}${stderr}`)
}

function writtenAt(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
