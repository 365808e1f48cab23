import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestPackages } from './install-packages.ts'

/** A sample of docs/client.md. */
export interface Sample {
  /** Its file name, which its first line may state. */
  readonly file: string
  readonly code: string
}

/** The samples of docs/client.md, in order. */
export function clientSamples(): readonly Sample[] {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/client.md'), 'utf8')
  return [...guide.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, extension = '', code = ''], number) => {
    const [, stated = `sample-${number + 1}.${extension}`] = /^\/\/ ([\w/+-]+\.tsx?)\b/.exec(code) ?? []
    return { file: stated, code }
  })
}

const packages = new TestPackages('client/routers', ['--ignore-scripts', '--legacy-peer-deps'])

/** The routers whose guards the guide shows, in the folder `client/routers` of the tests. */
export const routers = ['react-router', 'vue-router', '@sveltejs/kit'] as const

/** Installs the routers, unless they are installed. */
export function installRouters(): void {
  packages.install(routers.join(', '))
}

/** The folder of a router; null if it could not be installed. */
export function findRouter(name: typeof routers[number]): string | null {
  return packages.find(name, name)
}
