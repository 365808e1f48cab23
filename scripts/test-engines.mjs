// npm run test:engines: installs, then hands over to the runs, which use the project's own Node.
import { runInForeground } from './foreground.mjs'
import { install } from './install.mjs'

install()
runInForeground('scripts/test-engines.ts', process.argv.slice(2))
