-- The same answer as before, worked out from the links alone: few reports are linked, and most have an embargo.
CREATE OR REPLACE VIEW embargo_terms AS
    WITH linked AS MATERIALIZED (
        SELECT child_id AS report_id, canonical_id AS root FROM active_links
        UNION SELECT canonical_id, canonical_id FROM active_links),
    ends AS (
        SELECT root, min(accepted_end) AS earliest FROM linked JOIN accepted_ends USING (report_id) GROUP BY root),
    shared AS (SELECT report_id, earliest FROM linked JOIN ends USING (root))
    SELECT e.report_id, e.state, e.starts_at, e.ends_at, e.proposed_end, e.proposed_by, e.exited_at, e.exit_reason,
        e.version, coalesce(s.earliest,
            CASE WHEN e.state IN ('active', 'revise') THEN e.ends_at WHEN e.state = 'exited' THEN e.exited_at END)
            AS binding_end
    FROM embargoes e LEFT JOIN shared s USING (report_id);
