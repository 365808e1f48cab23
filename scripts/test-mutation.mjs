// npm run test:mutation: installs, then hands over to the run, which uses the project's own Node.
import { runInForeground } from './foreground.mjs'
import { install } from './install.mjs'

install()
runInForeground('scripts/test-mutation.ts', process.argv.slice(2))
