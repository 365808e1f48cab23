import { nearestName } from '../base/nearest-name.ts'

/** The environment variables of a process. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

const PREFIX = 'KEYTURN_'
const SERVICE_HOST = '_SERVICE_HOST'

/**
 * The environment variables that are meant for Keyturn. If a Kubernetes Service is called `keyturn` or `keyturn-...`,
 * Kubernetes sets others with the same prefix, which are left out: the Service's address, as `KEYTURN_SERVICE_HOST`,
 * `KEYTURN_PORT=tcp://...` and `KEYTURN_PORT_3567_TCP_ADDR`.
 */
export function ownVariables(environment: EnvironmentVariables): EnvironmentVariables {
  const given = Object.entries(environment).filter(([name]) => name.startsWith(PREFIX))
  const services = given.flatMap(([name]) => name.endsWith(SERVICE_HOST) ? [name.slice(0, -SERVICE_HOST.length)] : [])
  const isLink = (name: string, value = ''): boolean => services.some(service => (
    name.startsWith(`${service}_SERVICE_`) || name.startsWith(`${service}_PORT_`)
      || (name === `${service}_PORT` && value.includes('://'))
  ))
  return Object.fromEntries(given.filter(([name, value]) => !isLink(name, value)))
}

/** One message for each variable that does not exist: with a misspelt `KEYTURN_SECRET`, keys would not be encrypted. */
export function unknownVariables(own: EnvironmentVariables, known: readonly string[]): readonly string[] {
  const short = known.map(name => name.slice(PREFIX.length))
  return Object.keys(own).filter(name => !known.includes(name)).map(name => {
    const nearest = nearestName(name.slice(PREFIX.length), short)
    const hint = nearest === null ? '' : `; did you mean ${PREFIX}${nearest}?`
    return `there is no variable ${JSON.stringify(name.slice(0, 60))}${hint}`
  })
}
