// npm run docs builds the site into site/dist; npm run docs:dev serves it and follows changes. Both need the packages
// of this folder, which scripts/docs.mjs installs.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, createServer } from 'vitepress'
import { downloads, pagesFolder } from './links.ts'

const site = import.meta.dirname

/** TypeDoc runs apart, so that its memory is free again before the pages are built. */
function writeReference(): boolean {
  const { status } = spawnSync(process.execPath, [join(site, 'api.ts')], { cwd: site, stdio: 'inherit' })
  return status === 0
}

function copyDownloads(): void {
  for (const path of downloads) {
    const target = join(site, 'public', path)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(pagesFolder, path), target)
  }
}

const isComplete = writeReference()
copyDownloads()
if (process.argv[2] === 'dev') {
  const server = await createServer(site)
  await server.listen()
  server.printUrls()
} else {
  await build(site)
  if (!isComplete) process.exit(1)
}
