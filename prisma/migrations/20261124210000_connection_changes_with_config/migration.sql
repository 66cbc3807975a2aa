-- The change of a connection has the config as it was then, as the changes of configs have: who reads changes later is
-- told what was, and not what is by now, which would come before changes that he has yet to read. Not where it is large:
-- a server that moves ends all of its connections at once, and there may be thousands.
--
-- The counter's row is taken first and the config read after it, by a statement of its own: all changes of other
-- transactions with smaller numbers are committed by then, and none with a larger one is. Where the config went with the
-- connection there is none.
LOCK TABLE "mcp_server_user_tokens" IN SHARE MODE;

CREATE OR REPLACE FUNCTION "feed_connection_change"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  token RECORD;
  config RECORD;
BEGIN
  IF TG_OP = 'DELETE' THEN token := OLD; ELSE token := NEW; END IF;
  PERFORM 1 FROM feed_counter WHERE id = 1 FOR UPDATE;
  SELECT c.enabled, to_jsonb(c) - ARRAY['oauth2_client_secret', 'api_key_value', 'custom_headers'] AS whole
    INTO config FROM mcp_server_configs c WHERE c.id = token.mcp_server_config_id;
  PERFORM append_config_change(
    'connection', token.mcp_server_config_id, token.user_id, config.enabled, config.enabled, ARRAY[]::TEXT[],
    CASE WHEN octet_length(config.whole::text) <= 4096 THEN config.whole END);
  RETURN NULL;
END
$$;

-- What was written down before is told with the config of today, as it was until now.
UPDATE config_changes change
  SET enabled_before = c.enabled, enabled_after = c.enabled
  FROM mcp_server_configs c
  WHERE change.kind = 'connection' AND c.id = change.config_id;
