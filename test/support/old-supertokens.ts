import { createCipheriv, createHash, pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto'

/** The text of the row `refresh_token_key`, as a core writes it. */
export function createRefreshTokenKey(): string {
  return `1000:${randomBytes(64).toString('hex')}:${randomBytes(64).toString('hex')}`
}

/** SHA-256 of a text, in lower-case hex. */
export function h(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What a refresh token of a core contains. */
export interface OldRefreshToken {
  readonly sessionHandle: string
  readonly userId: string
  readonly parentRefreshTokenHash1?: string
  readonly antiCsrfToken?: string
  readonly tenantId?: string
}

/**
 * Makes a refresh token as SuperTokens cores 9 to 12 do (`session/refreshToken/RefreshToken.java`, `utils/Utils.java`):
 * AES-256-GCM with a key that is derived from the key in the database with the IV as the salt.
 */
export function createOldRefreshToken(key: string, content: OldRefreshToken): string {
  const nonce = h(randomUUID())
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(key, iv, 100, 32, 'sha512'), iv)
  const text = Buffer.concat([cipher.update(JSON.stringify({ ...content, nonce })), cipher.final(),
    cipher.getAuthTag()])
  return `${Buffer.concat([iv, text]).toString('base64')}.${nonce}.V2`
}

/** The tables of a core that the importer reads, for PostgreSQL and MySQL; of version 12.1 with `isNew`. */
export function oldTables(prefix: string, isNew: boolean): readonly string[] {
  return [
    `CREATE TABLE ${prefix}session_info (
      app_id VARCHAR(64) NOT NULL DEFAULT 'public', tenant_id VARCHAR(64) NOT NULL DEFAULT 'public',
      session_handle VARCHAR(255) NOT NULL, user_id VARCHAR(128) NOT NULL, refresh_token_hash_2 VARCHAR(128) NOT NULL,
      session_data TEXT, expires_at BIGINT NOT NULL, created_at_time BIGINT NOT NULL, jwt_user_payload TEXT,
      use_static_key BOOLEAN NOT NULL,
      ${isNew ? 'prev_refresh_token_hash_2 VARCHAR(128), refresh_token_rotated_at BIGINT,' : ''}
      PRIMARY KEY (app_id, tenant_id, session_handle))`,
    `CREATE TABLE ${prefix}key_value (
      app_id VARCHAR(64) NOT NULL, tenant_id VARCHAR(64) NOT NULL, name VARCHAR(128) NOT NULL, value TEXT,
      created_at_time BIGINT, PRIMARY KEY (app_id, tenant_id, name))`,
    `CREATE TABLE ${prefix}userid_mapping (
      app_id VARCHAR(64) NOT NULL, supertokens_user_id CHAR(36) NOT NULL, external_user_id VARCHAR(128) NOT NULL,
      PRIMARY KEY (app_id, supertokens_user_id, external_user_id))`,
    `CREATE TABLE ${prefix}app_id_to_user_id (
      app_id VARCHAR(64) NOT NULL, user_id CHAR(36) NOT NULL, recipe_id VARCHAR(128) NOT NULL,
      primary_or_recipe_user_id CHAR(36) NOT NULL, PRIMARY KEY (app_id, user_id))`,
  ]
}
