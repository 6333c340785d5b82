-- The embargo is a machine of its own beside the case, so what was seen of it has a version of its own.
ALTER TABLE embargoes ADD COLUMN version INTEGER DEFAULT 1;

-- When duplicates are linked without a new agreement, the earliest accepted date applies to all of them. It is
-- worked out from the links and never written, so that taking a link back gives each report its own date again.
CREATE VIEW accepted_ends AS
    SELECT report_id,
        CASE WHEN state IN ('active', 'revise') THEN ends_at WHEN state = 'exited' THEN exited_at END AS accepted_end
    FROM embargoes;

CREATE VIEW embargo_terms AS
    WITH members AS (
        SELECT child_id AS report_id, canonical_id AS root FROM active_links
        UNION SELECT canonical_id, canonical_id FROM active_links),
    shared AS (
        SELECT root, min(accepted_end) AS earliest FROM members JOIN accepted_ends USING (report_id) GROUP BY root)
    SELECT e.report_id, e.state, e.starts_at, e.ends_at, e.proposed_end, e.proposed_by, e.exited_at, e.exit_reason,
        e.version, coalesce(s.earliest, a.accepted_end) AS binding_end
    FROM embargoes e JOIN accepted_ends a USING (report_id) LEFT JOIN members m USING (report_id)
    LEFT JOIN shared s USING (root);

-- A row is one state of a reward and stays; the rows with the same `reward_no`, which is the number of the first of
-- them, are one reward. `share` is the percent of the band that the report's place among its duplicates gives.
ALTER TABLE rewards ADD COLUMN reward_no BIGINT;
ALTER TABLE rewards ADD COLUMN severity VARCHAR;
ALTER TABLE rewards ADD COLUMN share DECIMAL(5, 2);
ALTER TABLE rewards ADD COLUMN version INTEGER DEFAULT 1;

CREATE VIEW present_rewards AS
    SELECT reward_no, report_id, done_at, actor_id, kind, amount, currency, state, policy_version, reason, severity,
        share, version
    FROM rewards QUALIFY reward_id = max(reward_id) OVER (PARTITION BY reward_no);
