import { Pool } from 'pg'
import {
  checkImport, connectPgSimpleSessions, fromAuthJsDatabase, fromBetterAuth, fromDjango, fromExpressSession, fromSuperTokens,
  importSessions,
} from '../../dist/import/index.js'
import type { SessionImporter } from '../../dist/import/index.js'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'

// How long `keyturn import --check` takes for 100,000 sessions of each system, on PostgreSQL.

const SESSIONS = 100_000
const BOUND_SECONDS = 60
const secret = 'the secret of the old application'

interface System {
  readonly name: string
  /** Creates the tables with that many sessions, one of twenty of which has expired. */
  readonly fill: string
  importer(pool: Pool): SessionImporter
}

const numbers = `generate_series(1, ${SESSIONS}) AS number`
const milliseconds = `(extract(epoch FROM now()) * 1000)::bigint`
const later = `CASE WHEN number % 20 = 0 THEN now() - interval '1 day' ELSE now() + interval '1 day' END`

const systems: readonly System[] = [
  {
    name: 'SuperTokens',
    fill: `
      CREATE TABLE session_info (
        app_id varchar(64), tenant_id varchar(64), session_handle varchar(255), user_id varchar(128), refresh_token_hash_2 varchar(128),
        session_data text, expires_at bigint, created_at_time bigint, jwt_user_payload text, use_static_key boolean,
        PRIMARY KEY (app_id, tenant_id, session_handle));
      CREATE TABLE userid_mapping (app_id varchar(64), supertokens_user_id char(36), external_user_id varchar(128));
      CREATE INDEX ON userid_mapping (app_id, external_user_id);
      CREATE INDEX ON userid_mapping (app_id, supertokens_user_id);
      CREATE TABLE app_id_to_user_id (app_id varchar(64), user_id char(36), recipe_id varchar(128), primary_or_recipe_user_id char(36),
        PRIMARY KEY (app_id, user_id));
      INSERT INTO app_id_to_user_id SELECT 'public', lpad(number::text, 36, '0'), 'emailpassword', lpad(number::text, 36, '0') FROM ${numbers};
      INSERT INTO session_info SELECT 'public', 'public', md5(number::text), lpad(number::text, 36, '0'), md5(number::text), '{"cart":[]}',
        ${milliseconds} + CASE WHEN number % 20 = 0 THEN -1 ELSE 86400000 END, ${milliseconds}, '{"role":"user"}', false FROM ${numbers}`,
    importer: pool => fromSuperTokens({ database: pool }),
  },
  {
    name: 'express-session (connect-pg-simple)',
    fill: `
      CREATE TABLE session (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL);
      INSERT INTO session SELECT md5(number::text), json_build_object(
        'cookie', json_build_object('originalMaxAge', 86400000), 'passport', json_build_object('user', number)), ${later} FROM ${numbers}`,
    importer: pool => fromExpressSession({ secret, sessions: connectPgSimpleSessions(pool) }),
  },
  {
    name: 'Better Auth',
    fill: `
      CREATE TABLE "user" (id text PRIMARY KEY, name text, email text);
      CREATE TABLE session_of_better_auth (id text PRIMARY KEY, token text UNIQUE, "userId" text, "expiresAt" timestamptz, "createdAt" timestamptz);
      INSERT INTO "user" SELECT number::text, 'A name', 'a@example.com' FROM ${numbers};
      INSERT INTO session_of_better_auth SELECT md5(number::text), md5('t' || number), number::text, ${later}, now() FROM ${numbers}`,
    importer: pool => fromBetterAuth({ secret, database: pool, tables: { session: 'session_of_better_auth' } }),
  },
  {
    name: 'Auth.js, in a database',
    fill: `
      CREATE TABLE users (id integer PRIMARY KEY, name text);
      CREATE TABLE sessions (id integer, "userId" integer, expires timestamptz, "sessionToken" varchar(255) PRIMARY KEY);
      INSERT INTO users SELECT number, 'A name' FROM ${numbers};
      INSERT INTO sessions SELECT number, number, ${later}, md5(number::text) FROM ${numbers}`,
    importer: pool => fromAuthJsDatabase({ database: pool }),
  },
  {
    name: 'Django',
    fill: `
      CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128), is_active boolean);
      CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz);
      INSERT INTO auth_user SELECT number, 'pbkdf2_sha256$1$salt$hash', true FROM ${numbers};
      INSERT INTO django_session SELECT md5(number::text), 'e30:1abcde:' || md5(number::text), ${later} FROM ${numbers}`,
    importer: pool => fromDjango({ secretKey: secret, database: pool }),
  },
]

/** Measures the check for each system. */
export async function measureImportCheck(): Promise<void> {
  const server = await startPostgres()
  const pool = new Pool({ connectionString: server.url })
  const rows: { readonly name: string; readonly read: number; readonly seconds: number }[] = []
  try {
    for (const { name, fill, importer } of systems) {
      await pool.query(fill)
      await pool.query('ANALYZE')
      const setup = importSessions({ importers: [importer(pool)], until: new Date(Date.now() + 86_400_000) })
      const startedAt = performance.now()
      const { read } = await checkImport(setup)
      rows.push({ name, read, seconds: (performance.now() - startedAt) / 1000 })
    }
  } finally {
    await pool.end()
    await server.remove()
  }
  writeReport('import-check', { machine: machine(), sessions: SESSIONS, boundSeconds: BOUND_SECONDS, rows }, [
    '# How long a check of an import takes',
    '',
    `\`keyturn import --check\` reads every session of the old system, its user, and what would be written. With ${SESSIONS.toLocaleString('en')}`,
    `sessions on PostgreSQL, on the same machine; at most ${BOUND_SECONDS} seconds were aimed at.`,
    '',
    '| system | sessions | seconds | sessions per second |',
    '|---|---|---|---|',
    ...rows.map(({ name, read, seconds }) => (
      `| ${name} | ${read.toLocaleString('en')} | ${seconds.toFixed(1)} | ${Math.round(read / seconds).toLocaleString('en')} |`
    )),
    '',
    machine(),
  ])
}
