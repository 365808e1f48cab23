import { GeneralError, isSessionError } from '../base/errors.ts'
import type { AnySessionError } from '../base/errors.ts'
import { explainOldVersion } from '../base/supported-version.ts'

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
 * @throws GeneralError (`MISUSE`) that names the package to install or the client to pass, or if the version is too
 * old.
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
 * @throws GeneralError (`MISUSE`) if it is installed but cannot be loaded, or is too old: falling back to another
 * driver would hide that.
 */
export async function findDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name] | null> {
  try {
    return await importDriver(name)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND') return null
    throw cannotLoad(name, cause)
  }
}

/** @throws GeneralError (`MISUSE`) if the installed version is older than supported */
async function checkInstalled(name: keyof Drivers): Promise<void> {
  const peer = name === 'mysql2/promise' ? 'mysql2' : name
  const path = `${peer}/package.json`
  const reading = import(/* webpackIgnore: true */ /* @vite-ignore */ path, { with: { type: 'json' } })
  // A package may not export its manifest, and a bundle may have none beside it.
  const manifest: { default?: { version?: unknown } } | null = await reading.catch(() => null)
  const problem = explainOldVersion(peer, manifest?.default?.version)
  if (problem !== null) throw new GeneralError('MISUSE', problem, { reason: 'driver-missing' })
}

/**
 * Bundlers do not resolve this import, because the name is a parameter; webpack and Vite also need the comments. A
 * bundler that tried to resolve it would fail, or warn, in every application that uses another driver.
 */
async function importDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name]> {
  const driver: Drivers[Name] = await import(/* webpackIgnore: true */ /* @vite-ignore */ name)
  await checkInstalled(name)
  return driver
}

function cannotLoad(name: keyof Drivers, cause: unknown): AnySessionError {
  if (isSessionError(cause)) return cause
  const [install, client] = cures[name]
  return new GeneralError('MISUSE', `the driver for the URL of this store cannot be loaded: run "npm install `
    + `${install}". A bundle does not contain it: without node_modules, pass ${client} instead of the URL`, {
    cause, reason: 'driver-missing',
  })
}
