-- The embargo is a machine of its own beside the case, so what was seen of it has a version of its own.
ALTER TABLE embargoes ADD COLUMN version INTEGER DEFAULT 1;

-- When duplicates are linked without a new agreement, the earliest accepted date applies to all of them. It is
-- worked out from the links and never written, so that taking a link back gives each report its own date again.
CREATE VIEW embargo_terms AS
    SELECT e.report_id, e.state, e.starts_at, e.ends_at, e.proposed_end, e.proposed_by, e.exited_at, e.exit_reason,
        e.version,
        min(CASE WHEN e.state IN ('active', 'revise') THEN e.ends_at WHEN e.state = 'exited' THEN e.exited_at END)
            OVER (PARTITION BY coalesce(l.canonical_id, e.report_id)) AS binding_end
    FROM embargoes e LEFT JOIN active_links l ON l.child_id = e.report_id;

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
