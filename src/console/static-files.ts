import type { StreamedResponse } from '../transport/exchange.ts'
import { reply, answerText } from './responses.ts'

/** The types of the files that the build of the console makes. All are texts. */
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
}

/** The name of a file of the build has a digest of its content, so it never changes. */
const FOREVER = 'public, max-age=31536000, immutable'

const missing = answerText(503, 'The pages of the console are not built. In a checkout of Keyturn, run: npm run build. '
  + 'In an application that is bundled, keep the package keyturn out of the bundle, so that its folder dist/console '
  + 'stays beside it.')
const notFound = answerText(404, 'The console has no such page.')

/** Serves the pages of the console: `index.html`, and the files in `assets`. */
export function createStaticFiles(
  readPackageFile: (path: string) => Promise<string | null>,
): (path: string) => Promise<StreamedResponse> {
  return async path => {
    if (path === '/' || path === '/index.html') {
      const page = await readPackageFile('dist/console/index.html')
      return page === null ? missing : reply(200, types['html'] ?? '', page)
    }
    const [, name, extension = ''] = /^\/assets\/([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.([a-z]+))$/.exec(path) ?? []
    const type = types[extension]
    if (name === undefined || type === undefined) return notFound
    const text = await readPackageFile(`dist/console/assets/${name}`)
    return text === null ? notFound : reply(200, type, text, [], FOREVER)
  }
}
