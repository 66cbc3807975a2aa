-- CreateTable
CREATE TABLE "feed_counter" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "n" BIGINT NOT NULL DEFAULT 0,
    "epoch" UUID NOT NULL DEFAULT gen_random_uuid(),
    "expired_rev" BIGINT NOT NULL DEFAULT 0,
    "touches" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "feed_counter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "config_changes" (
    "rev" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "config_id" UUID NOT NULL,
    "user_id" UUID,
    "enabled_before" BOOLEAN,
    "enabled_after" BOOLEAN,
    "changed_columns" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "config" JSONB,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "config_changes_pkey" PRIMARY KEY ("rev")
);

-- CreateIndex
CREATE INDEX "config_changes_occurred_at_idx" ON "config_changes"("occurred_at");

-- Below: what schema.prisma cannot say.

ALTER TABLE "feed_counter" ADD CONSTRAINT "feed_counter_one_row" CHECK ("id" = 1);
INSERT INTO "feed_counter" ("id") VALUES (1);

ALTER TABLE "config_changes"
  ADD CONSTRAINT "config_changes_kind_check" CHECK ("kind" IN ('created', 'updated', 'deleted', 'connection')),
  ADD CONSTRAINT "config_changes_user_id_check" CHECK (("kind" = 'connection') = ("user_id" IS NOT NULL));

-- The row of the counter is held until the commit: what has a number is in the order of the commits, without gaps. The
-- triggers are deferred to the end of the transaction, so that it is held for as short as can be, and always after the
-- rows that changed: nobody who has the counter waits for a row.
-- NOTIFY is delivered at the commit and only says that there is something to read.
CREATE FUNCTION "append_config_change"(
  change_kind TEXT, change_config_id UUID, change_user_id UUID, before BOOLEAN, after BOOLEAN, changed TEXT[], row_after JSONB
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  next_rev BIGINT;
BEGIN
  UPDATE feed_counter SET n = n + 1 WHERE id = 1 RETURNING n INTO next_rev;
  INSERT INTO config_changes
    (rev, kind, config_id, user_id, enabled_before, enabled_after, changed_columns, config, occurred_at)
  VALUES
    (next_rev, change_kind, change_config_id, change_user_id, before, after, changed,
     row_after - ARRAY['oauth2_client_secret', 'api_key_value', 'custom_headers'], clock_timestamp());
  PERFORM pg_notify('gatehouse_feed', next_rev::text);
END
$$;

-- What replicas keep in memory changed without its being a change of a config or a connection: they are to forget it.
-- Once in a transaction is enough, however many rows there are.
CREATE FUNCTION "touch_memory"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('gatehouse.touched_in', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    UPDATE feed_counter SET touches = touches + 1 WHERE id = 1;
    PERFORM pg_notify('gatehouse_feed', '');
    PERFORM set_config('gatehouse.touched_in', pg_current_xact_id()::text, true);
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION "feed_config_change"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed TEXT[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM append_config_change('created', NEW.id, NULL, NULL, NEW.enabled, ARRAY[]::TEXT[], to_jsonb(NEW));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM append_config_change('deleted', OLD.id, NULL, OLD.enabled, NULL, ARRAY[]::TEXT[], NULL);
  ELSIF NEW.version <> OLD.version THEN
    -- Sealing a value anew, and losing the reference to a user who is gone, is no change: the version stays. That is
    -- what the other trigger is for.
    SELECT coalesce(array_agg(n.key ORDER BY n.key), ARRAY[]::TEXT[]) INTO changed
      FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o ON o.key = n.key
      WHERE n.value IS DISTINCT FROM o.value AND n.key NOT IN ('version', 'updated_at', 'updated_by');
    PERFORM append_config_change('updated', NEW.id, NULL, OLD.enabled, NEW.enabled, changed, to_jsonb(NEW));
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "mcp_server_configs_feed" AFTER INSERT OR UPDATE OR DELETE ON "mcp_server_configs"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "feed_config_change"();
CREATE CONSTRAINT TRIGGER "mcp_server_configs_touch" AFTER UPDATE ON "mcp_server_configs"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.version = OLD.version AND NEW IS DISTINCT FROM OLD)
  EXECUTE FUNCTION "touch_memory"();

-- A user connects or disconnects: a token comes or goes. A refresh changes neither.
CREATE FUNCTION "feed_connection_change"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  token RECORD;
BEGIN
  IF TG_OP = 'DELETE' THEN token := OLD; ELSE token := NEW; END IF;
  PERFORM append_config_change('connection', token.mcp_server_config_id, token.user_id, NULL, NULL, ARRAY[]::TEXT[], NULL);
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "mcp_server_user_tokens_feed" AFTER INSERT OR DELETE ON "mcp_server_user_tokens"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "feed_connection_change"();

-- What else is remembered of a connection: the keys that seal it, whether it should be widened, why it ended.
CREATE CONSTRAINT TRIGGER "mcp_server_user_tokens_touch" AFTER UPDATE ON "mcp_server_user_tokens"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((NEW.access_token_key_id, NEW.refresh_token_key_id, NEW.wanted_scopes)
    IS DISTINCT FROM (OLD.access_token_key_id, OLD.refresh_token_key_id, OLD.wanted_scopes))
  EXECUTE FUNCTION "touch_memory"();
CREATE CONSTRAINT TRIGGER "mcp_server_ended_connections_touch"
  AFTER INSERT OR UPDATE OR DELETE ON "mcp_server_ended_connections"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "touch_memory"();

-- And of those who call: what their tokens are worth. The note of a token's last use is no such change.
CREATE CONSTRAINT TRIGGER "users_touch" AFTER UPDATE OR DELETE ON "users"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "touch_memory"();
CREATE CONSTRAINT TRIGGER "api_tokens_touch" AFTER UPDATE ON "api_tokens"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((NEW.token_hash, NEW.user_id, NEW.expires_at, NEW.revoked_at)
    IS DISTINCT FROM (OLD.token_hash, OLD.user_id, OLD.expires_at, OLD.revoked_at))
  EXECUTE FUNCTION "touch_memory"();
CREATE CONSTRAINT TRIGGER "api_tokens_gone_touch" AFTER DELETE ON "api_tokens"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "touch_memory"();
CREATE CONSTRAINT TRIGGER "sessions_touch" AFTER DELETE ON "sessions"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "touch_memory"();

-- Who empties a table leaves no trace of each row: cursors from before are of no use, and nothing is remembered.
CREATE FUNCTION "begin_new_epoch"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE feed_counter SET epoch = gen_random_uuid() WHERE id = 1;
  PERFORM pg_notify('gatehouse_feed', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER "mcp_server_configs_truncate" AFTER TRUNCATE ON "mcp_server_configs"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "mcp_server_user_tokens_truncate" AFTER TRUNCATE ON "mcp_server_user_tokens"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "mcp_server_ended_connections_truncate" AFTER TRUNCATE ON "mcp_server_ended_connections"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "users_truncate" AFTER TRUNCATE ON "users"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "api_tokens_truncate" AFTER TRUNCATE ON "api_tokens"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "sessions_truncate" AFTER TRUNCATE ON "sessions"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
