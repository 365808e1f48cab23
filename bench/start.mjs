// npm run bench: installs the compared libraries in this folder, builds the package, and measures.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fits, install, projectNode, root, toolEnvironment } from '../scripts/install.mjs'

const folder = join(root, 'bench')

install()
if (!isInstalled()) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder)
run('rolldown', ['-c'], root)
run(projectNode, [join(folder, 'main.ts'), ...process.argv.slice(2)], root)

function isInstalled() {
  const record = join(folder, 'node_modules', '.package-lock.json')
  return existsSync(record) && fits(readJson(join(folder, 'package-lock.json')), readJson(record))
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function run(command, parameters, cwd) {
  const { status } = spawnSync(command, parameters, { cwd, env: toolEnvironment, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
