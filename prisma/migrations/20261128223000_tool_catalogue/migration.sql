-- AlterTable
ALTER TABLE "mcp_server_configs" ADD COLUMN     "tool_approval" TEXT NOT NULL DEFAULT 'auto';

-- CreateTable
CREATE TABLE "mcp_server_tools" (
    "id" UUID NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID,
    "name" TEXT NOT NULL,
    "skeleton" TEXT NOT NULL,
    "definition" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed_at" TIMESTAMPTZ(3),
    "gone_at" TIMESTAMPTZ(3),
    "approved_digest" TEXT,
    "approved_definition" TEXT,
    "approved_by" UUID,
    "approved_at" TIMESTAMPTZ(3),

    CONSTRAINT "mcp_server_tools_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mcp_server_tool_lists" (
    "id" UUID NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID,
    "listed_by" UUID,
    "listed_at" TIMESTAMPTZ(3),
    "stale_at" TIMESTAMPTZ(3),
    "left_out" INTEGER NOT NULL DEFAULT 0,
    "attempted_at" TIMESTAMPTZ(3),
    "lease_id" UUID,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "mcp_server_tool_lists_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mcp_server_reachability" (
    "mcp_server_config_id" UUID NOT NULL,
    "reachable" BOOLEAN NOT NULL,
    "checked_at" TIMESTAMPTZ(3) NOT NULL,
    "problem" TEXT,
    "latency_ms" INTEGER,
    "protocol_version" TEXT,
    "server_name" TEXT,
    "server_version" TEXT,
    "instructions" TEXT,

    CONSTRAINT "mcp_server_reachability_pkey" PRIMARY KEY ("mcp_server_config_id")
);

-- CreateIndex
CREATE INDEX "mcp_server_tools_mcp_server_config_id_user_id_idx" ON "mcp_server_tools"("mcp_server_config_id", "user_id");

-- CreateIndex
CREATE INDEX "mcp_server_tools_user_id_idx" ON "mcp_server_tools"("user_id");

-- CreateIndex
CREATE INDEX "mcp_server_tools_approved_by_idx" ON "mcp_server_tools"("approved_by");

-- CreateIndex
CREATE INDEX "mcp_server_tools_skeleton_idx" ON "mcp_server_tools"("skeleton");

-- CreateIndex
CREATE INDEX "mcp_server_tool_lists_mcp_server_config_id_user_id_idx" ON "mcp_server_tool_lists"("mcp_server_config_id", "user_id");

-- CreateIndex
CREATE INDEX "mcp_server_tool_lists_user_id_idx" ON "mcp_server_tool_lists"("user_id");

-- CreateIndex
CREATE INDEX "mcp_server_tool_lists_listed_by_idx" ON "mcp_server_tool_lists"("listed_by");

-- AddForeignKey
ALTER TABLE "mcp_server_tools" ADD CONSTRAINT "mcp_server_tools_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_tools" ADD CONSTRAINT "mcp_server_tools_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_tools" ADD CONSTRAINT "mcp_server_tools_approved_by_fkey" FOREIGN KEY ("approved_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_tool_lists" ADD CONSTRAINT "mcp_server_tool_lists_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_tool_lists" ADD CONSTRAINT "mcp_server_tool_lists_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_tool_lists" ADD CONSTRAINT "mcp_server_tool_lists_listed_by_fkey" FOREIGN KEY ("listed_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_reachability" ADD CONSTRAINT "mcp_server_reachability_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_configs"
  ADD CONSTRAINT "mcp_server_configs_tool_approval_check" CHECK ("tool_approval" IN ('auto', 'pin'));

-- One list that everybody shares, and one for each user.
CREATE UNIQUE INDEX "mcp_server_tools_shared_key" ON "mcp_server_tools" ("mcp_server_config_id", "name")
  WHERE "user_id" IS NULL;
CREATE UNIQUE INDEX "mcp_server_tools_user_key" ON "mcp_server_tools" ("mcp_server_config_id", "user_id", "name")
  WHERE "user_id" IS NOT NULL;
CREATE UNIQUE INDEX "mcp_server_tool_lists_shared_key" ON "mcp_server_tool_lists" ("mcp_server_config_id")
  WHERE "user_id" IS NULL;
CREATE UNIQUE INDEX "mcp_server_tool_lists_user_key" ON "mcp_server_tool_lists" ("mcp_server_config_id", "user_id")
  WHERE "user_id" IS NOT NULL;

ALTER TABLE "mcp_server_tools"
  ADD CONSTRAINT "mcp_server_tools_name_check" CHECK (char_length("name") BETWEEN 1 AND 128),
  ADD CONSTRAINT "mcp_server_tools_definition_check" CHECK (octet_length("definition") <= 262144),
  ADD CONSTRAINT "mcp_server_tools_status_check" CHECK (
    "status" IN ('listed', 'gone', 'absent')
    AND ("status" = 'gone') = ("gone_at" IS NOT NULL)
    AND ("status" <> 'absent' OR "user_id" IS NOT NULL)
    AND ("status" = 'absent') = ("digest" = '') AND ("status" = 'absent') = ("definition" = '')),
  ADD CONSTRAINT "mcp_server_tools_digest_check" CHECK ("digest" = '' OR "digest" ~ '^[0-9a-f]{64}$'),
  ADD CONSTRAINT "mcp_server_tools_approval_check" CHECK (
    ("approved_digest" IS NULL) = ("approved_at" IS NULL)
    AND ("approved_digest" IS NOT NULL OR ("approved_definition" IS NULL AND "approved_by" IS NULL))
    AND "approved_digest" ~ '^[0-9a-f]{64}$'
    AND octet_length("approved_definition") <= 262144);

ALTER TABLE "mcp_server_tool_lists"
  ADD CONSTRAINT "mcp_server_tool_lists_left_out_check" CHECK ("left_out" >= 0),
  ADD CONSTRAINT "mcp_server_tool_lists_lease_check" CHECK (("lease_id" IS NULL) = ("lease_until" IS NULL));

ALTER TABLE "mcp_server_reachability"
  ADD CONSTRAINT "mcp_server_reachability_texts_check" CHECK (
    char_length("problem") BETWEEN 1 AND 64
    AND char_length("protocol_version") <= 64 AND char_length("server_name") <= 200
    AND char_length("server_version") <= 200 AND char_length("instructions") <= 16000
    AND "latency_ms" >= 0);

-- Tools and reachability are part of what a config shows: their changes are in its feed, whatever path they took. One
-- entry for each list in a transaction is enough, however many tools changed. The counter's row is taken before the
-- config is read, as for connections.
CREATE FUNCTION "append_catalogue_change"(change_config_id UUID, change_user_id UUID, changed TEXT)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  this TEXT := concat_ws(' ', change_config_id, change_user_id, changed);
  told TEXT[] := string_to_array(current_setting('gatehouse.catalogue_told', true), ',');
  config RECORD;
BEGIN
  IF told[1] IS DISTINCT FROM pg_current_xact_id()::text THEN
    told := ARRAY[pg_current_xact_id()::text];
  END IF;
  IF this = ANY (told) THEN RETURN; END IF;
  PERFORM set_config('gatehouse.catalogue_told', array_to_string(told || this, ','), true);
  PERFORM 1 FROM feed_counter WHERE id = 1 FOR UPDATE;
  SELECT c.enabled, to_jsonb(c) AS whole INTO config FROM mcp_server_configs c WHERE c.id = change_config_id;
  -- It went with the config, and its deletion is in the feed.
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM append_config_change(
    CASE WHEN change_user_id IS NULL THEN 'updated' ELSE 'connection' END, change_config_id, change_user_id,
    config.enabled, config.enabled, ARRAY[changed],
    CASE WHEN change_user_id IS NULL OR octet_length(config.whole::text) <= 4096 THEN config.whole END);
END
$$;

CREATE FUNCTION "feed_tool_change"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  tool RECORD;
BEGIN
  IF TG_OP = 'DELETE' THEN tool := OLD; ELSE tool := NEW; END IF;
  PERFORM append_catalogue_change(tool.mcp_server_config_id, tool.user_id, 'tools');
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "mcp_server_tools_feed" AFTER INSERT OR DELETE ON "mcp_server_tools"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "feed_tool_change"();
CREATE CONSTRAINT TRIGGER "mcp_server_tools_update_feed" AFTER UPDATE ON "mcp_server_tools"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((NEW.digest, NEW.definition, NEW.status, NEW.approved_digest)
    IS DISTINCT FROM (OLD.digest, OLD.definition, OLD.status, OLD.approved_digest))
  EXECUTE FUNCTION "feed_tool_change"();

CREATE FUNCTION "feed_reachability_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM append_catalogue_change(NEW.mcp_server_config_id, NULL, 'reachability');
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "mcp_server_reachability_feed" AFTER INSERT ON "mcp_server_reachability"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "feed_reachability_change"();
-- How long an answer took, and when, changes with each call: that is no change.
CREATE CONSTRAINT TRIGGER "mcp_server_reachability_update_feed" AFTER UPDATE ON "mcp_server_reachability"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((NEW.reachable, NEW.problem, NEW.protocol_version, NEW.server_name, NEW.server_version, NEW.instructions)
    IS DISTINCT FROM
    (OLD.reachable, OLD.problem, OLD.protocol_version, OLD.server_name, OLD.server_version, OLD.instructions))
  EXECUTE FUNCTION "feed_reachability_change"();

CREATE TRIGGER "mcp_server_tools_truncate" AFTER TRUNCATE ON "mcp_server_tools"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();
CREATE TRIGGER "mcp_server_reachability_truncate" AFTER TRUNCATE ON "mcp_server_reachability"
  FOR EACH STATEMENT EXECUTE FUNCTION "begin_new_epoch"();

-- What a user's own list shows is what their connection shows. It goes with the connection: the next one may be to
-- another account.
CREATE FUNCTION "drop_tools_of_connection"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM mcp_server_tools WHERE mcp_server_config_id = OLD.mcp_server_config_id AND user_id = OLD.user_id;
  DELETE FROM mcp_server_tool_lists WHERE mcp_server_config_id = OLD.mcp_server_config_id AND user_id = OLD.user_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER "mcp_server_user_tokens_tools" AFTER DELETE ON "mcp_server_user_tokens"
  FOR EACH ROW EXECUTE FUNCTION "drop_tools_of_connection"();
