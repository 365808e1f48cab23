// npm test: installs, then hands over to the steps, which run on the project's own Node.
import { runInForeground } from './foreground.mjs'
import { install } from './install.mjs'

install()
runInForeground('scripts/test-steps.ts', process.argv.slice(2))
