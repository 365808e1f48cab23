import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { TestPackages } from './install-packages.ts'

// No package needs its install scripts here; the peers that some ask for (Next.js, React) are not used.
const packages = new TestPackages('old-systems', ['--ignore-scripts', '--legacy-peer-deps'])
const what = 'the session systems of test/old-systems'

/** Whether they are installed. Without them, their tests skip themselves, and fail if `CI=true`. */
export function hasOldSystems(): boolean {
  return packages.find(what, 'express-session') !== null
}

/** Loads a CommonJS package of test/old-systems. The caller states what it uses of it. */
export function requireOld<Module>(path: string): Module {
  const found: Module = packageLoader()(path)
  return found
}

/** Loads an ES module of test/old-systems. */
export async function importOld<Module>(path: string): Promise<Module> {
  const found: Module = await import(pathToFileURL(packageLoader().resolve(path)).href)
  return found
}

/** Loads a file of an ES module, whose package may hide it, or may have no entry for `require`. */
export async function importOldFile<Module>(path: string): Promise<Module> {
  const found: Module = await import(pathToFileURL(oldFile(path)).href)
  return found
}

/** Installs the packages of test/old-systems/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  packages.install('session systems whose sessions are imported')
}

/** The path of a file of a package. */
export function oldFile(path: string): string {
  const found = packages.find(what, path)
  if (found === null) throw new Error(`${what} are not installed`)
  return found
}

/** Resolves names as a module beside the packages would. */
function packageLoader(): NodeJS.Require {
  return createRequire(oldFile('express-session/package.json'))
}
