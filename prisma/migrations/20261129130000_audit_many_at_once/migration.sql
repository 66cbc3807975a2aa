-- Many entries are appended at once: the end of the log moves from the last one before them to the last one of them, in
-- one step, when they are there. The steps of before stay allowed, for replicas of an earlier version.
CREATE OR REPLACE FUNCTION "refuse_audit_chain_change"() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF keeps_beginning AND NEW.seq >= OLD.seq
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
