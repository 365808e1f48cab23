import { TestPackages } from '../install-packages.ts'

const packages = new TestPackages('runtimes')

/** The runtimes, and a test runner of others: in packages of their own. */
export type RuntimeName = 'node' | 'bun' | 'deno' | 'workerd' | 'jest'

/** The compilers of older projects. */
export type OlderTypeScript = '5.4' | '5.9' | '6.0'

/** One of these programs, or null if it could not be installed, which is an error if `CI=true`. */
export function runtimeProgram(name: RuntimeName): string | null {
  return packages.find(name, `.bin/${name}`)
}

/** The compiler of this version as a program for Node, or null as {@link runtimeProgram} does. */
export function olderCompiler(version: OlderTypeScript): string | null {
  return packages.find(`TypeScript ${version}`, `typescript-${version}/bin/tsc`)
}

/** Installs the runtimes of test/runtimes/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  packages.install('Node 22, Bun, Deno, workerd, Jest, old TypeScript')
}
