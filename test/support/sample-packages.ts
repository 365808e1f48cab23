import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TestPackages } from './install-packages.ts'

const packages = new TestPackages('docs', ['--ignore-scripts', '--legacy-peer-deps'])

/** Installs what the samples of README and docs import besides the project's own packages, unless it is installed. */
export function installSamplePackages(): void {
  packages.install('what the samples of the documentation import')
}

/** The folder `node_modules` with these packages; null if they could not be installed. */
export function samplePackages(): string | null {
  const found = packages.find('what the samples import', 'next/package.json')
  return found === null ? null : join(found, '../..')
}

/** Makes the packages those of an application. */
export function linkSamplePackages(folder: string): void {
  const found = samplePackages()
  const link = join(folder, 'node_modules')
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true, recursive: true })
  if (found !== null) symlinkSync(found, link)
}
