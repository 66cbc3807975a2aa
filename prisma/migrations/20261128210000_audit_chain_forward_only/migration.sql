-- The row of audit_chain says where the log begins and ends. Without it, nobody could tell whether entries were cut off.
-- So it only moves forward, as the gateway moves it, and is never deleted:
-- - an entry is appended: first the next number is taken, then the hash of the entry with that number;
-- - old entries are removed by age, which says so in its own transaction: the beginning moves to a later entry.
CREATE FUNCTION "refuse_audit_chain_change"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  keeps_beginning boolean;
  keeps_end boolean;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    keeps_beginning := NEW.anchor_seq = OLD.anchor_seq AND NEW.anchor_hash = OLD.anchor_hash;
    keeps_end := NEW.seq = OLD.seq AND NEW.hash = OLD.hash;
    IF keeps_beginning AND NEW.seq = OLD.seq + 1 AND NEW.hash = OLD.hash THEN
      RETURN NEW;
    END IF;
    IF keeps_beginning AND NEW.seq = OLD.seq
       AND EXISTS (SELECT FROM audit_entries e WHERE e.seq = NEW.seq AND e.hash = NEW.hash) THEN
      RETURN NEW;
    END IF;
    IF keeps_end AND NEW.anchor_seq > OLD.anchor_seq AND NEW.anchor_seq <= NEW.seq
       AND current_setting('gatehouse.audit_retention', true) = 'on'
       AND EXISTS (SELECT FROM audit_entries e WHERE e.seq = NEW.anchor_seq AND e.hash = NEW.anchor_hash) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the ends of the audit log only move forward' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "audit_chain_forward_only" BEFORE UPDATE OR DELETE ON "audit_chain"
  FOR EACH ROW EXECUTE FUNCTION "refuse_audit_chain_change"();
CREATE TRIGGER "audit_chain_no_truncate" BEFORE TRUNCATE ON "audit_chain"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_chain_change"();
