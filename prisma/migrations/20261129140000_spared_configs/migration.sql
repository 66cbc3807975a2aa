-- What replicas know of configs is large, and does not depend on users, their credentials and connections: when those
-- change, replicas forget the rest only. Whatever else touches memory makes them forget the configs, too.
ALTER TABLE "feed_counter" ADD COLUMN     "config_touches" BIGINT NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION "touch_memory"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  this TEXT := pg_current_xact_id()::text;
  spares_configs BOOLEAN := TG_TABLE_NAME IN
    ('users', 'api_tokens', 'sessions', 'mcp_server_user_tokens', 'mcp_server_ended_connections');
BEGIN
  IF current_setting('gatehouse.touched_in', true) IS DISTINCT FROM this THEN
    UPDATE feed_counter SET touches = touches + 1 WHERE id = 1;
    PERFORM pg_notify('gatehouse_feed', '');
    PERFORM set_config('gatehouse.touched_in', this, true);
  END IF;
  IF NOT spares_configs AND current_setting('gatehouse.configs_touched_in', true) IS DISTINCT FROM this THEN
    UPDATE feed_counter SET config_touches = config_touches + 1 WHERE id = 1;
    PERFORM set_config('gatehouse.configs_touched_in', this, true);
  END IF;
  RETURN NULL;
END
$$;
