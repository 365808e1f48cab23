CREATE TABLE keyturn_session (
  format INTEGER NOT NULL,
  handle TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  authenticated_at INTEGER NOT NULL,
  refresh_hash TEXT NOT NULL,
  anchor_hash TEXT NOT NULL,
  refresh_key_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  branch INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL,
  served_at INTEGER NOT NULL,
  idle_timeout INTEGER NOT NULL,
  absolute_expiry INTEGER,
  expires_at INTEGER NOT NULL,
  access_token_lifetime INTEGER NOT NULL,
  reuse_interval INTEGER NOT NULL,
  persistent INTEGER NOT NULL,
  jwt_payload TEXT NOT NULL,
  payload_version INTEGER NOT NULL,
  session_info TEXT NOT NULL,
  info_version INTEGER NOT NULL,
  ip TEXT,
  user_agent TEXT,
  sweep_at INTEGER NOT NULL
) STRICT;
CREATE INDEX keyturn_session_by_user ON keyturn_session (user_id, created_at, handle);
CREATE INDEX keyturn_session_by_sweep ON keyturn_session (sweep_at);
CREATE INDEX keyturn_session_by_creation ON keyturn_session (created_at, handle);
CREATE TABLE keyturn_change (
  seq INTEGER PRIMARY KEY NOT NULL,
  entry TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
  kind TEXT NOT NULL,
  handles TEXT NOT NULL,
  version INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE INDEX keyturn_change_by_until ON keyturn_change (until);
CREATE TABLE keyturn_key (
  kid TEXT PRIMARY KEY NOT NULL,
  purpose TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  material TEXT NOT NULL
) STRICT;
CREATE TABLE keyturn_not_before (
  name TEXT PRIMARY KEY NOT NULL,
  time INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE INDEX keyturn_not_before_by_until ON keyturn_not_before (until);
CREATE TABLE keyturn_event (
  id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  user_id TEXT,
  handle TEXT,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX keyturn_event_by_kind ON keyturn_event (kind, occurred_at, id);
CREATE INDEX keyturn_event_by_user ON keyturn_event (user_id, kind, occurred_at, id);
CREATE INDEX keyturn_event_by_handle ON keyturn_event (handle, kind, occurred_at, id);
CREATE INDEX keyturn_event_by_until ON keyturn_event (until);
CREATE TABLE keyturn_turn (
  task TEXT PRIMARY KEY NOT NULL,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE TABLE keyturn_import_claim (
  handle TEXT PRIMARY KEY NOT NULL,
  source TEXT NOT NULL,
  kid TEXT NOT NULL,
  proof TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  admitted_at INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE INDEX keyturn_import_claim_by_until ON keyturn_import_claim (until);
CREATE TABLE IF NOT EXISTS keyturn_meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
INSERT OR REPLACE INTO keyturn_meta VALUES ('schema', '1');
