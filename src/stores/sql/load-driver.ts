import { GeneralError } from '../../base/errors.ts'

/**
 * Loads a database driver when it is first needed: drivers are optional peers of the package.
 * @throws GeneralError (`MISUSE`) that names the package to install.
 */
export async function loadDriver<Driver>(name: string, load: () => Promise<Driver>): Promise<Driver> {
  try {
    return await load()
  } catch (cause) {
    throw new GeneralError('MISUSE', `this store needs the package ${name}: npm install ${name}`, { cause })
  }
}
