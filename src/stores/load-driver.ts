import { GeneralError } from '../base/errors.ts'

/**
 * The drivers that open a store's URL, by the name of the import. All are optional peer dependencies of the package.
 */
interface Drivers {
  readonly pg: typeof import('pg')
  readonly 'mysql2/promise': typeof import('mysql2/promise')
  readonly ioredis: typeof import('ioredis')
  readonly redis: typeof import('redis')
}

/** The package to install, or the client to pass instead of a URL. */
const cures: Readonly<Record<keyof Drivers, readonly [install: string, client: string]>> = {
  pg: ['pg', 'a Pool of pg'],
  'mysql2/promise': ['mysql2', 'a Pool of mysql2/promise'],
  ioredis: ['ioredis', 'a client of ioredis or redis'],
  redis: ['ioredis', 'a client of ioredis or redis'],
}

/**
 * Loads a driver, when a URL first needs it.
 * @throws GeneralError (`MISUSE`) that names the package to install or the client to pass.
 */
export async function loadDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name]> {
  try {
    return await importDriver(name)
  } catch (cause) {
    throw cannotLoad(name, cause)
  }
}

/**
 * Loads a driver. Returns null if it is not installed.
 * @throws GeneralError (`MISUSE`) if it is installed but cannot be loaded: falling back to another driver would hide
 * that.
 */
export async function findDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name] | null> {
  try {
    return await importDriver(name)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND') return null
    throw cannotLoad(name, cause)
  }
}

/**
 * Bundlers do not resolve this import, because the name is a parameter; webpack and Vite also need the comments. A
 * bundler that tried to resolve it would fail, or warn, in every application that uses another driver.
 */
function importDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name]> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

function cannotLoad(name: keyof Drivers, cause: unknown): GeneralError {
  const [install, client] = cures[name]
  return new GeneralError('MISUSE', `the driver for the URL of this store cannot be loaded: run "npm install ${install}". `
    + `A bundle does not contain it: without node_modules, pass ${client} instead of the URL`, { cause })
}
