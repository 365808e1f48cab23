import { TestPackages } from './install-packages.ts'

const packages = new TestPackages('orms', ['--ignore-scripts'])

/** The folder `node_modules` of the ORMs, or null if they could not be installed, which is an error if `CI=true`. */
export function ormModules(): string | null {
  return packages.find('the ORMs', '.')
}

/** Installs the packages of test/orms/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  packages.install('Drizzle, Kysely, Knex, Prisma and TypeORM')
}
