-- Sealed values have a second format, "v2:", which says where the value may be sent. Values of the first format stay valid
-- until a rotation seals them again.

ALTER TABLE "mcp_server_configs"
  DROP CONSTRAINT "mcp_server_configs_oauth2_client_secret_sealed",
  ADD CONSTRAINT "mcp_server_configs_oauth2_client_secret_sealed" CHECK (
    ("oauth2_client_secret" IS NULL) = ("oauth2_client_secret_key_id" IS NULL)
    AND ("oauth2_client_secret" IS NULL OR "oauth2_client_secret" ~ '^v[12]:[A-Za-z0-9_-]{107,}$')),
  DROP CONSTRAINT "mcp_server_configs_api_key_value_sealed",
  ADD CONSTRAINT "mcp_server_configs_api_key_value_sealed" CHECK (
    ("api_key_value" IS NULL) = ("api_key_value_key_id" IS NULL)
    AND ("api_key_value" IS NULL OR "api_key_value" ~ '^v[12]:[A-Za-z0-9_-]{107,}$')),
  DROP CONSTRAINT "mcp_server_configs_custom_headers_sealed",
  ADD CONSTRAINT "mcp_server_configs_custom_headers_sealed" CHECK (
    ("custom_headers" IS NULL) = ("custom_headers_key_id" IS NULL)
    AND ("custom_headers" IS NULL OR "custom_headers" ~ '^v[12]:[A-Za-z0-9_-]{107,}$'));

ALTER TABLE "mcp_server_user_tokens"
  DROP CONSTRAINT "mcp_server_user_tokens_access_token_sealed",
  ADD CONSTRAINT "mcp_server_user_tokens_access_token_sealed" CHECK ("access_token" ~ '^v[12]:[A-Za-z0-9_-]{107,}$'),
  DROP CONSTRAINT "mcp_server_user_tokens_refresh_token_sealed",
  ADD CONSTRAINT "mcp_server_user_tokens_refresh_token_sealed" CHECK (
    ("refresh_token" IS NULL) = ("refresh_token_key_id" IS NULL)
    AND ("refresh_token" IS NULL OR "refresh_token" ~ '^v[12]:[A-Za-z0-9_-]{107,}$'));

ALTER TABLE "mcp_server_former_clients"
  DROP CONSTRAINT "mcp_server_former_clients_client_secret_sealed",
  ADD CONSTRAINT "mcp_server_former_clients_client_secret_sealed" CHECK (
    ("client_secret" IS NULL) = ("client_secret_key_id" IS NULL)
    AND ("client_secret" IS NULL OR "client_secret" ~ '^v[12]:[A-Za-z0-9_-]{107,}$'));

ALTER TABLE "mcp_oauth_flows"
  DROP CONSTRAINT "mcp_oauth_flows_code_verifier_sealed",
  ADD CONSTRAINT "mcp_oauth_flows_code_verifier_sealed" CHECK ("code_verifier" ~ '^v[12]:[A-Za-z0-9_-]{107,}$');

ALTER TABLE "encryption_keys"
  DROP CONSTRAINT "encryption_keys_canary_check",
  ADD CONSTRAINT "encryption_keys_canary_check" CHECK ("canary" ~ '^v[12]:[A-Za-z0-9_-]{107,}$');
