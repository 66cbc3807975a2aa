-- AlterTable
ALTER TABLE "chats" ADD COLUMN     "message_bytes" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "message_count" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "user_usage" (
    "user_id" UUID NOT NULL,
    "chats" INTEGER NOT NULL DEFAULT 0,
    "message_bytes" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "user_usage_pkey" PRIMARY KEY ("user_id")
);

-- AddForeignKey
ALTER TABLE "user_usage" ADD CONSTRAINT "user_usage_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

-- Nobody writes between the first count and the triggers that keep it.
LOCK TABLE "users", "chats", "chat_messages" IN SHARE ROW EXCLUSIVE MODE;

-- A message counts with the bytes of its text and 200 more, which its row and its index entries take.
CREATE FUNCTION "message_size"(content TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(content)::bigint + 200
$$;

UPDATE "chats" SET "message_count" = m.n, "message_bytes" = m.bytes
  FROM (SELECT "chat_id", count(*) AS n, sum("message_size"("content")) AS bytes
        FROM "chat_messages" GROUP BY "chat_id") m
  WHERE m."chat_id" = "chats"."id";
INSERT INTO "user_usage" ("user_id", "chats", "message_bytes")
  SELECT u."id", count(c."id"), coalesce(sum(c."message_bytes"), 0)
  FROM "users" u LEFT JOIN "chats" c ON c."owner_id" = u."id" GROUP BY u."id";

CREATE FUNCTION "create_user_usage"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO user_usage (user_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER "users_usage" AFTER INSERT ON "users" FOR EACH ROW EXECUTE FUNCTION "create_user_usage"();

-- Once for each statement: a chat that is deleted takes thousands of messages with it. Messages count towards their chat,
-- and chats with all their messages towards their owner. Where the chat went with its messages there is none to update.
CREATE FUNCTION "count_messages"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE chats SET message_count = message_count - m.n, message_bytes = message_bytes - m.bytes
      FROM (SELECT chat_id, count(*) AS n, sum(message_size(content)) AS bytes FROM removed GROUP BY chat_id) m
      WHERE m.chat_id = chats.id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    UPDATE chats SET message_count = message_count + m.n, message_bytes = message_bytes + m.bytes
      FROM (SELECT chat_id, count(*) AS n, sum(message_size(content)) AS bytes FROM added GROUP BY chat_id) m
      WHERE m.chat_id = chats.id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "chat_messages_added" AFTER INSERT ON "chat_messages"
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "count_messages"();
CREATE TRIGGER "chat_messages_removed" AFTER DELETE ON "chat_messages"
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "count_messages"();
CREATE TRIGGER "chat_messages_changed" AFTER UPDATE ON "chat_messages"
  REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "count_messages"();

CREATE FUNCTION "count_chats"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    UPDATE user_usage SET chats = chats - c.n, message_bytes = message_bytes - c.bytes
      FROM (SELECT owner_id, count(*) AS n, sum(message_bytes) AS bytes FROM removed GROUP BY owner_id) c
      WHERE c.owner_id = user_usage.user_id;
  ELSE
    UPDATE user_usage SET chats = chats + c.n, message_bytes = message_bytes + c.bytes
      FROM (SELECT owner_id, count(*) AS n, sum(message_bytes) AS bytes FROM added GROUP BY owner_id) c
      WHERE c.owner_id = user_usage.user_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "chats_added" AFTER INSERT ON "chats"
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "count_chats"();
CREATE TRIGGER "chats_removed" AFTER DELETE ON "chats"
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "count_chats"();

CREATE FUNCTION "move_chat_usage"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.owner_id = OLD.owner_id THEN
    UPDATE user_usage SET message_bytes = message_bytes + NEW.message_bytes - OLD.message_bytes
      WHERE user_id = NEW.owner_id;
  ELSE
    UPDATE user_usage SET chats = chats - 1, message_bytes = message_bytes - OLD.message_bytes
      WHERE user_id = OLD.owner_id;
    UPDATE user_usage SET chats = chats + 1, message_bytes = message_bytes + NEW.message_bytes
      WHERE user_id = NEW.owner_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "chats_changed" AFTER UPDATE ON "chats" FOR EACH ROW
  WHEN ((NEW.owner_id, NEW.message_bytes) IS DISTINCT FROM (OLD.owner_id, OLD.message_bytes))
  EXECUTE FUNCTION "move_chat_usage"();

-- Who empties a table leaves no rows to subtract.
CREATE FUNCTION "forget_usage"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'chats' THEN
    UPDATE user_usage SET chats = 0, message_bytes = 0;
  ELSE
    UPDATE chats SET message_count = 0, message_bytes = 0;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "chats_truncate" AFTER TRUNCATE ON "chats" FOR EACH STATEMENT EXECUTE FUNCTION "forget_usage"();
CREATE TRIGGER "chat_messages_truncate" AFTER TRUNCATE ON "chat_messages"
  FOR EACH STATEMENT EXECUTE FUNCTION "forget_usage"();

-- Counts the tokens of a user that are not revoked.
CREATE INDEX "api_tokens_unrevoked_idx" ON "api_tokens" ("user_id") WHERE "revoked_at" IS NULL;
