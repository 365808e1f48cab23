// npm start: installs, builds, and runs the example application in the foreground.
import { spawnSync } from 'node:child_process'
import { runInForeground } from './foreground.mjs'
import { install, root, toolEnvironment } from './install.mjs'

install()
const build = spawnSync('rolldown', ['-c'], { cwd: root, env: toolEnvironment, stdio: 'inherit' })
if (build.status !== 0) {
  console.error('keyturn: the build failed')
  process.exit(1)
}
runInForeground('examples/express/server.mjs', process.argv.slice(2))
