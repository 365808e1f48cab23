const texts: ReadonlySet<string> = new Set([
  'handle', 'user_id', 'tenant_id', 'refresh_hash', 'anchor_hash', 'refresh_key_id', 'jwt_payload', 'session_info', 'ip',
  'user_agent',
])

/** The type of a parameter for this column of sessions. Numbers of every size are assigned from `bigint`. */
export function columnType(column: string): 'text' | 'bigint' {
  return texts.has(column) ? 'text' : 'bigint'
}
