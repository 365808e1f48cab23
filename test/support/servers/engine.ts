import { chosenSoftware, programsOf, type SoftwareName } from './programs.ts'

/** The servers that the tests start, by the software of the ordinary run. */
export type ServerName = 'postgres' | 'pgbouncer' | 'mariadb' | 'mysql' | 'redis' | 'valkey'

/** What may take the place of each server: `npm run test:engines` runs its tests on all of them. */
const replacements: Readonly<Record<ServerName, readonly SoftwareName[]>> = {
  postgres: ['postgres', 'postgres-sid', 'postgres-npm'],
  pgbouncer: ['pgbouncer', 'pgbouncer-sid'],
  mariadb: ['mariadb', 'mariadb-sid'],
  mysql: ['mysql', 'mysql-8.0.15'],
  redis: ['redis', 'redis-6.2', 'redis-sid', 'redict', 'valkey'],
  valkey: ['valkey'],
}

/** Whether the tests of this run use the server: if `TEST_ENGINE` names an engine, only its tests run. */
export function isStarted(server: ServerName): boolean {
  return chosenSoftware.length === 0 || chosenFor(server) !== null
}

/** The software to start as `server`. */
export function softwareFor(server: ServerName): SoftwareName {
  return chosenFor(server) ?? server
}

/** The program to start as `server`. */
export function serverProgram(server: ServerName): string {
  return programsOf(softwareFor(server))[0] ?? server
}

function chosenFor(server: ServerName): SoftwareName | null {
  return chosenSoftware.find((name) => replacements[server].includes(name)) ?? null
}
