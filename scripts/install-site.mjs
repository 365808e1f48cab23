import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fits, root } from './install.mjs'

const site = join(root, 'site')

/**
 * Installs the packages that build the site in its folder, unless they are installed. They are not among those of the
 * repository: TypeDoc needs TypeScript 6 and VitePress needs Vite 5.
 *
 * @returns {boolean} whether they are installed
 */
export function installSite() {
  const record = join(site, 'node_modules/.package-lock.json')
  const read = path => JSON.parse(readFileSync(path, 'utf8'))
  if (existsSync(record) && fits(read(join(site, 'package-lock.json')), read(record))) return true
  console.log('keyturn: installing what builds the site (npm ci in site) ...')
  const flags = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  return spawnSync('npm', flags, { cwd: site, stdio: 'inherit' }).status === 0
}
