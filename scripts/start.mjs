// npm start: installs, builds, and runs the example application in the foreground.
import { spawnSync } from 'node:child_process'
import { runInForeground } from './foreground.mjs'
import { install, root, toolEnvironment } from './install.mjs'

install()
const build = spawnSync('rolldown', ['-c'], { cwd: root, env: toolEnvironment, encoding: 'utf8' })
if (build.status !== 0) {
  console.error(`${build.stdout}${build.stderr}\nkeyturn: the build failed`)
  process.exit(1)
}
runInForeground('examples/express/server.mjs', process.argv.slice(2))
