// npm run docs, npm run docs:dev: installs what builds the site, and hands over to site/build.ts.
import { runInForeground } from './foreground.mjs'
import { install } from './install.mjs'
import { installSite } from './install-site.mjs'

install()
if (installSite()) runInForeground('site/build.ts', process.argv.slice(2))
else process.exit(1)
